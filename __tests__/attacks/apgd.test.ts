import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { ApgdTargetedSpec } from '../../src/config/attackTypes.js'
import type { Norm } from '../../src/config/types.js'
import { randomStream } from '../../src/attacks/random.js'
import { threatModel } from '../../src/attacks/threat.js'
import type { FakeModel } from './support/linear.js'
import { classifier, linearClasses } from './support/linearClasses.js'
import { apgd, apgdT, norms, one, run, scripted } from './support/runApgd.js'

describe('the steps are those of the papers', () => {
  test('Linf: a start on the surface, a step of 2ε, then steps of 2ε with a quarter of momentum', () => {
    const gradients = [
      [1, -1, 1],
      [-1, 1, 1],
      [1, 1, 1],
      [-1, -1, 1],
    ]
    const model = scripted((_, place) => ({ value: place, gradient: gradients[place % 4] }))
    const { threat, gradients: x } = run(apgd, model, { image: [0.5, 0.5, 0.5], norm: 'linf', epsilon: 0.25 })
    expect(threat.distance(x[0])).toBeCloseTo(0.25, 6)
    const clamp = (value: number): number => Math.min(0.75, Math.max(0.25, value))
    const towards = (k: number, i: number): number => clamp(x[k][i] + 0.5 * gradients[k % 4][i])
    // Until the first checkpoint; float32 holds the sums to 2⁻²⁴.
    for (const i of [0, 1, 2]) {
      expect(x[1][i]).toBeCloseTo(towards(0, i), 6)
      for (let k = 1; k < 22; k++)
        expect(x[k + 1][i]).toBeCloseTo(
          clamp(x[k][i] + 0.75 * (towards(k, i) - x[k][i]) + 0.25 * (x[k][i] - x[k - 1][i])),
          6,
        )
    }
    expect(x).toHaveLength(101)
  })

  test('at a checkpoint without progress the step size is halved and the best point is where it goes on', () => {
    // The loss is best at step 5 and never rises again.
    const model = scripted((_, place) => ({ value: place <= 5 ? place : -place, gradient: [1, 1] }))
    const { gradients: x } = run(apgd, model, { image: [0.1, 0.2], norm: 'linf', epsilon: 0.0625 })
    // From x₅, with half of 2ε, momentum from where the last step began.
    for (const i of [0, 1]) {
      const corner = [0.1, 0.2][i] + 0.0625
      const z = Math.min(corner, x[5][i] + 0.0625)
      expect(x[23][i]).toBeCloseTo(Math.min(corner, x[5][i] + 0.75 * (z - x[5][i]) + 0.25 * (x[5][i] - x[21][i])), 6)
    }
  })

  test.each([
    ['linf', true, 0.1],
    ['l2', true, 0.5],
    ['l1', true, 1],
    ['l1', false, 1],
  ] as const)(
    '%s, larger balls: %p: 30 steps at 3ε, 30 at 2ε, 40 at ε; only there is the original asked',
    (norm, largerBalls, epsilon) => {
      const fooled: FakeModel = {
        predict: () => Float32Array.of(1, 0, 0),
        gradient: (point) => ({
          logits: Float32Array.of(0, 1, 0),
          value: point[0],
          gradient: point.map((_, i) => i + 1),
        }),
      }
      const image = new Array<number>(40).fill(0.5)
      const { threat, gradients, predictions, result } = run({ ...apgd, largerBalls }, fooled, { image, norm, epsilon })
      const widest = (points: readonly Float32Array[]) => Math.max(...points.map((point) => threat.distance(point)))
      expect(gradients).toHaveLength(31 + 31 + 41)
      expect(widest(gradients.slice(0, 31))).toBeCloseTo(3 * epsilon, 5)
      expect(widest(gradients.slice(31, 62))).toBeCloseTo(2 * epsilon, 5)
      expect(widest(gradients.slice(62))).toBeLessThanOrEqual(epsilon)
      // The greatest loss is where the first pixel is brightest: each search goes on from there, and does not begin anew.
      const best = (points: readonly Float32Array[]) => points.reduce((one, other) => (other[0] > one[0] ? other : one))
      const inside = (factor: number, point: Float32Array) =>
        threatModel(Float32Array.from(image), { norm, epsilon: factor * epsilon }, [0, 1]).project(point)
      expect(gradients[31]).toEqual(inside(2, best(gradients.slice(0, 31))))
      expect(gradients[62]).toEqual(inside(1, best(gradients.slice(31, 62))))
      expect(predictions.length).toBeGreaterThan(40)
      expect(widest(predictions)).toBeLessThanOrEqual(epsilon)
      expect(result.success).toBe(false)
    },
  )

  test('L1: a step moves the steepest of the pixels, two thirds of as many as differ, rounded up and down in turn, all alike', () => {
    const slopes = Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? 1 : -1) * (30 - i))
    const model = scripted((_, place) => ({ value: -place, gradient: slopes }))
    const image = new Array<number>(30).fill(0.5)
    const { gradients: x } = run(apgd, model, { image, norm: 'l1', epsilon: 2 })
    const changed = x[0].filter((pixel) => pixel !== 0.5).length
    expect(changed % 3).not.toBe(0)
    expect(changed).toBeGreaterThan(8)
    // The first ball is three times as wide; projecting to it has its own tests.
    const wider = threatModel(Float32Array.from(image), { norm: 'l1', epsilon: 6 }, [0, 1])
    const moved = (from: Float32Array, count: number, size: number) =>
      from.map((pixel, i) => (i < count ? pixel + (size / count) * Math.sign(slopes[i]) : pixel))
    expect(x[1]).toEqual(wider.project(moved(x[0], Math.ceil(changed / 1.5), 6)))
    // With 30 steps in this ball every step is a check. The start stays the best: no sparser, and a step size of ε / 1.5.
    expect(x[2]).toEqual(wider.project(moved(x[1], Math.floor(changed / 1.5), 4)))
  })
})

