import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { AttackSpec, FgsmSpec, PgdSpec } from '../../src/config/attackTypes.js'
import type { AttackPlan } from '../../src/engine/attackPlan.js'
import { evaluateImage, type ImageResult } from '../../src/engine/image.js'
import { SampleOutcomeSchema } from '../../src/engine/messages.js'
import { Scheduler } from '../../src/engine/scheduler.js'
import { binaryLinear, converse, type FakeModel } from '../attacks/support/linear.js'
import { recordingEngine } from './support/fakeEngine.js'

const fgsm: FgsmSpec = { name: 'fgsm', id: 'fgsm', loss: 'cross-entropy', survivorsOnly: false }
const pgd: PgdSpec = {
  name: 'pgd',
  id: 'pgd',
  loss: 'cross-entropy',
  survivorsOnly: false,
  steps: 5,
  relativeStepSize: 0.25,
  randomStart: true,
  restarts: 1,
}
const plan = (attacks: readonly AttackSpec[], epsilons = [0.125]): AttackPlan => ({
  threats: epsilons.map((epsilon) => ({ id: `linf-${epsilon}`, norm: 'linf', epsilon })),
  attacks,
  gradient: true,
  bounds: [0, 1],
  seed: 3,
  classes: 2,
  shape: [2],
  layout: 'flat',
  preprocessing: { mean: [0], std: [1] },
  quantised: false,
})

/** x ↦ [0, x₀ − ½]: label 0 below one half. The margin of an image at 0.4 is 0.1. */
const threshold = binaryLinear([1, 0], -0.5)
const image = (first: number, label = 0) => ({ index: 4, label, pixels: Float32Array.of(first, 0.5) })

test('an image that is wrong before any attack is not robust, and nothing is spent on it', () => {
  const { result, asked } = converse(evaluateImage(image(0.4, 1), plan([fgsm, pgd])), threshold)
  expect(asked.map(({ kind }) => kind)).toEqual(['prediction'])
  expect(result.outcome).toEqual({
    index: 4,
    label: 1,
    predicted: 0,
    threats: { 'linf-0.125': { robust: false, attacks: {} } },
  })
})

test('a broken image: success, what the model says and how far the witness is', () => {
  const { result } = converse(evaluateImage(image(0.4375), plan([fgsm])), threshold)
  // 0.4375 + 0.125 = 0.5625, the other pixel has no gradient; exact in binary.
  expect(result.outcome.threats).toEqual({
    'linf-0.125': { robust: false, attacks: { fgsm: { success: true, predicted: 1, distance: 0.125 } } },
  })
  expect(result.witnesses).toEqual({ 'linf-0.125': Float32Array.of(0.5625, 0.5) })
})

test('each threat is judged alone', () => {
  const { result } = converse(evaluateImage(image(0.375), plan([fgsm], [0.0625, 0.25])), threshold)
  expect(result.outcome.threats['linf-0.0625'].robust).toBe(true)
  expect(result.outcome.threats['linf-0.25'].robust).toBe(false)
  expect(Object.keys(result.witnesses)).toEqual(['linf-0.25'])
})

test('a suite that stopped after FGSM would call an image robust that PGD breaks', () => {
  // A ridge: one step of ε lands behind it (right again), smaller steps stop on it. Class 1 only for 0.45 < x₀ < 0.5.
  const logits = (point: Float32Array) =>
    point[0] > 0.45 && point[0] < 0.5 ? Float32Array.of(0, 1) : Float32Array.of(1, 0)
  const ridge: FakeModel = {
    predict: logits,
    gradient: (point) => ({ logits: logits(point), value: 0, gradient: Float32Array.of(1, 0) }),
  }
  const small: PgdSpec = { ...pgd, randomStart: false }
  const { outcome } = converse(evaluateImage(image(0.4), plan([fgsm, small])), ridge).result
  expect(outcome.threats['linf-0.125'].attacks.fgsm.success).toBe(false)
  expect(outcome.threats['linf-0.125'].attacks.pgd.success).toBe(true)
  expect(outcome.threats['linf-0.125'].robust).toBe(false)
})

test('a point that fools only the gradient model breaks nothing: a gate that skipped the replay fails here', () => {
  const always = Float32Array.of(0, 1)
  const surrogate: FakeModel = {
    predict: () => Float32Array.of(1, 0),
    gradient: () => ({ logits: always, value: 0, gradient: Float32Array.of(1, 1) }),
  }
  const { outcome, witnesses } = converse(evaluateImage(image(0.4), plan([fgsm, pgd])), surrogate).result
  expect(outcome.threats['linf-0.125'].robust).toBe(true)
  expect(outcome.threats['linf-0.125'].attacks).toMatchObject({ fgsm: { success: false }, pgd: { success: false } })
  expect(witnesses).toEqual({})
})

describe('an attack for survivors only', () => {
  const second: AttackSpec = { ...pgd, id: 'pgd-margin', loss: 'margin', survivorsOnly: true }

  test('is left out where an earlier attack broke the image under this threat, and only there', () => {
    const { outcome } = converse(evaluateImage(image(0.375), plan([fgsm, second], [0.0625, 0.25])), threshold).result
    expect(Object.keys(outcome.threats['linf-0.0625'].attacks)).toEqual(['fgsm', 'pgd-margin'])
    expect(Object.keys(outcome.threats['linf-0.25'].attacks)).toEqual(['fgsm'])
  })

  test('the others run on broken images, too', () => {
    const { outcome } = converse(evaluateImage(image(0.4375), plan([fgsm, pgd])), threshold).result
    expect(outcome.threats['linf-0.125'].attacks).toMatchObject({ fgsm: { success: true }, pgd: { success: true } })
  })
})

