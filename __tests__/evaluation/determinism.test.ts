import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { published } from '../../src/config/attackSchemas.js'
import type { AttackSpec } from '../../src/config/attackTypes.js'
import type { Norm } from '../../src/config/types.js'
import type { Dataset } from '../../src/data/types.js'
import { evaluate } from '../../src/evaluation/evaluate.js'
import type { EvaluationRequest } from '../../src/evaluation/evaluate.js'
import { mergeShards } from '../../src/evaluation/merge.js'
import type { Results } from '../../src/evaluation/results.js'
import { formatResults, parseAnyResults } from '../../src/evaluation/resultsFile.js'
import { dataset as fixtureData, model } from '../engine/support/fixtures.js'
import { effectsOf, realChildren, requestOf } from './support.js'

const worker = fileURLToPath(new URL('../../.build/engine/worker.js', import.meta.url))
const SAMPLES = 20
const dataset = fixtureData('fashion/fashion-test.npz', SAMPLES)

const once = { linf: 1, l2: 1, l1: 1 }
const twice = { linf: 2, l2: 2, l1: 2 }
const few = { linf: 3, l2: 3, l1: 3 }
/** Every attack there is, each with few steps; those with random starts with two of them. Nobody is spared. */
const everyNorm: readonly AttackSpec[] = [
  published('fgsm'),
  published('pgd', { steps: 4, restarts: 2 }),
  published('bim', { steps: 3 }),
  published('mi-fgsm', { steps: 3 }),
  published('apgd', { steps: 10, restarts: twice }),
  published('apgd', { id: 'apgd-eot', steps: 5, restarts: once, eot: 2, loss: 'dlr' }),
  published('apgd', { id: 'apgd-margin', steps: 10, restarts: twice, loss: 'margin', largerBalls: true }),
  published('apgd-t', { steps: 5, restarts: once, targets: few }),
  published('fab', { steps: 3 }),
  published('fab-t', { steps: 4, restarts: 2, targets: 3 }),
  published('square', { queries: 40 }),
  published('deepfool', { steps: 4, candidates: 3 }),
  published('noise', { points: 5 }),
]
const l2Only: readonly AttackSpec[] = [
  published('cw', { steps: 10, binarySearchSteps: 2, initialConstant: 1 }),
  published('ddn', { steps: 10 }),
]
const epsilons: Readonly<Record<Norm, readonly number[]>> = { linf: [0.05, 0.1], l2: [0.5, 1.5], l1: [4, 10] }

async function evaluation(norm: Norm, rest: Partial<EvaluationRequest> = {}): Promise<Results> {
  const request = requestOf(
    SAMPLES,
    {},
    {
      model: model('fashion/fashion-hardened.onnx'),
      dataset,
      threats: epsilons[norm].map((epsilon) => ({ id: `${norm}-${epsilon}`, norm, epsilon })),
      suite: { name: 'every', version: 1, attacks: norm === 'l2' ? [...everyNorm, ...l2Only] : everyNorm },
      limits: { seconds: 300, batch: 64, workers: 1 },
      ...rest,
    },
  )
  return evaluate(request, effectsOf(realChildren(worker).startChild))
}

/** The file, but for the time. */
function text({ cost, ...results }: Results): string {
  return formatResults({ ...results, cost: { ...cost, seconds: 0 } })
}

/** Image i of what is returned is image order[i]. */
function permuted(data: Dataset, order: readonly number[]): Dataset {
  const size = data.pixels.length / data.samples
  const pixels = new Float32Array(data.pixels.length)
  for (const [place, index] of order.entries())
    pixels.set(data.pixels.subarray(index * size, (index + 1) * size), place * size)
  return { ...data, pixels, labels: Int32Array.from(order, (index) => data.labels[index]) }
}

/** The results with every image under the number that `order` gives its place, in samples and flags. */
function renumbered({ samples, flags, ...rest }: Results, order: readonly number[]): Results {
  const numbers = (places: readonly number[]) => places.map((place) => order[place]).toSorted((a, b) => a - b)
  return {
    ...rest,
    samples: samples.map((sample) => ({ ...sample, index: order[sample.index] })).toSorted((a, b) => a.index - b.index),
    flags: flags.map((flag) => ({ ...flag, ...(flag.samples && { samples: numbers(flag.samples) }) })),
  }
}