describe('what is asked and what is returned', () => {
  const image = [0.5, 0.5, 0.5]

  test('under any norm no point put to the original leaves the ball or the bounds', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...norms),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 }),
        fc.double({ min: 1e-6, max: 20, noNaN: true }),
        fc.integer(),
        fc.boolean(),
        (norm, pixels, epsilon, seed, largerBalls) => {
          const random = randomStream([seed, 1, 2, 3])
          const wild: FakeModel = {
            predict: () => Float32Array.of(1, 0),
            gradient: (point) => ({
              logits: Float32Array.of(0, 1),
              value: random.gaussian(),
              gradient: point.map(() => (random.uniform() < 0.1 ? Number.NaN : random.gaussian())),
            }),
          }
          const image = [...Float32Array.from(pixels)]
          const { threat, predictions } = run({ ...apgd, steps: 20, largerBalls }, wild, { image, norm, epsilon, seed })
          for (const point of predictions) {
            expect(threat.distance(point)).toBeLessThanOrEqual(epsilon)
            expect(point.every((pixel) => pixel >= 0 && pixel <= 1)).toBe(true)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  test.each(norms)('%s: the first witness ends it, whichever start found it', (norm) => {
    let predictions = 0
    const late: FakeModel = {
      predict: () => (predictions++ === 50 ? Float32Array.of(0, 1) : Float32Array.of(1, 0)),
      gradient: (point) => ({ logits: Float32Array.of(0, 1), value: 0, gradient: point.map(() => 1) }),
    }
    const spec = { ...apgd, restarts: { linf: 3, l2: 3, l1: 3 }, steps: 40 }
    const { result, asked } = run(spec, late, { image, norm, epsilon: 0.25 })
    // 41 points of a start are put to the original; under L1 only those of the 16 steps in the ball, and their start.
    expect(result).toMatchObject({ success: true, predicted: 1 })
    expect(asked.at(-1)).toEqual({ kind: 'prediction', point: result.point })
    expect(predictions).toBe(51)
  })

  test('without a witness: the point of highest loss of all starts, as the original sees it', () => {
    const height = (point: Float32Array): number => -((point[0] - 0.6) ** 2) - (point[1] - 0.45) ** 2
    const model = scripted((point) => ({
      value: height(point),
      gradient: [1.2 - 2 * point[0], 0.9 - 2 * point[1], 0],
    }))
    const { result, gradients, predictions } = run({ ...apgd, restarts: { ...one, linf: 3 } }, model, {
      image,
      norm: 'linf',
      epsilon: 0.25,
    })
    expect(gradients).toHaveLength(303)
    expect(predictions).toEqual([result.point])
    expect(height(result.point)).toBe(Math.max(...gradients.map(height)))
    // The step size has been halved often enough to come near the top.
    expect(height(result.point)).toBeGreaterThan(-1e-3)
    expect(result).toMatchObject({ success: false, predicted: 0 })
    expect(result.rising).toBeUndefined()
  })

  test('a loss that rises to the end is said to', () => {
    const model = scripted((_, place) => ({ value: place, gradient: [1, 1, 1] }))
    expect(run(apgd, model, { image, norm: 'linf', epsilon: 0.25 }).result.rising).toBe(true)
  })

  test('a loss that is NaN at the start, and gradients that are, do not stop it', () => {
    const model = scripted((_, place) => ({ value: place < 3 ? Number.NaN : place, gradient: [Number.NaN, 1, 0] }))
    const { result, gradients } = run(apgd, model, { image, norm: 'linf', epsilon: 0.25 })
    expect(result.point).toEqual(gradients.at(-1))
  })

  test('every point is asked `eot` times at once, and the mean is followed', () => {
    // The gradients 3, −1, −1 of every three answers have the sign of their mean 1/3, not of most of them.
    const model = scripted((point, place) => ({ value: point[0], gradient: [place % 3 === 0 ? 3 : -1] }))
    const { gradients, result } = run({ ...apgd, eot: 3 }, model, { image: [0.5], norm: 'linf', epsilon: 0.25 })
    expect(gradients).toHaveLength(303)
    for (let k = 0; k < 303; k += 3) expect([gradients[k + 1], gradients[k + 2]]).toEqual([gradients[k], gradients[k]])
    expect(result.point[0]).toBeCloseTo(0.75, 6)
  })

  test('an image gets the same attack again, and another seed another one', () => {
    const model = linearClasses(
      [
        [1, 2, 3],
        [3, 1, 2],
      ],
      [1, 0],
    )
    const attack = (seed: number) => run(apgd, model, { image, norm: 'l2', epsilon: 0.01, seed }).gradients[0]
    expect(attack(1)).toEqual(attack(1))
    expect(attack(1)).not.toEqual(attack(2))
  })
})

