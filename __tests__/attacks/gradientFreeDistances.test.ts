import { describe, expect, test } from '@jest/globals'
import { published } from '../../src/config/attackSchemas.js'
import type { Norm } from '../../src/config/types.js'
import { attackScene, slack, type Scene } from './support/leastDistance.js'
import { classifier, linearClasses } from './support/linearClasses.js'

// What Square and noise reach where the least distance is known. Square's corners under Linf are in square.test.ts: there it
// finds every adversarial example of a linear model.

const margin = 0.1
/** Around an image of two pixels of its own: random numbers follow from it. */
const sceneAt = (seed: number, gain: (first: number, second: number) => number): Scene => {
  const image = Float32Array.of(0.45 + seed / 8192, 0.5)
  return {
    model: classifier(
      (point) => [0, gain(point[0] - image[0], point[1] - image[1]) - margin],
      () => [
        [0, 0],
        [0, 0],
      ],
    ),
    image,
    label: 0,
    classes: 2,
  }
}
const succeeds = (name: 'square' | 'noise', scene: Scene, norm: Norm, epsilon: number): boolean => {
  // One start of Square in four is (1, 1): 40 starts miss it once in 100,000 images.
  const spec = name === 'square' ? published(name, { queries: 8, restarts: 40 }) : published(name)
  const { result, ball } = attackScene(spec, scene, { norm, epsilon })
  expect(ball.distance(result.point)).toBeLessThanOrEqual(epsilon)
  return result.success
}

describe('Square', () => {
  // Its bump on two pixels is (1, −1), and a start (±1, ±1): (1, 0) is the sum of both.
  test.each([
    ['l2', '(1, −1)', 1, -1, margin / Math.SQRT2],
    ['l2', '(1, 0)', 1, 0, margin],
    ['l1', '(1, −1)', 1, -1, margin],
    ['l1', '(1, 0)', 1, 0, margin],
  ] as const)('%s: reaches a linear boundary across a sum of its bumps, %s', (norm, _, first, second, least) => {
    for (let seed = 0; seed < 10; seed++) {
      const scene = sceneAt(seed, (one, other) => first * one + second * other)
      expect(succeeds('square', scene, norm, slack[norm] * least)).toBe(true)
      expect(succeeds('square', scene, norm, 0.999 * least)).toBe(false)
    }
  })

  // The fold is 0.05 beside the image, with `slope` on either side. The nearest point is on it; of the points that Square can
  // propose the best is a corner of the ball (Linf), at ε (1 − slope) + slope · 0.05, or (ε, 0), at ε − slope · 0.05.
  test.each([
    ['linf', 0.7, margin, (margin - 0.7 * 0.05) / (1 - 0.7)],
    ['l2', 0.7, Math.hypot(margin, 0.05), margin + 0.7 * 0.05],
    ['l1', 1.4, margin + 0.05, margin + 1.4 * 0.05],
  ] as const)('%s: on a fold it goes as far as the nearest of its proposals', (norm, slope, least, reach) => {
    expect(reach).toBeGreaterThan(slack[norm] * least)
    for (let seed = 0; seed < 10; seed++) {
      const scene = sceneAt(seed, (one, other) => one - slope * Math.abs(other - 0.05))
      expect(succeeds('square', scene, norm, 1.001 * reach)).toBe(true)
      expect(succeeds('square', scene, norm, 0.999 * reach)).toBe(false)
      expect(succeeds('square', scene, norm, 0.999 * least)).toBe(false)
    }
  })
})

describe('noise', () => {
  /** The share of the ball that lies beyond x₀ = t ε, where t ε is the least distance: of a square, a disc and a diamond. */
  const beyond: Readonly<Record<Norm, (t: number) => number>> = {
    linf: (t) => (1 - t) / 2,
    l2: (t) => (Math.acos(t) - t * Math.sqrt(1 - t * t)) / Math.PI,
    l1: (t) => (1 - t) ** 2 / 2,
  }

  test.each(['linf', 'l2', 'l1'] as const)(
    '%s: reaches the least distance as often as 100 draws from the ball do',
    (norm) => {
      const images = 200
      const seeds = Array.from({ length: images }, (_, seed) => seed)
      const found = (epsilon: number): number =>
        seeds.filter((seed) =>
          succeeds(
            'noise',
            sceneAt(seed, (one) => one),
            norm,
            epsilon,
          ),
        ).length
      expect(found(0.999 * margin)).toBe(0)
      for (const factor of [slack[norm], 1.2]) {
        const share = 1 - (1 - beyond[norm](1 / factor)) ** 100
        // A binomial number: four standard deviations either way are left by one in 16,000.
        const deviation = Math.sqrt(images * share * (1 - share))
        expect(Math.abs(found(factor * margin) - images * share)).toBeLessThanOrEqual(4 * deviation + 0.5)
      }
    },
  )

  test('of 100 pixels it hardly reaches twice the least distance', () => {
    // Hoeffding: of weights ±1 a point of the ball gains half of ε ‖w‖₁ with a probability of e^(−100/8) at most.
    const weights = Array.from({ length: 100 }, (_, i) => (i % 3 === 0 ? -1 : 1))
    const gap = 100 * margin
    const centre = weights.reduce((sum, w) => sum + w * 0.5, 0)
    const scene: Scene = {
      model: linearClasses([weights.map(() => 0), weights], [0, -gap - centre]),
      image: new Float32Array(100).fill(0.5),
      label: 0,
      classes: 2,
    }
    expect(succeeds('noise', scene, 'linf', 2 * margin)).toBe(false)
  })
})
