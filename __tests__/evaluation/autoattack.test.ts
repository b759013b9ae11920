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

/** Of images, by index: those that the whole suite leaves robust, and those that its published attacks leave. */
interface Left {
  readonly bySuite: readonly number[]
  readonly byPublished: readonly number[]
}

/** Only what theirs broke is attacked, so an image that both leave robust, and costs most, is not tried again. */
async function leftOfBroken(
  name: string,
  data: Dataset,
  preprocessing: Preprocessing,
  { norm, epsilon, robustIndices }: Reference,
): Promise<Left> {
  const images = imagesOf(data).filter(({ index }) => !robustIndices.includes(index))
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
  const right = samples.filter(({ predicted, label }) => predicted === label)
  const leftBy = (counts: (id: string) => boolean): readonly number[] =>
    right
      .filter(({ threats: { threat } }) =>
        Object.entries(threat.attacks).every(([id, { success }]) => !success || !counts(id)),
      )
      .map(({ index }) => images[index].index)
  return { bySuite: leftBy(() => true), byPublished: leftBy((id) => PUBLISHED.includes(id)) }
}

/** AutoAttack's `standard`; the suite has one attack more, which may hide what these have lost. */
const PUBLISHED = ['apgd-ce', 'apgd-t', 'fab-t', 'square']

function leftOf(key: string): Promise<Left> {
  const [name] = key.split('/')
  return name.startsWith('fashion')
    ? leftOfBroken(`fashion/${name}.onnx`, fashion, plain, references[key])
    : leftOfBroken(`cifar/${name}.onnx`, cifar, imagenet, references[key])
}

/**
 * What is left besides images that theirs broke and that are named here and in docs/attacks.md: those that the one here leaves
 * with some seeds. Random starts decide about them, so another CPU's last bits may, too.
 */
const unlike = (left: readonly number[], named: readonly number[]): readonly number[] =>
  left.filter((index) => !named.includes(index))

describe('AutoAttack breaks what the authors’ own breaks, but for one image that is named, with the published attacks alone', () => {
  test.each([
    ['fashion-standard/linf', [173]],
    ['fashion-hardened/linf', []],
    ['fashion-standard/l2', []],
    ['fashion-standard/l1', []],
    ['fashion-hardened/l1', [144]],
    ['cifar_base_kw/linf', []],
    ['cifar_deep_kw/linf', []],
  ] as const)(
    '%s: but for %j',
    async (key, named) => {
      const { byPublished } = await leftOf(key)
      expect(unlike(byPublished, named)).toEqual([])
    },
    600_000,
  )
})

/** Other runs of theirs leave of what this one broke 5, 3 and 4 images, for many fall to one start in ten or fewer. */
test('fashion-hardened/l2, where random starts decide: the suite leaves image 77 at most, its published attacks no more than theirs', async () => {
  const key = 'fashion-hardened/l2'
  const others = runs.map(({ robustIndices }) =>
    robustIndices.filter((index) => !references[key].robustIndices.includes(index)),
  )
  const mean = others.reduce((sum, missed) => sum + missed.length, 0) / others.length
  const { bySuite, byPublished } = await leftOf(key)
  expect(unlike(bySuite, [77])).toEqual([])
  expect(byPublished.length).toBeLessThanOrEqual(mean)
  expect(unlike(byPublished, others.flat())).toEqual([])
}, 600_000)
