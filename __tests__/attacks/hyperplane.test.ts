import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { stepToHyperplane } from '../../src/attacks/hyperplane.js'
import { lengthOf } from '../../src/attacks/norms.js'
import type { Norm } from '../../src/config/types.js'
import { leastStep } from './support/leastStep.js'

const norms: readonly Norm[] = ['linf', 'l2', 'l1']
/** 0, or a thousandth at least: what a pixel of less gains drowns in the rounding of the others. */
const weight = fc
  .oneof(fc.constantFrom(0, 1, -1, 1e-3), fc.double({ min: -3, max: 3, noNaN: true }))
  .map((w) => (Math.abs(w) < 1e-3 ? 0 : Math.fround(w)))
const pixel = fc.oneof(fc.constantFrom(0, 1, 0.5), fc.double({ min: 0, max: 1, noNaN: true })).map(Math.fround)
const planes = fc
  .array(fc.tuple(weight, pixel), { minLength: 1, maxLength: 30 })
  .filter((pixels) => pixels.some(([w]) => w !== 0))

describe.each(norms)('the step onto a hyperplane inside the bounds, %s', (norm) => {
  test('is inside the bounds, reaches the hyperplane and is as short as the dual allows', () => {
    fc.assert(
      fc.property(planes, fc.double({ min: -1, max: 1, noNaN: true }), (pixels, share) => {
        const normal = Float32Array.from(pixels, ([w]) => w)
        const point = Float32Array.from(pixels, ([, x]) => x)
        // A share of what the bounds allow in that direction, so that the hyperplane meets the box.
        const most = pixels.reduce((sum, [w, x]) => sum + Math.abs(w) * (w * share > 0 ? 1 - x : x), 0)
        const gap = share * most
        const step = stepToHyperplane(norm, point, { normal, gap }, 0, 1)

        // Sums of 30 float64 products of size 3: 1e-13; the step divides by weights, which are never less than the sum.
        const reached = step.reduce((sum, d, i) => sum + normal[i] * d, 0)
        expect(Math.abs(reached - gap)).toBeLessThan(1e-12)
        for (const [i, d] of step.entries()) {
          expect(point[i] + d).toBeGreaterThanOrEqual(0)
          expect(point[i] + d).toBeLessThanOrEqual(1)
        }
        const weights = [...normal].map((w) => Math.sign(share) * w)
        // The gap is met within 1e-12, and a way of 1e-9 is what a pixel of weight 1e-3 needs for that.
        const least = leastStep(norm, [...point], weights, Math.abs(gap) - 1e-12, [0, 1])
        expect(lengthOf(norm, step)).toBeLessThanOrEqual(least + 1e-8)
      }),
      { numRuns: 500 },
    )
  })

  test('goes to the corner nearest to a hyperplane that misses the box', () => {
    const step = stepToHyperplane(
      norm,
      Float32Array.of(0.25, 0.5, 0.5),
      { normal: Float32Array.of(1, -2, 0), gap: 9 },
      0,
      1,
    )
    expect([...step]).toEqual([0.75, -0.5, 0])
  })

  test('stays where it is without a direction', () => {
    const step = stepToHyperplane(norm, Float32Array.of(0.25, 0.5), { normal: new Float32Array(2), gap: 1 }, 0, 1)
    expect([...step]).toEqual([0, 0])
  })
})

test('by hand: w = (3, 1), gap 0.5 from (0.9, 0.5), where the first pixel has room for 0.1', () => {
  const step = (norm: Norm): number[] => [
    ...stepToHyperplane(norm, Float32Array.of(0.9, 0.5), { normal: Float32Array.of(3, 1), gap: 0.5 }, 0, 1),
  ]
  const room = 1 - Math.fround(0.9)
  // The first pixel gains 0.3 at its bound in every norm, and the second has to make up for the other 0.2.
  for (const norm of norms) {
    expect(step(norm)[0]).toBeCloseTo(room, 15)
    expect(step(norm)[1]).toBeCloseTo(0.5 - 3 * room, 15)
  }
})

test('in L1 the step moves the pixel with the greatest weight alone, as long as it has room', () => {
  const step = stepToHyperplane(
    'l1',
    Float32Array.of(0.5, 0.5, 0.5),
    { normal: Float32Array.of(1, -4, 2), gap: 1 },
    0,
    1,
  )
  expect([...step]).toEqual([0, -0.25, 0])
})

test('the range of the pixels is whatever it is', () => {
  const step = stepToHyperplane('linf', Float32Array.of(10, 250), { normal: Float32Array.of(-1, 1), gap: 30 }, 0, 255)
  // The first pixel has room for 10, the second for 5: together 15, the corner.
  expect([...step]).toEqual([-10, 5])
})
