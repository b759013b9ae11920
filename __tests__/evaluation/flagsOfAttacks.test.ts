import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { published } from '../../src/config/attackSchemas.js'
import type { Dataset } from '../../src/data/types.js'
import { meansMasked } from '../../src/engine/flagTable.js'
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

  /** The second chance that gradients get where search alone broke an image must not talk such a model out of its flag. */
  test('a sigmoid as steep as a step, and a suite that searches, too: masked-gradients', async () => {
    const attacks = [
      published('apgd', { id: 'apgd-ce', steps: 20 }),
      published('square', { queries: 500, survivorsOnly: true }),
    ]
    const results = await evaluated(plant(healthy, FAULTS['steep sigmoid']), dataset, FLAGS, attacks)
    expect(codes(results)).toContain('masked-gradients')
    // What else is said of it is true: it is flat nearly everywhere.
    const others = results.flags.filter((flag) => !meansMasked(flag) && flag.code !== 'no-gradient')
    expect(others).toEqual([])
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
