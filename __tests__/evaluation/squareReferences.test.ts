import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { AttackSchema } from '../../src/config/attackSchemas.js'
import { evaluate } from '../../src/evaluation/evaluate.js'
import { effectsOf, realChildren, requestOf } from './support.js'
import { dataset, fixture, imagesOf, model } from '../engine/support/fixtures.js'

/** Images that torchattacks' Square left robust, in each of ten runs (scripts/reference/squareSeeds.py). */
interface Reference {
  readonly model: string
  readonly norm: 'l2'
  readonly epsilon: number
  readonly samples: number
  readonly queries: number
  readonly runs: readonly { readonly robustIndices: readonly number[] }[]
}

const reference = JSON.parse(fixture('attacks/square-seeds.json').toString()) as Reference
const worker = fileURLToPath(new URL('../../.build/engine/worker.js', import.meta.url))
/** As many as there is time for: each takes some twenty seconds. */
const starts = ['square-a', 'square-b', 'square-c']

// One start of random search is a draw of luck, theirs leave 81 to 91 images: it is the means that two implementations share.
test('Square under L2 leaves at most one image more here than in torchattacks, in the mean over several starts', async () => {
  const theirs = reference.runs.map(({ robustIndices }) => robustIndices)
  // What no run of theirs broke costs most and is not tried: it counts as left here, too.
  const unbroken = theirs[0].filter((index) => theirs.every((left) => left.includes(index)))
  const data = dataset('fashion/fashion-test.npz', reference.samples)
  const images = imagesOf(data).filter(({ index }) => !unbroken.includes(index))
  const pixels = Float32Array.from(images.flatMap((image) => [...image.pixels]))
  const labels = Int32Array.from(images, ({ label }) => label)
  const spec = AttackSchema.parse({ name: 'square', restarts: 1, queries: reference.queries })
  const rest = {
    model: model(`fashion/${reference.model}.onnx`),
    dataset: { ...data, samples: images.length, pixels, labels },
    threats: [{ id: 'threat', norm: reference.norm, epsilon: reference.epsilon }],
    suite: { name: 'starts', version: 1, attacks: starts.map((id) => ({ ...spec, id, survivorsOnly: false })) },
  }
  const limits = { seconds: 1800, batch: 64, workers: 2 }
  const request = requestOf(images.length, {}, { ...rest, limits })
  const { samples } = await evaluate(request, effectsOf(realChildren(worker).startChild))
  const right = samples.filter(({ predicted, label }) => predicted === label)
  const left = starts.map(
    (id) => unbroken.length + right.filter(({ threats }) => !threats.threat.attacks[id].success).length,
  )
  expect(mean(left)).toBeLessThanOrEqual(mean(theirs.map(({ length }) => length)) + 1)
}, 1_800_000)

const mean = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0) / counts.length
