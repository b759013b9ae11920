import { beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { UsageError } from '../../src/errors.js'
import { evaluate } from '../../src/evaluation/evaluate.js'
import type { EvaluationRequest } from '../../src/evaluation/evaluate.js'
import { mergeShards } from '../../src/evaluation/merge.js'
import type { NamedResults } from '../../src/evaluation/merge.js'
import type { Results } from '../../src/evaluation/results.js'
import { formatResults, parseAnyResults, parseResults } from '../../src/evaluation/resultsFile.js'
import { imagesOfShard, parseShard } from '../../src/evaluation/shards.js'
import { effectsOf, ramp, realChildren, requestOf } from './support.js'

const SAMPLES = 50
const noticed = { signsFrom: 40, flags: [{ code: 'surrogate', message: 'Round has a straight-through gradient' }] }

function evaluation(rest: Partial<EvaluationRequest> = {}): Promise<Results> {
  return evaluate(requestOf(SAMPLES, noticed, rest), effectsOf(realChildren().startChild))
}

/** As `merge` gets it: written to a file and read again. */
async function shard(index: number, count: number, rest: Partial<EvaluationRequest> = {}): Promise<NamedResults> {
  const name = `results-${index}.json`
  const results = await evaluation({ shard: { index, count }, ...rest })
  return { name, results: parseAnyResults(formatResults(results), name) }
}

function refusal(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  throw new Error('it was accepted')
}

test('the shards of any number of images hold each image once, and are of one size but for one image', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.nat({ max: 300 }), (count, more) => {
      const samples = count + more
      const parts = Array.from({ length: count }, (_, place) => imagesOfShard({ index: place + 1, count }, samples))
      const all = parts.flat().sort((one, other) => one - other)
      expect(all).toEqual(Array.from({ length: samples }, (_, index) => index))
      const sizes = parts.map(({ length }) => length)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    }),
  )
})

test('I/N is understood, and what is none is refused before anything is attacked', () => {
  expect(parseShard('1/1')).toEqual({ index: 1, count: 1 })
  expect(parseShard(' 3 / 8 ')).toEqual({ index: 3, count: 8 })
  for (const written of ['0/3', '4/3', '3', '1/', '-1/3', '1/257', '1.5/3', '1/3/5', ''])
    expect(refusal(() => parseShard(written))).toMatch(/^--shard: .*like 1\/8/)
  expect(refusal(() => imagesOfShard({ index: 1, count: 3 }, 2))).toMatch(/at most 2/)
})

test('three shards, joined in any order, are the whole to the byte', async () => {
  const whole = formatResults(await evaluation())
  const parts = [await shard(3, 3), await shard(1, 3), await shard(2, 3)]
  expect(parts.map(({ results }) => results.samples.length)).toEqual([16, 17, 17])
  expect(formatResults(mergeShards(parts))).toBe(whole)
  expect(formatResults(mergeShards(parts.toReversed()))).toBe(whole)
  // Ten images of 50 from the 40th on: spread over the shards, united in the whole.
  const { flags } = mergeShards(parts)
  expect(flags.find(({ code }) => code === 'no-prediction')?.samples).toEqual([40, 41, 42, 43, 44, 45, 46, 47, 48, 49])
})

test('a shard alone is not taken for the whole', async () => {
  const { results } = await shard(2, 3)
  expect(refusal(() => parseResults(formatResults(results), 'results.json'))).toBe(
    'results.json: holds shard 2/3 of the images only; join all 3 with `robustness-gate merge`',
  )
})

test('a shard that holds other images than its own is refused', async () => {
  const { results } = await shard(2, 3)
  const claims = (changes: Partial<Results>) => () =>
    parseAnyResults(JSON.stringify({ ...results, ...changes }), 'a.json')
  expect(refusal(claims({ shard: { index: 1, count: 3 } }))).toMatch(/image 1 is not of shard 1\/3/)
  expect(refusal(claims({ shard: { index: 5, count: 3 } }))).toMatch(/no shard 5\/3/)
  expect(refusal(claims({ samples: results.samples.slice(1) }))).toMatch(/16 of the 17 images of shard 2\/3/)
})

describe('what cannot be joined is refused with the shard that is wrong', () => {
  let firstOfTwo: NamedResults
  beforeAll(async () => {
    firstOfTwo = await shard(1, 2)
  })

  test('one that is missing', async () => {
    expect(refusal(() => mergeShards([]))).toMatch(/no shards/)
    const parts = [await shard(1, 4), await shard(3, 4)]
    expect(refusal(() => mergeShards(parts))).toMatch(/^of 4 shards these are missing: 2\/4, 4\/4;/)
  })

  test('one that is given twice', async () => {
    const [one, two] = [await shard(1, 2), await shard(2, 2)]
    expect(refusal(() => mergeShards([one, two, { ...two, name: 'copy.json' }]))).toMatch(
      /^copy\.json: is shard 2\/2, and so is results-2\.json/,
    )
  })

  test('one that is none', async () => {
    const whole = { name: 'whole.json', results: await evaluation() }
    expect(refusal(() => mergeShards([firstOfTwo, whole]))).toMatch(/^whole\.json: is no shard/)
  })

  test.each([
    ['model', { model: { name: 'model.onnx', bytes: new TextEncoder().encode('other'), external: {} } }],
    ['data', { dataset: { ...ramp(SAMPLES), sha256: '11'.repeat(32) } }],
    ['suite', { quantised: true }],
    ['threats', { threats: [{ id: 'linf-0.1', norm: 'linf' as const, epsilon: 0.1 }] }],
    ['seed', { seed: 1 }],
    ['batch', { limits: { seconds: 60, batch: 32 } }],
    ['preprocessing', { preprocessing: { mean: [0.5], std: [1], channelOrder: 'rgb' as const } }],
    ['version of the tool', { toolVersion: '1' }],
  ])('one of another %s', async (what, rest) => {
    const other = await shard(2, 2, rest)
    expect(refusal(() => mergeShards([firstOfTwo, other]))).toMatch(
      new RegExp(
        `^results-2\\.json: is a shard of another evaluation than results-1\\.json, for they differ in ${what}`,
      ),
    )
  })

  test('one of another number', async () => {
    const other = await shard(2, 3)
    expect(refusal(() => mergeShards([firstOfTwo, other]))).toMatch(/differ in number of shards/)
  })
})

test('shards of different CPUs are joined, for a matrix does not choose its machines, and a flag says so', async () => {
  const [one, { name, results }] = [await shard(1, 2), await shard(2, 2)]
  const merged = mergeShards([one, { name, results: { ...results, tool: { ...results.tool, cpu: 'another' } } }])
  expect(merged.tool.cpu).toBe('another / test')
  expect(merged.flags).toContainEqual(expect.objectContaining({ code: 'several-cpus' }))
})
