import { describe, expect, test } from '@jest/globals'
import { namedSuite } from '../../src/config/suites.js'
import type { Norm, Preprocessing } from '../../src/config/types.js'
import type { Dataset } from '../../src/data/types.js'
import { evaluateImage } from '../../src/engine/image.js'
import type { SampleOutcome } from '../../src/engine/messages.js'
import { loadModel } from '../../src/engine/load.js'
import { Scheduler } from '../../src/engine/scheduler.js'
import { dataset, fixture, imagesOf, loadRequest, plain } from './support/fixtures.js'

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
  model: string,
  data: Dataset,
  preprocessing: Preprocessing,
  { norm, epsilon }: Reference,
  chosen: (index: number) => boolean,
): Promise<readonly number[]> {
  const threats = [{ id: 'threat', norm, epsilon }]
  const attacks = namedSuite('autoattack@1').attacks
  const { engine, plan } = await loadModel(loadRequest(model, data, { threats, attacks, preprocessing, batch: 32 }))
  const outcomes: SampleOutcome[] = []
  const scheduler = new Scheduler<{ readonly outcome: SampleOutcome }>(engine, ({ outcome }) => outcomes.push(outcome))
  const tasks = imagesOf(data).filter(({ index }) => chosen(index))
  await scheduler.run(tasks.map((task) => evaluateImage(task, plan)))
  return outcomes
    .filter(({ threats: { threat } }) => threat.robust)
    .map(({ index }) => index)
    .sort((a, b) => a - b)
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
      const [model] = key.split('/')
      const broken = (index: number): boolean => !reference.robustIndices.includes(index)
      const left = model.startsWith('fashion')
        ? await leftRobust(`fashion/${model}.onnx`, fashion, plain, reference, broken)
        : await leftRobust(`cifar/${model}.onnx`, cifar, imagenet, reference, broken)
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
