import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { AttackSpec } from '../../../src/config/attackTypes.js'
import type { Norm } from '../../../src/config/types.js'
import type { AttackResult, Question } from '../../../src/attacks/protocol.js'
import { imageDigest, randomSource } from '../../../src/attacks/random.js'
import { attackFor } from '../../../src/attacks/registry.js'
import { threatModel, type ThreatModel } from '../../../src/attacks/threat.js'
import { classifier, linearClasses } from './linearClasses.js'
import { leastStep } from './leastStep.js'
import { converse, type FakeModel } from './linear.js'

export interface Scene {
  readonly model: FakeModel
  readonly image: Float32Array
  readonly label: number
  readonly classes: number
  /** Of pixels; [0, 1] unless said otherwise. */
  readonly bounds?: readonly [number, number]
  readonly quantised?: boolean
}

/** Runs an attack on one image of a model whose answers are known. */
export function attackScene(
  spec: AttackSpec,
  { model, image, label, classes, bounds = [0, 1], quantised = false }: Scene,
  threat: { readonly norm: Norm; readonly epsilon: number },
): { readonly result: AttackResult; readonly asked: readonly Question[]; readonly ball: ThreatModel } {
  const ball = threatModel(image, threat, bounds, { quantised })
  const target = { threat: ball, label, classes, shape: [image.length], layout: 'flat' as const }
  return { ...converse(attackFor(spec, target, randomSource(0, imageDigest(image), spec.id)), model), ball }
}

/** What is asked of an attack of least distance: within 1 % of the truth in Linf, within 5 % in L2 and L1. */
export const slack: Readonly<Record<Norm, number>> = { linf: 1.01, l2: 1.05, l1: 1.05 }

/** Runs it in a ball that just holds the nearest adversarial point there is, and in one that just does not. */
export function expectLeastDistance(spec: AttackSpec, scene: Scene, norm: Norm, least: number): void {
  const within = attackScene(spec, scene, { norm, epsilon: slack[norm] * least }).result
  expect(within.success).toBe(true)
  expect(within.predicted).not.toBe(scene.label)
  expect(within.nearest?.distance).toBeLessThanOrEqual(slack[norm] * least)

  const { result, ball } = attackScene(spec, scene, { norm, epsilon: 0.99 * least })
  expect(result.success).toBe(false)
  expect(result.predicted).toBe(scene.label)
  expect(ball.distance(result.point)).toBeLessThanOrEqual(ball.epsilon)
  // Beyond the ball it is found all the same, and never nearer than it can be. The logits, of size 60 at most, are rounded
  // to float32; that moves a margin by 4e-6, and a boundary of slope 1 or more (on pixels of 0…1) by no more.
  const rounding = 4e-6 * (ball.high - ball.low)
  for (const nearest of [within.nearest, result.nearest]) {
    expect(nearest?.distance).toBeLessThanOrEqual(slack[norm] * least)
    expect(nearest?.distance).toBeGreaterThanOrEqual(least - rounding)
    expect(nearest?.point.every((pixel) => pixel >= ball.low && pixel <= ball.high)).toBe(true)
    expect(nearest && ball.distance(nearest.point)).toBe(nearest?.distance)
  }
}

/** What linear classifiers are tried: their pixels and how far a rival is, as a share of what the bounds let it gain. */
interface Kind {
  readonly classes: number
  readonly pixels: readonly number[]
  readonly most: number
}

// Shares in no simple ratio to the pixels: where the nearest point is a corner of the box, what an attack adds to cross
// the boundary (FAB's η) is cut off again, and it is left standing on the boundary, as published.
const kinds = {
  /** Many pixels are at a bound already, and more of them meet one on the way. */
  bounded: { pixels: [0, 0.125, 0.5, 0.75, 1], most: 0.7937 },
  /** Some are near a bound, and meet it on the way. */
  near: { pixels: [0.1, 0.25, 0.5, 0.75, 0.9], most: 0.5946 },
  /** No bound is near. */
  free: { pixels: [0.4, 0.5, 0.6], most: 0.1 },
} as const

