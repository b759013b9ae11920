import { describe, expect, test } from '@jest/globals'
import { published } from '../../src/config/attackSchemas.js'
import type { AttackSpec } from '../../src/config/attackTypes.js'
import type { Norm } from '../../src/config/types.js'
import { attackScene, slack, type Scene } from './support/leastDistance.js'
import { classifier, linearClasses } from './support/linearClasses.js'

// Where attacks of least distance end somewhere else, as docs/attacks.md says: where that is follows from the geometry.

/** Where it ends: a class, and how far that is. What is found is within the slack of it, and no nearer. */
function expectEnd(spec: AttackSpec, scene: Scene, norm: Norm, end: { predicted: number; distance: number }): void {
  const epsilon = slack[norm] * end.distance
  const { result } = attackScene(spec, scene, { norm, epsilon })
  expect(result).toMatchObject({ success: true, predicted: end.predicted })
  expect(result.nearest?.distance).toBeLessThanOrEqual(epsilon)
  // Logits below 100 in float32 move a boundary of slope 1 by no more than 10⁻⁵.
  expect(result.nearest?.distance).toBeGreaterThan(end.distance - 1e-5)
}

/**
 * Class 1 is at x₀ + x₁ = 1.75, and x₀ has 0.05 left to its bound: the nearest point is (1, 0.75), without bounds (1.1, 0.65). Class 2
 * is straight below.
 */
const nearBound = (gap: number): Scene => ({
  model: linearClasses(
    [
      [0, 0],
      [1, 1],
      [0, -1],
    ],
    [0, -1.75, 0.5 - gap],
  ),
  image: Float32Array.of(0.95, 0.5),
  label: 0,
  classes: 3,
})

// Without bounds class 1 were 0.15 and 0.3 / √2 = 0.212 away. Within them it is 0.25 and √(0.05² + 0.25²) = 0.255, beyond class 2.
describe.each([
  ['linf', 0.2, 0.25],
  ['l2', 0.23, Math.hypot(0.05, 0.25)],
] as const)('%s: a class that only the bounds make the farther one', (norm, least, farther) => {
  test.each(['fab', 'deepfool'] as const)('%s ends there', (name) => {
    expectEnd(published(name), nearBound(least), norm, { predicted: 1, distance: farther })
  })

  test('fab-t finds the nearer one', () => {
    expectEnd(published('fab-t'), nearBound(least), norm, { predicted: 2, distance: least })
  })
})

/** Class 1 is 0.25 away at a slope of 1, class 2 0.2 at a slope of 100: of its logit, −20, a probability of e⁻²⁰ is left. */
describe('l2: a class of which the image shows nothing yet', () => {
  const scene: Scene = {
    model: linearClasses(
      [
        [0, 0],
        [1, 0],
        [0, 100],
      ],
      [0, -0.75, -70],
    ),
    image: Float32Array.of(0.5, 0.5),
    label: 0,
    classes: 3,
  }
  test.each(['ddn', 'cw'] as const)('%s ends at the class that its gradient shows, a quarter farther', (name) => {
    expectEnd(published(name), scene, 'l2', { predicted: 1, distance: 0.25 })
  })

  test('fab-t finds the nearer one', () => {
    expectEnd(published('fab-t'), scene, 'l2', { predicted: 2, distance: 0.2 })
  })
})

/**
 * The margin is (s − 0.3) / 2 − 0.4 up to s = 0.3 and four times as steep behind, s = 2 d₀ + d₁: 0 at s = 0.5, where a quarter of
 * x₀ leads. But the slope at the image promises that for s = 1.1: x₀ goes to its bound, which is a gain of 1, and x₁ by 0.1 (0.102
 * with what DeepFool adds, which the bound takes from x₀). Back on the straight line, s = 0.5 is at 0.5 / 1.102 of a way of 0.602.
 */
test('l1: deepfool ends on the way to its first point beyond a kink of a fourfold slope', () => {
  const far = ([first, second]: Float32Array): number => 2 * (first - 0.5) + second - 0.5
  const slope = (s: number): number => (s < 0.3 ? 0.5 : 2)
  const model = classifier(
    (point) => [0, slope(far(point)) * (far(point) - 0.3) - 0.4],
    (point) => [
      [0, 0],
      [2 * slope(far(point)), slope(far(point))],
    ],
  )
  const scene: Scene = { model, image: Float32Array.of(0.5, 0.5), label: 0, classes: 2 }
  expectEnd(published('deepfool'), scene, 'l1', { predicted: 1, distance: (0.5 / 1.102) * 0.602 })
  expectEnd(published('fab'), scene, 'l1', { predicted: 1, distance: 0.25 })
})
