import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { published } from '../../src/config/attackSchemas.js'
import type { Dataset } from '../../src/data/types.js'
import { meansMasked } from '../../src/engine/flagTable.js'
import { beatenWithoutGradient } from '../../src/evaluation/attackEvidence.js'
import { mergeShards } from '../../src/evaluation/merge.js'
import { codes, dataFor, evaluated, fixture } from './flagged.js'
import { FAULTS, plant } from './planted.js'

const FLAGS = { epsilon: '0.1' }
let healthy: Buffer
let dataset: Dataset
beforeAll(async () => {
  healthy = await readFile(fixture('fashion/fashion-standard.onnx'))
  dataset = await dataFor('fashion/fashion-test.npz', FLAGS, 40)
})

describe('faults that only what the attacks did can show, planted in a healthy model', () => {
  test('a batch that mixes what no image that it is tried on has: unstable-logits and no other', async () => {
    const results = await evaluated(plant(healthy, FAULTS['a batch that mixes what is dark']), dataset, FLAGS)
    expect(codes(results)).toEqual(['unstable-logits'])
  })

  test.each([
    ['linf', '0.1'],
    ['l2', '1.5'],
  ])('shattered gradients in %s: single-step-wins and no other', async (norm, epsilon) => {
    const results = await evaluated(plant(healthy, FAULTS['low ripples']), dataset, { norm, epsilon })
    expect(codes(results)).toEqual(['single-step-wins'])
  })

  /** An attack that the suite has not, strong enough to break such a model, must not talk it out of its flag. */
  test.each(['low ripples', 'high ripples'] as const)(
    '%s, and a suite that searches: masked-gradients',
    async (fault) => {
      const attacks = [published('pgd'), published('square', { queries: 100 })]
      expect(codes(await evaluated(plant(healthy, FAULTS[fault]), dataset, FLAGS, attacks))).toContain(
        'masked-gradients',
      )
    },
  )

  /** Nor must what the suite has for survivors, where it breaks nothing. */
  test('a sigmoid as steep as a step, and a suite that searches, too: masked-gradients', async () => {
    const attacks = [
      published('apgd', { id: 'apgd-ce', steps: 20 }),
      published('square', { queries: 500, survivorsOnly: true }),
      published('apgd', { id: 'apgd-margin', loss: 'margin', steps: 20, survivorsOnly: true }),
    ]
    const results = await evaluated(plant(healthy, FAULTS['steep sigmoid']), dataset, FLAGS, attacks)
    expect(codes(results)).toContain('masked-gradients')
    // What else is said of it is true: it is flat nearly everywhere.
    const others = results.flags.filter((flag) => !meansMasked(flag) && flag.code !== 'no-gradient')
    expect(others).toEqual([])
  })

  /** Else whoever adds noise that nobody sees has a pass for what would be inconclusive. */
  test('the same behind noise that changes no answer: it draws numbers, and masks its gradients all the same', async () => {
    const attacks = [
      published('pgd', { steps: 5, randomStart: false }),
      published('square', { queries: 200, survivorsOnly: true }),
    ]
    const fault = FAULTS['steep sigmoid behind a breath of noise']
    const flags = codes(await evaluated(plant(healthy, fault), dataset, FLAGS, attacks))
    expect(flags).toEqual(expect.arrayContaining(['randomness', 'masked-gradients']))
  })

  /** As in `autoattack`, where Square comes before the ascent from larger balls. */
  test('a healthy model that search breaks before the ascent which breaks it, too, has its turn: no flag', async () => {
    const weak = published('pgd', { steps: 1, relativeStepSize: 0.1, randomStart: false })
    const square = published('square', { queries: 300, survivorsOnly: true })
    const margin = published('apgd', { id: 'apgd-margin', loss: 'margin', largerBalls: true, survivorsOnly: true })
    const results = await evaluated(healthy, dataset, FLAGS, [weak, square, margin])
    const beaten = results.samples.filter((sample) => beatenWithoutGradient(sample, [weak, square, margin]))
    expect(beaten.length).toBeGreaterThanOrEqual(3)
    expect(codes(results)).toEqual([])
  })

  test('a change that is undone by as much again: accuracy-rises and no other', async () => {
    // A quarter of a level is the crest of a ripple, half of one its end: a step into the corner is as good as none there.
    const attacks = [published('bim', { steps: 1, relativeStepSize: 1 }), published('pgd')]
    const results = await evaluated(plant(healthy, FAULTS['high ripples']), dataset, { epsilon: '0.25/255' }, attacks)
    expect(codes(results)).toEqual(['accuracy-rises'])
  })
})

test('shards from two kinds of machine: several-cpus and no other', async () => {
  const part = async (index: number, cpu: string) => ({
    name: `results-${index}.json`,
    results: await evaluated(healthy, dataset, FLAGS, undefined, { shard: { index, count: 2 }, cpu }),
  })
  const merged = mergeShards([await part(1, 'one'), await part(2, 'another')])
  expect(codes(merged)).toEqual(['several-cpus'])
  expect(codes(mergeShards([await part(1, 'one'), await part(2, 'one')]))).toEqual([])
})
