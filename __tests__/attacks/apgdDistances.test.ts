import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Norm } from '../../src/config/types.js'
import type { FakeModel } from './support/linear.js'
import { classifier, linearClasses } from './support/linearClasses.js'
import { apgd, apgdT, run } from './support/runApgd.js'

describe('on classifiers with a known least distance APGD finds what there is and claims no more', () => {
  /** Distance to the nearest decision hyperplane (Hölder), away from the bounds. */
  const leastDistance = (
    norm: 'linf' | 'l2',
    weights: readonly (readonly number[])[],
    margins: readonly number[],
  ): number => {
    const dual = (v: readonly number[]): number =>
      norm === 'linf' ? v.reduce((sum, w) => sum + Math.abs(w), 0) : Math.hypot(...v)
    return Math.min(...margins.slice(1).map((m, k) => m / dual(weights[k + 1].map((w, i) => w - weights[0][i]))))
  }
  const weightRows = (classes: number) =>
    fc.array(
      fc.array(
        fc.integer({ min: -20, max: 20 }).filter((w) => w !== 0),
        { minLength: 12, maxLength: 12 },
      ),
      { minLength: classes, maxLength: classes },
    )
  const far = fc.integer({ min: 3, max: 12 })

  test.each([
    ['APGD', 2, apgd, 'linf'],
    ['APGD', 2, apgd, 'l2'],
    ['APGD on the margin', 2, { ...apgd, loss: 'margin' }, 'linf'],
    ['APGD-T', 2, apgdT, 'l2'],
    ['APGD-T', 4, apgdT, 'linf'],
    ['APGD-T', 4, apgdT, 'l2'],
    ['APGD-T', 6, apgdT, 'linf'],
  ] as const)('%s, %i linear classes (%#)', (_, classes, spec, norm) => {
    fc.assert(
      fc.property(
        weightRows(classes),
        fc.array(far, { minLength: classes, maxLength: classes }),
        (weights, lengths) => {
          // Class 0 leads at the centre by margins of some units; the ball stays far from the bounds.
          const margins = lengths.map((length, k) => (k === 0 ? 0 : length))
          const biases = weights.map((row, k) => -margins[k] - row.reduce((sum, w) => sum + w * 0.5, 0))
          const distance = leastDistance(norm, weights, margins)
          if (!(distance < 0.45)) return
          const model = linearClasses(weights, biases)
          const image = new Array<number>(12).fill(0.5)
          const beyond = run(spec, model, { image, norm, epsilon: distance * 1.01 })
          expect(beyond.result.success).toBe(true)
          expect(beyond.threat.distance(beyond.result.point)).toBeLessThanOrEqual(distance * 1.01)
          const within = run(spec, model, { image, norm, epsilon: distance * 0.999 })
          expect(within.result).toMatchObject({ success: false, predicted: 0 })
        },
      ),
      { numRuns: 40 },
    )
  })

  test.each([
    ['APGD', apgd],
    ['APGD-T', apgdT],
  ])('%s under L1: the steepest pixels go to their bounds, as many as the ball pays for', (_, spec) => {
    const pixels = 30
    const weightsOf = fc.array(
      fc.integer({ min: -20, max: 20 }).filter((w) => w !== 0),
      { minLength: pixels, maxLength: pixels },
    )
    fc.assert(
      fc.property(weightsOf, fc.double({ min: 0.3, max: 4, noNaN: true }), (weights, epsilon) => {
        // Every pixel has room 1/2: a knapsack, filled greedily.
        const best = weights.map(Math.abs).sort((a, b) => b - a)
        const gain = best.reduce((sum, w, i) => sum + w * Math.max(0, Math.min(0.5, epsilon - i / 2)), 0)
        const image = new Array<number>(pixels).fill(0.5)
        const centre = weights.reduce((sum, w) => sum + w * 0.5, 0)
        const model = (margin: number) => linearClasses([weights.map(() => 0), weights], [0, -margin - centre])
        expect(run(spec, model(gain / 1.05), { image, norm: 'l1', epsilon }).result.success).toBe(true)
        const none = run(spec, model(gain * 1.001), { image, norm: 'l1', epsilon })
        expect(none.result).toMatchObject({ success: false, predicted: 0 })
      }),
      { numRuns: 40 },
    )
  })

  test.each([
    ['APGD', 1.2, apgd],
    ['APGD', 3, apgd],
    ['APGD-T', 1.2, apgdT],
    ['APGD-T', 3, apgdT],
  ] as const)(
    '%s under L1 on a ridge that falls off by %f: the steepest pixel is not the one to move',
    (_, slope, spec) => {
      expectRidgeClimbed(spec, slope, { norm: 'l1', beyond: 1.05 })
    },
  )

  test.each([
    ['APGD', 'linf', 1.01, apgd],
    ['APGD', 'l2', 1.05, apgd],
    ['APGD', 'l1', 1.05, apgd],
    ['APGD-T', 'linf', 1.01, apgdT],
    ['APGD-T', 'l2', 1.05, apgdT],
    ['APGD-T', 'l1', 1.05, apgdT],
  ] as const)('%s on a ridge under %s: steps of one size jump over it, halved ones do not', (_, norm, beyond, spec) => {
    expectRidgeClimbed(spec, 0.7, { norm, beyond })
  })
})

/** z₁ − z₀ = x₀ − slope · |x₁ − ½| − b: the best point is (½ + ε, ½) in every norm, on the kink. */
function expectRidgeClimbed(
  spec: Parameters<typeof run>[0],
  slope: number,
  { norm, beyond }: { readonly norm: Norm; readonly beyond: number },
): void {
  const ridge = (margin: number): FakeModel =>
    classifier(
      (x) => [0, x[0] - 0.5 - slope * Math.abs(x[1] - 0.5) - margin],
      (x) => [
        [0, 0],
        [1, -slope * Math.sign(x[1] - 0.5)],
      ],
    )
  for (let seed = 0; seed < 20; seed++) {
    const setting = { image: [0.5, 0.5], norm, epsilon: 0.25, seed }
    expect(run(spec, ridge(0.25 / beyond), setting).result.success).toBe(true)
    expect(run(spec, ridge(0.25 * 1.001), setting).result.success).toBe(false)
  }
}
