import { afterEach, expect, test } from '@jest/globals'
import { zipSync } from 'fflate'
import { readNpz, writeNpz } from '../../src/data/npz.js'
import type { NpyArray } from '../../src/data/npy.js'
import { parseGateShard } from '../../src/comparison/gateShard.js'
import { parseConfig } from '../../src/config/parse.js'
import type { Results } from '../../src/evaluation/results.js'
import { parseResults } from '../../src/evaluation/resultsFile.js'
import { UsageError } from '../../src/errors.js'
import type { Log } from '../../src/jobs/services.js'
import { shardExamples } from '../../src/jobs/shardExamples.js'
import { smallestResults } from '../support/github/results.js'

/** The job that joins shards holds a token, and what it is given may be a stranger's: neither its memory nor its verdict is theirs. */

const threat = 'linf-0.1'
const file = `adversarial-${threat}.npz`
const config = parseConfig({ flags: { epsilon: '0.1' } })

const told: string[] = []
const tell = (kind: string) => (message: string) => void told.push(`${kind}: ${message}`)
const log: Log = { info: tell('info'), warning: tell('warning'), error: tell('error'), block: tell('block') }
afterEach(() => {
  told.length = 0
})

/** In which this one image of label 0 is broken. */
function candidate(index: number): Results {
  const results = parseResults(smallestResults, 'results.json')
  const [sample] = results.samples
  return { ...results, samples: [{ ...sample, index, threats: { [threat]: { robust: false, attacks: {} } } }] }
}

const integer = (value: number): NpyArray => ({ type: 'i8', shape: [1], data: BigInt64Array.of(BigInt(value)) })

function archive(index: number, pixel = 0.5): Uint8Array {
  const x: NpyArray = { type: 'f4', shape: [1, 1], data: Float32Array.of(pixel) }
  return writeNpz({ x, index: integer(index), label: integer(0), predicted: integer(1) })
}

/** An archive of zeros of which nothing is unpacked here: its directory says what it would be. */
function claiming(bytes: number): Uint8Array {
  return zipSync({ 'x.npy': new Uint8Array(bytes) }, { level: 1 })
}

async function joined(...archives: readonly (Uint8Array | UsageError | undefined)[]) {
  const examples = shardExamples(config, log)
  const limits: (number | undefined)[] = []
  for (const [index, bytes] of archives.entries()) {
    const shard = { ...{ name: `shard-${index + 1}`, candidate: candidate(index) }, record: record(index) }
    await examples.take(shard, (_, limit) => {
      limits.push(limit)
      return bytes instanceof UsageError ? Promise.reject(bytes) : Promise.resolve(bytes)
    })
  }
  return { files: examples.joined(), limits }
}

function record(index: number) {
  const shard = { index: index + 1, count: 9 }
  const gate = { schema: 'robustness-gate/shard/1', gate: 'Digits', commit: 'c0ffee'.padEnd(40, '0') }
  return parseGateShard(JSON.stringify({ ...gate, shard, baseline: 'none', notes: [] }), 'shard.json')
}

test('what all shards have brought is joined', async () => {
  const { files } = await joined(archive(0), archive(1))
  expect(Object.keys(files)).toEqual([file])
  expect([...readNpz(files[file], file, ['index']).index.data]).toEqual([0n, 1n])
  expect(told).toEqual([])
})

test('shards that together unpack to over 256 MiB cost their examples, before anything is unpacked, and no verdict', async () => {
  // Each is within what one shard may have, and is a few hundred kilobytes as it comes.
  const large = claiming(100 * 2 ** 20)
  expect(large.length).toBeLessThan(2 ** 20)
  const before = process.memoryUsage().arrayBuffers
  const { files, limits } = await joined(large, large, large, large)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * 2 ** 20)
  expect(files).toEqual({})
  expect(told).toEqual([
    expect.stringMatching(/^info: Up to shard-3\/adversarial-linf-0\.1\.npz .* over 268435456 bytes/),
  ])
  // The fourth is not even read, and none may be larger than all of them.
  expect(limits).toHaveLength(3)
  for (const limit of limits) expect(limit).toBeLessThan(2 ** 28 + 2 ** 17)
})

test.each<[string, Uint8Array | UsageError, RegExp]>([
  ['contradicts its results', archive(7), /^warning: shard-2\/.* is not what a shard writes/],
  ['lies outside the bounds', archive(1, 2), /^warning: shard-2\/.*\(a pixel outside/],
  [
    'has millions of numbers for one image',
    zipSync({ 'index.npy': new Uint8Array(2 ** 20) }, { level: 1 }),
    /^warning: shard-2\/.* has over 65560 bytes beside its pixels/,
  ],
  ['is no archive', Buffer.from('no zip'), /^warning: shard-2\/.* is not a readable zip archive/],
  ['cannot be read', new UsageError('shard-2 has no such file'), /^warning: shard-2 has no such file; no adversarial-/],
])('an archive that %s is told once, and costs the examples alone', async (_, bytes, words) => {
  expect((await joined(archive(0), bytes, archive(2))).files).toEqual({})
  expect(told).toEqual([expect.stringMatching(words)])
})

test('of shards of which one brings none nothing is kept', async () => {
  expect((await joined(archive(0), undefined)).files).toEqual({})
  expect(told).toEqual([`info: Only 1 of 2 shards have ${file}, so it is not kept.`])
})
