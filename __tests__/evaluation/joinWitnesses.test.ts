import { expect, test } from '@jest/globals'
import { readNpz, writeNpz } from '../../src/data/npz.js'
import type { NpyArray } from '../../src/data/npy.js'
import { UsageError } from '../../src/errors.js'
import { joinWitnesses } from '../../src/evaluation/joinWitnesses.js'
import type { NamedArchive } from '../../src/evaluation/joinWitnesses.js'
import { parseResults } from '../../src/evaluation/resultsFile.js'
import { smallestResults } from '../support/github/results.js'

/** What a job that judges believes of the images that other jobs say fool a model: nothing their results contradict. */

const smallest = parseResults(smallestResults, 'results.json')
const threat = 'linf-0.1'

/** Images 0, 2 and 4 of two classes; the last one is robust. */
const results: NamedArchive['results'] = {
  ...smallest,
  samples: [0, 2, 4].map((index) => ({
    ...{ index, label: 1, predicted: 1 },
    threats: { [threat]: { robust: index === 4, attacks: {} } },
  })),
}

const integers = (...values: readonly number[]): NpyArray => ({
  ...{ type: 'i8', shape: [values.length], data: BigInt64Array.from(values, BigInt) },
})
const points = (...values: readonly number[]): NpyArray => ({
  ...{ type: 'f4', shape: [values.length / 2, 1, 2], data: Float32Array.from(values) },
})
const honest = { x: points(0.25, 0.5, 0, 1), index: integers(0, 2), label: integers(1, 1), predicted: integers(0, 0) }

function archive(changes: Readonly<Record<string, NpyArray>> = {}): NamedArchive {
  return { name: 'one/examples.npz', bytes: writeNpz({ ...honest, ...changes }), results }
}

const joined = (...archives: readonly NamedArchive[]) => joinWitnesses(archives, threat)

test('images come in the order of the data, whichever shard they are of, with their own label and prediction', () => {
  const [sample] = results.samples
  const other: NamedArchive = {
    name: 'other/examples.npz',
    results: { ...results, samples: [{ ...sample, index: 1, label: 0 }] },
    bytes: writeNpz({ x: points(0.75, 0.125), index: integers(1), label: integers(0), predicted: integers(1) }),
  }
  const { x, index, label, predicted } = readNpz(joined(archive(), other), 'joined', [
    ...(['x', 'index', 'label', 'predicted'] as const),
  ])
  expect(x).toEqual(points(0.25, 0.5, 0.75, 0.125, 0, 1))
  expect([index, label, predicted]).toEqual([integers(0, 1, 2), integers(1, 0, 1), integers(0, 1, 0)])
})

test('a shard in which nothing was broken adds nothing', () => {
  const none = { x: { ...points(), shape: [0, 1, 2] }, index: integers(), label: integers(), predicted: integers() }
  expect(joined(archive(), archive(none))).toEqual(archive().bytes)
})

test.each<[string, Readonly<Record<string, NpyArray>>, RegExp]>([
  ['a pixel that is no number', { x: points(0.25, NaN, 0, 1) }, /a pixel outside 0 … 1/],
  ['a pixel out of bounds', { x: points(0.25, 1.5, 0, 1) }, /a pixel outside 0 … 1/],
  ['pixels of another type', { x: { ...points(), type: 'u1', data: new Uint8Array() } }, /x is not float32/],
  ['numbers for fewer images', { label: integers(1) }, /not one integer for each row/],
  ['an image of another shard', { index: integers(0, 3) }, /row 1 is of image 3/],
  ['an image that is robust', { index: integers(0, 4) }, /row 1 is of image 4/],
  ['pixels of no size', { x: { ...points(), shape: [2, 0] } }, /x is not float32/],
  [
    'more images than are broken',
    { x: points(0, 0, 0, 0, 0, 0), index: integers(0, 2, 4), label: integers(1, 1, 1), predicted: integers(0, 0, 0) },
    /3 images, of which its results call 2 broken/,
  ],
  ['an image twice', { index: integers(2, 2) }, /row 1 is of image 2/],
  ['another label', { label: integers(1, 0) }, /label otherwise/],
  ['a prediction that is right', { predicted: integers(0, 1) }, /predicted as 1, which is no other class/],
  ['a class that is none', { predicted: integers(0, 2) }, /predicted as 2, which is no other class/],
])('%s is refused, by the archive’s name', (_, changes, words) => {
  const refused = () => joined(archive(changes))
  expect(refused).toThrow(UsageError)
  expect(refused).toThrow(/^one\/examples\.npz: is not what a shard writes/)
  expect(refused).toThrow(words)
})

test('images of two shapes, and no archive at all', () => {
  const other = { ...archive({ x: { ...honest.x, shape: [2, 2] } }), name: 'other/examples.npz' }
  expect(() => joined(archive(), other)).toThrow(/^other\/examples\.npz: holds images of another shape than one/)
  expect(() => joined({ ...archive(), bytes: Buffer.from('no zip') })).toThrow(/is not a readable \.npz archive/)
})
