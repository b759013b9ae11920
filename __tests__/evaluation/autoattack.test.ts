import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { namedSuite } from '../../src/config/suites.js'
import type { Norm, Preprocessing } from '../../src/config/types.js'
import type { Dataset } from '../../src/data/types.js'
import { evaluate } from '../../src/evaluation/evaluate.js'
import { dataset, fixture, imagesOf, model, plain } from '../engine/support/fixtures.js'
import { effectsOf, realChildren, requestOf } from './support.js'

const worker = fileURLToPath(new URL('../../.build/engine/worker.js', import.meta.url))

/** What the authors' AutoAttack (fra31/auto-attack, `standard`, seed 0, PyTorch 1.13) left of the first images. */
interface Reference {
  readonly norm: Norm
  readonly epsilon: number
  readonly samples: number
  readonly robustIndices: readonly number[]
}

const references = JSON.parse(fixture('fashion/golden-autoattack.json').toString()) as Readonly<
  Record<string, Reference>
>
/** The same of the hardened fashion model under L2, with other seeds and PyTorch 2.13 (scripts/reference/autoattackSeeds.py). */
const { runs } = JSON.parse(fixture('attacks/autoattack-seeds.json').toString()) as {
  readonly runs: readonly Pick<Reference, 'robustIndices'>[]
}
const fashion = dataset('fashion/fashion-test.npz', 200)
const cifar = dataset('cifar/cifar10-test-100.npz', 100)
const imagenet: Preprocessing = { mean: [0.485, 0.456, 0.406], std: [0.225], channelOrder: 'rgb' }

/** The whole suite on the images with these indices: of those that the model is right on, the ones left robust. */
async function leftRobust(
  name: string,
  data: Dataset,
  preprocessing: Preprocessing,
  { norm, epsilon }: Reference,
  chosen: (index: number) => boolean,
): Promise<readonly number[]> {
  const images = imagesOf(data).filter(({ index }) => chosen(index))
  const pixels = Float32Array.from(images.flatMap((image) => [...image.pixels]))
  const labels = Int32Array.from(images, ({ label }) => label)
  const { samples } = await evaluate(
    requestOf(
      images.length,
      {},
      {
        model: model(name),
        dataset: { ...data, samples: images.length, pixels, labels },
        preprocessing,
        threats: [{ id: 'threat', norm, epsilon }],
        suite: namedSuite('autoattack@1'),
        limits: { seconds: 600, batch: 32, workers: 2 },
      },
    ),
    effectsOf(realChildren(worker).startChild),
  )
  return samples.filter(({ threats: { threat } }) => threat.robust).map(({ index }) => images[index].index)
}

describe('AutoAttack breaks what the authors’ own breaks, but for one image', () => {
  // Only what theirs broke is attacked, so an image that both leave robust, and costs most, is not tried again.
  test.each([
    ['fashion-standard/linf'],
    ['fashion-hardened/linf'],
    ['fashion-standard/l2'],
    ['fashion-standard/l1'],
    ['fashion-hardened/l1'],
    ['cifar_base_kw/linf'],
    ['cifar_deep_kw/linf'],
  ])(
    '%s',
    async (key) => {
      const reference = references[key]
      const [name] = key.split('/')
      const broken = (index: number): boolean => !reference.robustIndices.includes(index)
      const left = name.startsWith('fashion')
        ? await leftRobust(`fashion/${name}.onnx`, fashion, plain, reference, broken)
        : await leftRobust(`cifar/${name}.onnx`, cifar, imagenet, reference, broken)
      expect(left.length).toBeLessThanOrEqual(1)
    },
    600_000,
  )

  /** Of theirs: other seeds leave of what this one broke 5, 3 and 5 images, for many fall to one start in ten or fewer. */
  test('fashion-hardened/l2, where random starts decide: no more than other runs of theirs leave of it, and the same ones', async () => {
    const reference = references['fashion-hardened/l2']
    const broken = (index: number): boolean => !reference.robustIndices.includes(index)
    const others = runs.map(({ robustIndices }) => robustIndices.filter(broken))
    const mean = others.reduce((sum, missed) => sum + missed.length, 0) / others.length
    const left = await leftRobust('fashion/fashion-hardened.onnx', fashion, plain, reference, broken)
    expect(left.length).toBeLessThanOrEqual(mean)
    for (const index of left) expect(others.flat()).toContain(index)
  }, 600_000)
})
