import { describe, expect, test } from '@jest/globals'
import type { AttackSpec } from '../../src/config/attackTypes.js'
import { evaluateImage, type ImageResult } from '../../src/engine/image.js'
import { loadModel } from '../../src/engine/load.js'
import { Scheduler } from '../../src/engine/scheduler.js'
import { dataset, fixture, imagesOf, loadRequest } from './support/fixtures.js'

/** What PyTorch 1.13 found on the first 200 images at ε = 0.1: FGSM, and PGD of 40 steps of 0.01 without a random start. */
interface Golden {
  readonly clean: readonly number[]
  readonly label: readonly number[]
  readonly fgsm_predicted: readonly number[]
  readonly pgd_ever_broken: readonly number[]
}

const attacks: readonly AttackSpec[] = [
  { name: 'fgsm', id: 'fgsm', loss: 'cross-entropy', survivorsOnly: false },
  {
    name: 'pgd',
    id: 'pgd',
    loss: 'cross-entropy',
    survivorsOnly: false,
    steps: 40,
    stepSize: 0.01,
    randomStart: false,
    restarts: 1,
  },
]

const golden = JSON.parse(fixture('fashion/golden.json').toString()) as Readonly<Record<string, Golden>>
const data = dataset('fashion/fashion-test.npz', 200)

async function evaluate(name: string, batch: number): Promise<ImageResult[]> {
  const { engine, plan } = await loadModel(loadRequest(name, data, { attacks, batch }))
  const results: ImageResult[] = []
  const scheduler = new Scheduler<ImageResult>(engine, (result) => results.push(result))
  await scheduler.run(imagesOf(data).map((task) => evaluateImage(task, plan)))
  return results.toSorted((a, b) => a.outcome.index - b.outcome.index)
}

describe.each(['standard', 'hardened'])('fashion-%s under the attacks that PyTorch ran', (name) => {
  let outcomes: ImageResult['outcome'][]
  test('clean predictions are the same', async () => {
    outcomes = (await evaluate(`fashion/fashion-${name}.onnx`, 64)).map(({ outcome }) => outcome)
    expect(outcomes.map(({ label }) => label)).toEqual(golden[name].label)
    expect(outcomes.map(({ predicted }) => predicted)).toEqual(golden[name].clean)
  })

  // PyTorch rounds steps and projections to float32 and overshoots ε by some 1e-8: one image may sit on that edge.
  test.each([
    ['fgsm', (index: number) => golden[name].fgsm_predicted[index] !== golden[name].label[index]],
    ['pgd', (index: number) => golden[name].pgd_ever_broken[index] === 1],
  ])('%s breaks the same images, but for one at most', (attack, broken) => {
    const right = outcomes.filter(({ predicted, label }) => predicted === label)
    const differing = right.filter(
      ({ index, threats }) => threats['linf-0.1'].attacks[attack].success !== broken(index),
    )
    expect(right.length).toBeGreaterThan(150)
    expect(differing.length).toBeLessThanOrEqual(1)
  })
})

test('the size of the batch does not decide whether an image is robust', async () => {
  const [one, other] = [
    await evaluate('fashion/fashion-hardened.onnx', 16),
    await evaluate('fashion/fashion-hardened.onnx', 48),
  ]
  // Equality to the bit is promised for one size of batch and one kind of CPU; what it decides should not hang on a bit.
  const successes = (results: ImageResult[]) => results.map(({ outcome }) => outcome.threats['linf-0.1'].robust)
  expect(successes(one)).toEqual(successes(other))
})