/** What one seed gives does not depend on how the work was done: else no baseline could be kept and no result made again. */
describe.each(['linf', 'l2', 'l1'] as const)('%s, every attack', (norm) => {
  let expected: Results
  beforeAll(async () => {
    expected = await evaluation(norm)
  })

  test('finds some images robust and breaks others, so that there is something to differ', () => {
    const robust = expected.samples.map(({ threats }) => Object.values(threats).map((threat) => threat.robust))
    expect(new Set(robust.flat()).size).toBe(2)
    expect(expected.summary.curves?.[norm]?.points.length).toBeGreaterThan(3)
  })

  test('two workers', async () => {
    const limits = { seconds: 300, batch: 64, workers: 2 }
    expect(text(await evaluation(norm, { limits }))).toBe(text(expected))
  })

  test('one image at a time instead of 64', async () => {
    const limits = { seconds: 300, batch: 1, workers: 2 }
    const alone = await evaluation(norm, { limits })
    expect(alone.tool.batch).toBe(1)
    expect(text({ ...alone, tool: expected.tool })).toBe(text(expected))
  })

  test('three shards, written to files, read and joined', async () => {
    const parts = []
    for (const index of [2, 3, 1]) {
      const results = await evaluation(norm, { shard: { index, count: 3 } })
      parts.push({ name: `results-${index}.json`, results: parseAnyResults(formatResults(results), 'results.json') })
    }
    expect(text(mergeShards(parts))).toBe(text(expected))
  })

  test('the images in another order: the same file, when they are numbered as before', async () => {
    const order = Array.from({ length: SAMPLES }, (_, place) => (place * 7 + 5) % SAMPLES)
    const moved = await evaluation(norm, { dataset: permuted(dataset, order) })
    expect(text(renumbered(moved, order))).toBe(text(expected))
  })
})

/** Another shape, with more channels, and kernels of other sizes. */
describe('pictures in colour, every attack', () => {
  const pictures = fixtureData('cifar/cifar10-test-100.npz', 6)
  const colours = (rest: Partial<EvaluationRequest> = {}) =>
    evaluation('linf', {
      model: model('cifar/cifar_base_kw.onnx'),
      dataset: pictures,
      preprocessing: { mean: [0.485, 0.456, 0.406], std: [0.225], channelOrder: 'rgb' },
      threats: [{ id: 'linf-2_255', norm: 'linf', epsilon: 2 / 255 }],
      ...rest,
    })
  let expected: Results
  beforeAll(async () => {
    expected = await colours()
  })

  test('two workers, and one image at a time', async () => {
    expect(expected.summary.clean.correct).toBeGreaterThan(2)
    const alone = await colours({ limits: { seconds: 300, batch: 1, workers: 2 } })
    expect(text({ ...alone, tool: expected.tool })).toBe(text(expected))
  })

  test('three shards in another order', async () => {
    const parts = []
    for (const index of [3, 1, 2])
      parts.push({ name: `results-${index}.json`, results: await colours({ shard: { index, count: 3 } }) })
    expect(text(mergeShards(parts))).toBe(text(expected))
  })
})

/** More images than are looked at more closely: which ones are depends on their pixels alone. */
test('sixty images in another order, on flags that some of them raise: the same file', async () => {
  const samples = 60
  const pictures = fixtureData('fashion/fashion-test.npz', samples)
  const order = Array.from({ length: samples }, (_, place) => (place * 7 + 5) % samples)
  const short = (data: Dataset) =>
    evaluation('linf', {
      model: model('fashion/fashion-standard.onnx'),
      dataset: data,
      threats: [{ id: 'linf-0.1', norm: 'linf', epsilon: 0.1 }],
      suite: { name: 'short', version: 1, attacks: [published('pgd', { steps: 2, relativeStepSize: 0.1 })] },
    })
  const expected = await short(pictures)
  expect(expected.samples.filter(({ diagnosed }) => diagnosed).length).toBeLessThan(samples)
  expect(expected.flags.filter((flag) => flag.samples).map(({ code }) => code)).toEqual(['loss-rising', 'more-steps'])
  expect(text(renumbered(await short(permuted(pictures, order)), order))).toBe(text(expected))
})