describe('APGD-T', () => {
  /** Five classes that no attack moves. */
  const still = (logits: readonly number[]): FakeModel =>
    classifier(
      () => logits,
      (x) => logits.map(() => [...x].map(() => 1)),
    )
  const targets = (spec: ApgdTargetedSpec, logits: readonly number[], norm: Norm): (number | undefined)[] => {
    const { asked } = run(spec, still(logits), { image: [0.5, 0.5], norm, epsilon: 0.1 })
    const perStart = norm === 'l1' ? 6 : 4
    return asked
      .slice(1)
      .filter(({ kind }) => kind === 'gradient')
      .flatMap((question, place) =>
        place % perStart === 0 && question.kind === 'gradient' && question.loss.name === 'targeted-dlr'
          ? [question.loss.target]
          : [],
      )
  }

  test('tries the classes likeliest on the clean image, in that order, each as often as restarts say', () => {
    const short = { ...apgdT, steps: 3, restarts: { linf: 2, l2: 1, l1: 1 } }
    expect(targets(short, [9, 1, 4, 2, 3], 'linf')).toEqual([2, 2, 4, 4, 3, 3, 1, 1])
    expect(targets({ ...short, targets: { ...apgdT.targets, l2: 2 } }, [9, 1, 4, 2, 3], 'l2')).toEqual([2, 4])
    expect(targets({ ...short, targets: { ...apgdT.targets, l1: 3 } }, [9, 1, 4, 2, 3], 'l1')).toEqual([2, 4, 3])
    expect(targets(short, [9, 1], 'l2')).toEqual([1])
  })
})

test.each(norms)("an image as large as ImageNet's has a start of its own under %s", (norm) => {
  const model = scripted(() => ({ value: 0, gradient: [] }))
  const image = new Array<number>(3 * 224 * 224).fill(0.5)
  const { threat, gradients: x } = run({ ...apgd, steps: 1, restarts: one }, model, { image, norm, epsilon: 0.25 })
  expect(threat.distance(x[0])).toBeGreaterThan(0.2)
})
