import { expect, test } from '@jest/globals'
import { compare } from '../../src/comparison/compare.js'
import { parseGateShard } from '../../src/comparison/gateShard.js'
import type { GateShard } from '../../src/comparison/gateShard.js'
import { joinShards } from '../../src/comparison/joinShards.js'
import type { NamedShard } from '../../src/comparison/joinShards.js'
import type { Transfer } from '../../src/comparison/types.js'
import { parseConfig } from '../../src/config/parse.js'
import { UsageError } from '../../src/errors.js'
import type { Results } from '../../src/evaluation/results.js'
import { imagesOfShard } from '../../src/evaluation/shards.js'
import { fates, handmadeBaseline, handmadeResults } from './handmade.js'

const candidate = handmadeResults(fates('R', 20, 'p', 40))
const baseline = handmadeBaseline(fates('R', 50, 'p', 10))
const { policy } = parseConfig({})
const commit = 'c0ffee'.padEnd(40, '0')

function slice(results: Results, index: number, count: number): Results {
  const images = new Set(imagesOfShard({ index, count }, results.samples.length))
  return { ...results, shard: { index, count }, samples: results.samples.filter((sample) => images.has(sample.index)) }
}

function part(index: number, count = 3, record: Partial<GateShard> = {}, rest: Partial<NamedShard> = {}): NamedShard {
  const shard = { index, count }
  return {
    name: `shards/${index}`,
    record: {
      ...{ schema: 'robustness-gate/shard/1', gate: 'Robustness gate', commit, shard, baseline: 'present', notes: [] },
      ...record,
    },
    ...{ candidate: slice(candidate, index, count), baseline: slice(baseline, index, count), ...rest },
  }
}

function refusal(parts: readonly NamedShard[]): string {
  try {
    joinShards(parts)
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  throw new Error('it was accepted')
}

test('shards in any order are compared as the whole is', () => {
  const joined = joinShards([part(3), part(1), part(2)])
  const [own, whole] = [joined, { candidate, baseline }].map(({ candidate: now, baseline: then }) => {
    if (now === undefined) throw new Error('nothing was joined')
    return compare(now, then, policy)
  })
  expect(own).toEqual(whole)
})

test('images on which each model’s adversarial examples were tried are counted over all shards', () => {
  const tried = (index: number): readonly Transfer[] => [
    { from: 'candidate', to: 'baseline', threat: 'linf-0.1', tried: 4, fooled: [index - 1, index + 2] },
  ]
  const parts = [2, 3, 1].map((index) => part(index, 3, { transfer: [...tried(index)].map(open) }))
  expect(joinShards(parts).transfer).toEqual([
    { from: 'candidate', to: 'baseline', threat: 'linf-0.1', tried: 12, fooled: [0, 1, 2, 3, 4, 5] },
  ])
  // Where one shard could not try them, nothing is said of the whole.
  expect(joinShards([part(1), ...parts.slice(0, 2)]).transfer).toBeUndefined()
})

function open({ fooled, ...trial }: Transfer): NonNullable<GateShard['transfer']>[number] {
  return { ...trial, fooled: [...fooled] }
}

test('a baseline that was known as a whole is that of all, also where a shard had to evaluate its part', () => {
  const known = { baseline }
  expect(joinShards([part(1, 2, {}, known), part(2, 2, {}, known)]).baseline).toBe(baseline)
  expect(joinShards([part(1, 2), part(2, 2, {}, known)]).baseline).toBe(baseline)
  const other = { ...baseline, model: { ...baseline.model, sha256: 'd'.repeat(64) } }
  expect(refusal([part(1, 2, {}, known), part(2, 2, {}, { baseline: other })])).toMatch(
    /^shards\/2\/baseline\.json: is of another baseline than shards\/1\/baseline\.json/,
  )
})

test('why there is no baseline is told of the whole', () => {
  const broken = { baseline: 'broken', why: 'b.onnx: is empty', notes: ['A note.'] } as const
  const parts = [1, 2].map((index) => part(index, 2, { ...broken, notes: ['A note.'] }, { baseline: undefined }))
  expect(joinShards(parts)).toMatchObject({
    ...{ absence: { state: 'broken', why: 'b.onnx: is empty' }, notes: ['A note.'] },
  })
})

test.each([
  ['one is missing', [part(1), part(3)], 'of 3 shards this is missing: 2/3; give the results.json of each'],
  ['one is there twice', [part(1), part(2), part(2), part(3)], 'is shard 2/3, and so is shards/2'],
  [
    'they are of several wholes',
    [part(1), part(2, 4)],
    'shards/2: is one of 4, baseline present, and shards/1 is one of 3',
  ],
  [
    'one found no baseline',
    [part(1, 2), part(2, 2, { baseline: 'missing' }, { baseline: undefined })],
    'baseline missing',
  ],
  ['one lost its results', [part(1, 2), part(2, 2, {}, { candidate: undefined })], 'shards/2: says it is shard 2/2'],
  [
    'one is of another model',
    [part(1, 2), part(2, 2, {}, { candidate: slice(baseline, 2, 2) })],
    'shards/2/results.json: is a shard of another evaluation than shards/1/results.json',
  ],
] as const)('refused, with its name: %s', (_, parts, words) => {
  expect(refusal(parts)).toContain(words)
})

test.each([
  ['no JSON', '{', /^a\/shard\.json: is not what a shard writes \(.*; run that shard again$/],
  ['another schema', '{"schema": "robustness-gate/shard/2"}', /schema/],
  ['a commit that is none', JSON.stringify({ ...part(1).record, commit: '../..' }), /commit/],
  ['a note without end', JSON.stringify({ ...part(1).record, notes: ['x'.repeat(3_000)] }), /notes\.0/],
])('a shard.json that is none is refused: %s', (_, text, words) => {
  expect(() => parseGateShard(text, 'a/shard.json')).toThrow(words)
})
