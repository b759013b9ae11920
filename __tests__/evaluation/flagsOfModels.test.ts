import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { meansMasked } from '../../src/engine/flagTable.js'
import { compare } from '../../src/comparison/compare.js'
import { published } from '../../src/config/attackSchemas.js'
import { parseConfig } from '../../src/config/parse.js'
import type { Dataset } from '../../src/data/types.js'
import type { Results } from '../../src/evaluation/results.js'
import { formatResults, parseResults } from '../../src/evaluation/resultsFile.js'
import { chosen, codes, dataFor, evaluated, fixture } from './flagged.js'
import { FAULTS, plant } from './planted.js'

describe('faults that were planted in a healthy model', () => {
  const FLAGS = { epsilon: '0.1' }
  let healthy: Buffer
  let dataset: Dataset
  beforeAll(async () => {
    healthy = await readFile(fixture('fashion/fashion-hardened.onnx'))
    dataset = await dataFor('fashion/fashion-test.npz', FLAGS, 40)
  })

  /** A flag that is missing lets a model pass that was not tested; one too many, and nobody reads them any more. */
  test.each([
    ['saturation', ['no-gradient', 'masked-gradients']],
    ['rounding', ['straight-through']],
    ['normal noise', ['randomness']],
    ['uniform noise', ['randomness']],
    ['Dropout that trains', ['randomness']],
    ['Softmax twice', ['probability-logits']],
    ['roots at 0', ['non-finite-gradient']],
    ['roots of negative numbers', ['no-prediction']],
    ['a batch that mixes', ['batch-dependent']],
    ['pixels of 0 … 255', ['wrong-range']],
    ['no rule', ['no-gradient-rule']],
  ] as const)('%s: %p and no other', async (fault, expected) => {
    const results = await evaluated(plant(healthy, FAULTS[fault]), dataset, FLAGS)
    expect(codes(results)).toEqual(expected)
  })

  test('steep sigmoid: a ball of half the range gives the masked gradients away, and nothing else is wrong', async () => {
    const { flags } = await evaluated(plant(healthy, FAULTS['steep sigmoid']), dataset, FLAGS)
    expect([...new Set(flags.map(({ code }) => code))]).toEqual(['robust-at-huge-epsilon'])
    expect(flags.every(meansMasked)).toBe(true)
  })

  test('rounding in front hides nothing: the attack goes through, by the slope of a stand-in', async () => {
    const before = await evaluated(healthy, dataset, FLAGS)
    const after = await evaluated(plant(healthy, FAULTS.rounding), dataset, FLAGS)
    const robust = ({ summary }: Results) => Math.round(40 * summary.threats['linf-0.1'].robustAccuracy)
    // Steps of 1/64 move a pixel by up to 1/128, a thirteenth of ε: what is near the border may fall to either side.
    expect(Math.abs(robust(after) - robust(before))).toBeLessThanOrEqual(2)
  })

  test('images in a fiftieth of the range that was declared', async () => {
    const narrow: Dataset = { ...dataset, range: [0, 255] }
    expect(codes(await evaluated(healthy, narrow, { range: '0,255', epsilon: '0.1' }))).toEqual(['narrow-range'])
  })

  test('pixels as they are, for a model that was trained on those with ImageNet’s mean and deviation', async () => {
    const cifar = await readFile(fixture('cifar/cifar_base_kw.onnx'))
    const plain = { epsilon: '2/255', suite: 'quick' }
    const results = await evaluated(cifar, await dataFor('cifar/cifar10-test-100.npz', plain, 40), plain)
    expect(codes(results)).toEqual(['wrong-range'])
    expect(results.flags[0].message).toMatch(/ fed pixels with the mean and standard deviation of ImageNet: declare /)
  })

  test('labels that are the classes plus 1', async () => {
    const shifted: Dataset = { ...dataset, labels: dataset.labels.map((label) => (label + 9) % 10) }
    expect(codes(await evaluated(healthy, shifted, FLAGS))).toEqual(['label-shift'])
  })

  test('labels that count the classes of the data alone', async () => {
    // Of ten classes the last three, numbered from 0.
    const wide = await dataFor('fashion/fashion-test.npz', FLAGS, 120)
    const subset = chosen(
      wide,
      (label) => label >= 7,
      (label) => label - 7,
    )
    expect(subset.samples).toBeGreaterThan(20)
    expect(codes(await evaluated(healthy, subset, FLAGS))).toEqual(['label-range'])
  })

  test('two classes, for which DLR is not defined', async () => {
    const pair = chosen(await dataFor('fashion/fashion-test.npz', FLAGS, 120), (label) => label < 2)
    const attacks = [published('apgd', { loss: 'dlr', steps: 20 })]
    const results = await evaluated(plant(healthy, FAULTS['two classes']), pair, FLAGS, attacks)
    expect(codes(results)).toEqual(['loss-fallback'])
  })

  test('a suite that is much too short: more steps are called for', async () => {
    const attacks = [published('pgd', { steps: 2, relativeStepSize: 0.1, randomStart: false })]
    const model = await readFile(fixture('fashion/fashion-standard.onnx'))
    expect(codes(await evaluated(model, dataset, FLAGS, attacks))).toEqual(['loss-rising', 'more-steps'])
  })

  test('without a gradient search alone attacks, is named in the results, and a pass is inconclusive', async () => {
    const candidate = await evaluated(plant(healthy, FAULTS['no rule']), dataset, FLAGS)
    const baseline = await evaluated(healthy, dataset, FLAGS)
    expect(candidate.model.gradient).toBe(false)
    expect(candidate.cost.gradients).toBe(0)
    expect(candidate.suite.attacks.map(({ id, fallback }) => [id, fallback])).toEqual([
      ['fgsm', undefined],
      ['pgd', undefined],
      ['pgd-margin', undefined],
      ['square', true],
      ['noise', true],
    ])
    expect(Object.keys(candidate.summary.threats['linf-0.1'].attacks)).toEqual(['square', 'noise'])
    // Square finds less than gradients do, but what it finds is true.
    const robust = ({ samples }: Results) => samples.filter(({ threats }) => threats['linf-0.1'].robust).length
    expect(robust(candidate)).toBeLessThan(candidate.summary.clean.correct)
    expect(robust(candidate)).toBeGreaterThanOrEqual(robust(baseline))
    expect(candidate.flags[0].message).toMatch(/ai\.onnx\.ml\.Imputer \(node "imputed"\)/)
    expect(parseResults(formatResults(candidate), 'results.json')).toEqual(candidate)

    const { verdict, rows } = compare(candidate, baseline, parseConfig({ flags: FLAGS }).policy)
    expect(verdict.outcome).toBe('inconclusive')
    expect(verdict.reasons.map(({ code }) => code)).toContain('masked-gradients')
    // No attack was run on both.
    expect(rows.map(({ kind }) => kind)).toEqual(['clean', 'worst-case'])
  })
})