test('of several witnesses the nearest is kept', () => {
  const { outcome, witnesses } = converse(evaluateImage(image(0.4375), plan([fgsm, pgd])), threshold).result
  const { attacks } = outcome.threats['linf-0.125']
  const witness = witnesses['linf-0.125']
  const distance = Math.max(Math.abs(witness[0] - 0.4375), Math.abs(witness[1] - 0.5))
  expect(distance).toBe(Math.min(attacks.fgsm.distance, attacks.pgd.distance))
})

describe('gradients that tell nothing', () => {
  const deaf = (gradient: Float32Array): FakeModel => ({
    predict: () => Float32Array.of(2, 0),
    gradient: () => ({ logits: Float32Array.of(2, 0), value: 0, gradient }),
  })
  const signsOf = (model: FakeModel, first = 0.4): readonly string[] =>
    converse(evaluateImage(image(first), plan([fgsm, pgd])), model).result.outcome.signs ?? []

  test.each([
    ['zero', Float32Array.of(0, 0), []],
    ['NaN', Float32Array.of(NaN, 0), ['non-finite-gradient']],
    ['infinite', Float32Array.of(Infinity, -Infinity), ['non-finite-gradient']],
  ])('%s at every point: the image shows that it was hardly tested', (_, gradient, more) => {
    expect(signsOf(deaf(gradient))).toEqual(['no-gradient', ...more])
  })

  test('one useful gradient among them is a test', () => {
    let asked = 0
    const once: FakeModel = {
      ...deaf(Float32Array.of(0, 0)),
      gradient: () => ({
        logits: Float32Array.of(2, 0),
        value: 0,
        gradient: Float32Array.of(asked++ === 3 ? 1 : 0, 0),
      }),
    }
    expect(signsOf(once)).toEqual([])
  })

  test('a broken image was tested, and so was a robust one with gradients', () => {
    expect(signsOf(threshold, 0.4375)).toEqual([])
    expect(signsOf(threshold, 0.125)).not.toContain('no-gradient')
  })
})

test('a model that answers NaN is wrong, not right by accident, and the image shows it', () => {
  const { predict, gradient } = threshold
  const nan = Float32Array.of(Number.NaN, Number.NaN)
  for (const label of [0, 1]) {
    const { outcome } = converse(evaluateImage(image(0.4, label), plan([fgsm])), {
      gradient,
      predict: () => nan,
    }).result
    expect(outcome.predicted).toBe(1 - label)
    expect(outcome.signs).toEqual(['no-prediction'])
    expect(SampleOutcomeSchema.safeParse(outcome).success).toBe(true)
  }
  const underAttack = converse(evaluateImage(image(0.25), plan([fgsm])), {
    gradient,
    predict: (point) => (point[0] > 0.25 ? nan : predict(point)),
  }).result
  expect(underAttack.outcome.threats['linf-0.125'].attacks.fgsm).toMatchObject({ success: true, predicted: 1 })
  expect(underAttack.outcome.signs).toEqual(['no-prediction'])
})

test('outcomes do not depend on order, batch or number of workers', async () => {
  // Two waves in two pixels: nonlinear, so that where an attack starts and stops matters.
  const logits = ([x, y]: Float32Array) => Float32Array.of(0, Math.sin(9 * x) * Math.cos(7 * y) - 0.2)
  const waves: FakeModel = {
    predict: logits,
    gradient(point, loss) {
      const [x, y] = point
      const sign = loss.name !== 'linear' && loss.label === 0 ? 1 : -1
      const dx = 9 * Math.cos(9 * x) * Math.cos(7 * y)
      const dy = -7 * Math.sin(9 * x) * Math.sin(7 * y)
      return { logits: logits(point), value: 0, gradient: Float32Array.of(sign * dx, sign * dy) }
    },
  }
  const attacks = [fgsm, { ...pgd, restarts: 3 }, { ...pgd, id: 'again', survivorsOnly: true }]
  const tasks = Array.from({ length: 40 }, (_, index) => ({
    index,
    label: index % 2,
    pixels: Float32Array.of((index * 0.618034) % 1, (index * 0.414214) % 1),
  }))
  const evaluate = async (some: typeof tasks, batch: number): Promise<ImageResult[]> => {
    const results: ImageResult[] = []
    const scheduler = new Scheduler<ImageResult>(recordingEngine(waves, batch).engine, (result) => results.push(result))
    await scheduler.run(some.map((task) => evaluateImage(task, plan(attacks))))
    return results
  }
  const byIndex = (results: ImageResult[]) => results.toSorted((a, b) => a.outcome.index - b.outcome.index)
  const expected = byIndex(await evaluate(tasks, 16))
  expect(new Set(expected.map(({ outcome }) => outcome.threats['linf-0.125'].robust)).size).toBe(2)
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(tasks, { minLength: 40 }),
      fc.constantFrom(1, 16, 64),
      fc.integer({ min: 0, max: 40 }),
      async (shuffled, batch, cut) => {
        const [first, second] = await Promise.all([
          evaluate(shuffled.slice(0, cut), batch),
          evaluate(shuffled.slice(cut), batch),
        ])
        expect(byIndex([...first, ...second])).toEqual(expected)
      },
    ),
    { numRuns: 20 },
  )
})