function linearScenes({ classes: mostClasses, pixels: values, most }: Kind) {
  const sizes = fc.record({ pixels: fc.integer({ min: 2, max: 8 }), classes: fc.integer({ min: 2, max: mostClasses }) })
  return sizes.chain(({ pixels, classes }) => {
    const exactly = <T>(each: fc.Arbitrary<T>, length: number) =>
      fc.array(each, { minLength: length, maxLength: length })
    return fc.record({
      rows: exactly(exactly(fc.integer({ min: -3, max: 3 }), pixels), classes),
      image: exactly(fc.constantFrom(...values), pixels),
      shares: exactly(fc.double({ min: most / 8, max: most, noNaN: true }), classes),
      label: fc.nat(classes - 1),
    })
  })
}

interface Claims {
  readonly norms: readonly Norm[]
  /** Of linear classifiers that it is to be tried on: how many classes at most. */
  readonly linear: Partial<Readonly<Record<keyof typeof kinds, number>>>
  readonly runs?: number
  /** By what factor the slope of the margin changes at a kink that it can deal with. */
  readonly kink: number
}

/** The tests that an attack finds the nearest point of linear and piecewise linear models. */
export function findsLeastDistance(spec: AttackSpec, { norms, linear, runs = 100, kink }: Claims): void {
  const tried = (['bounded', 'near', 'free'] as const).flatMap((kind) => {
    const classes = linear[kind]
    return classes === undefined ? [] : norms.map((norm) => ({ norm, kind, classes }))
  })
  test.each(tried)(
    '$norm: reaches the nearest point of linear classifiers of up to $classes classes, $kind',
    ({ norm, kind, classes }) => {
      fc.assert(
        fc.property(linearScenes({ ...kinds[kind], classes }), ({ rows, image, shares, label }) => {
          // Biases that put the label ahead of each rival by a share of what the bounds let the rival gain.
          const towards = rows.map((row) => row.map((w, i) => w - rows[label][i]))
          const most = towards.map((w) =>
            w.reduce((sum, d, i) => sum + Math.abs(d) * (d > 0 ? 1 - image[i] : image[i]), 0),
          )
          const gaps = most.map((gain, k) => (gain > 0 ? shares[k] * gain : 1))
          const biases = rows.map((row, k) =>
            k === label ? 0 : row.reduce((sum, _, i) => sum - towards[k][i] * image[i], 0) - gaps[k],
          )
          const least = Math.min(
            ...rows.map((_, k) => (k === label ? Infinity : leastStep(norm, image, towards[k], gaps[k], [0, 1]))),
          )
          fc.pre(least < Infinity)
          const scene = {
            model: linearClasses(rows, biases),
            image: Float32Array.from(image),
            label,
            classes: rows.length,
          }
          expectLeastDistance(spec, scene, norm, least)
        }),
        { numRuns: runs },
      )
    },
  )

  const direction = [2, -1, 0.5, 1]
  const image = [0.5, 0.25, 0.5, 0.75]
  // The margin as a function of s = w·(x − image) with a kink at 0.3; the boundary is where s = 0.5, whatever the slopes.
  test.each(
    norms.flatMap((norm) => [
      { norm, bend: 'steeper', before: 2 * kink, after: 2 },
      { norm, bend: 'flatter', before: 2, after: 2 * kink },
    ]),
  )('$norm: reaches a boundary behind a kink that makes the margin $bend', ({ norm, before, after }) => {
    const far = (point: Float32Array): number => direction.reduce((sum, w, i) => sum + w * (point[i] - image[i]), 0)
    const slope = (s: number): number => (s < 0.3 ? before : after)
    const margin = (s: number): number => (s < 0.3 ? before * (s - 0.3) : after * (s - 0.3)) - after * 0.2
    const model = classifier(
      (point) => [0, margin(far(point))],
      (point) => [direction.map(() => 0), direction.map((w) => slope(far(point)) * w)],
    )
    const scene = { model, image: Float32Array.from(image), label: 0, classes: 2 }
    expectLeastDistance(spec, scene, norm, leastStep(norm, image, direction, 0.5, [0, 1]))
  })

  // Class 1 where both x₀ > 0.6 and x₁ > 0.7: the nearest point to (0.4, 0.4, 0.5) is the corner (0.6, 0.7, 0.5).
  const corner: Readonly<Record<Norm, number>> = { linf: 0.3, l2: Math.hypot(0.2, 0.3), l1: 0.5 }
  test.each(norms)('%s: reaches a corner, where two boundaries meet', (norm) => {
    const model = classifier(
      ([first, second]) => [0, Math.min(2 * (first - 0.6), second - 0.7)],
      ([first, second]) => [[0, 0, 0], 2 * (first - 0.6) < second - 0.7 ? [2, 0, 0] : [0, 1, 0]],
    )
    expectLeastDistance(
      spec,
      { model, image: Float32Array.of(0.4, 0.4, 0.5), label: 0, classes: 2 },
      norm,
      corner[norm],
    )
  })

  test.each(norms)('%s: finds the same in pixels of 0…255', (norm) => {
    const scale = (point: Float32Array): Float32Array => point.map((pixel) => pixel / 255)
    const rows = [
      [0, 0, 0],
      [1, -2, 1],
    ]
    const plain = linearClasses(rows, [0, -0.4])
    const model: FakeModel = {
      predict: (point) => plain.predict(scale(point)),
      gradient(point, loss) {
        const answer = plain.gradient(scale(point), loss)
        return { ...answer, gradient: answer.gradient.map((slope) => slope / 255) }
      },
    }
    const scene = { model, image: Float32Array.of(100, 80, 120), label: 0, classes: 2, bounds: [0, 255] as const }
    // z₁ = (100 − 160 + 120) / 255 − 0.4 = −42 / 255: a gap of 42 in units of a level.
    expectLeastDistance(spec, scene, norm, leastStep(norm, [100, 80, 120], [1, -2, 1], 42, [0, 255]))
  })

  test.each(norms)('%s: what fools the gradient model only is never a witness', (norm) => {
    const surrogate = linearClasses(
      [
        [0, 0],
        [1, 1],
      ],
      [0, -1.1],
    )
    const model: FakeModel = { ...surrogate, predict: () => Float32Array.of(1, 0) }
    const scene = { model, image: Float32Array.of(0.5, 0.5), label: 0, classes: 2 }
    const { result, ball } = attackScene(spec, scene, { norm, epsilon: 0.3 })
    expect(result).toMatchObject({ success: false, predicted: 0, nearest: undefined })
    expect(ball.distance(result.point)).toBeLessThanOrEqual(0.3)
  })

  test.each(norms)('%s: pixels of 8 bits count and no others, when that was asked for', (norm) => {
    const model = linearClasses(
      [
        [0, 0],
        [1, 1],
      ],
      [0, -1.1],
    )
    const scene = { model, image: Float32Array.of(128 / 255, 120 / 255), label: 0, classes: 2, quantised: true }
    for (const epsilon of [0.3, 0.01]) {
      const { result, ball } = attackScene(spec, scene, { norm, epsilon })
      expect(result.success).toBe(epsilon === 0.3)
      expect(ball.distance(result.point)).toBeLessThanOrEqual(epsilon)
      expect(result.nearest).toBeDefined()
      for (const pixel of [...result.point, ...(result.nearest?.point ?? [])])
        expect(pixel).toBe(Math.fround(Math.round(pixel * 255) / 255))
    }
  })

  test.each(norms)('%s: a model without a gradient is left alone, and not for ever', (norm) => {
    const flat = classifier(
      () => [1, 0],
      () => [
        [0, 0],
        [0, 0],
      ],
    )
    const broken: FakeModel = {
      ...flat,
      gradient: (point) => ({
        logits: Float32Array.of(1, 0),
        value: NaN,
        gradient: point.map(() => NaN),
      }),
    }
    for (const model of [flat, broken]) {
      const scene = { model, image: Float32Array.of(0.5, 0.25), label: 0, classes: 2 }
      const { result } = attackScene(spec, scene, { norm, epsilon: 0.1 })
      expect(result).toMatchObject({ success: false, predicted: 0 })
      expect(result.point.every((pixel) => pixel >= 0 && pixel <= 1)).toBe(true)
    }
  })
}
