import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { published } from '../../src/config/attackSchemas.js'
import type { AttackSpec } from '../../src/config/attackTypes.js'
import type { Norm } from '../../src/config/types.js'
import { attackScene, slack, type Scene } from './support/leastDistance.js'
import { classifier, linearClasses } from './support/linearClasses.js'

// What FGSM, BIM, MI-FGSM and PGD reach where the least distance is known, and where a step of fixed size keeps them from it,
// the factor that it costs.

const names = ['fgsm', 'bim', 'mi-fgsm', 'pgd'] as const

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

function expectOutcome(spec: AttackSpec, scene: Scene, norm: Norm, epsilon: number, success: boolean): void {
  const { result, ball } = attackScene(spec, scene, { norm, epsilon })
  expect([epsilon, result.success]).toEqual([epsilon, success])
  expect(ball.distance(result.point)).toBeLessThanOrEqual(epsilon)
}

/** At ε it finds a witness; below the least distance, where there is none, it claims none. */
function expectReach(spec: AttackSpec, scene: Scene, norm: Norm, { least, reach }: { least: number; reach: number }) {
  expectOutcome(spec, scene, norm, reach, true)
  expectOutcome(spec, scene, norm, 0.999 * least, false)
}

describe('linear', () => {
  const pixels = 30
  const weightRows = fc.array(
    fc.integer({ min: -20, max: 20 }).filter((w) => w !== 0),
    { minLength: pixels, maxLength: pixels },
  )
  /** By Hölder, as no pixel comes near a bound. */
  const dual: Readonly<Record<Norm, (weights: readonly number[]) => number>> = {
    linf: (weights) => sum(weights.map(Math.abs)),
    l2: (weights) => Math.hypot(...weights),
    l1: (weights) => Math.max(...weights.map(Math.abs)),
  }
  const least: Readonly<Record<Norm, number>> = { linf: 0.1, l2: 0.2, l1: 0.25 }
  const sceneOf = (weights: readonly number[], norm: Norm): Scene => ({
    model: linearClasses([weights.map(() => 0), weights], [0, -least[norm] * dual[norm](weights) - sum(weights) / 2]),
    image: new Float32Array(pixels).fill(0.5),
    label: 0,
    classes: 2,
  })

  test.each((['linf', 'l2'] as const).flatMap((norm) => names.map((name) => [name, norm] as const)))(
    '%s reaches the least distance in %s',
    (name, norm) => {
      fc.assert(
        fc.property(weightRows, (weights) => {
          const reach = slack[norm] * least[norm]
          expectReach(published(name), sceneOf(weights, norm), norm, { least: least[norm], reach })
        }),
        { numRuns: 40 },
      )
    },
  )

  /**
   * In L1 all of ε belongs on one pixel, but a step moves each by its share of the gradient, |w_i| / ‖w‖₁. On a linear model
   * soft thresholding after every step comes to the same as once at the end, so the end is known: the steps' sum, each pixel
   * λ less, of length ε. Of one step of ε it is a gain of ε ‖w‖₂² / ‖w‖₁, where ε ‖w‖∞ was to be had.
   */
  const factorOf = (weights: readonly number[], travel: number): number => {
    const gains = weights.map(Math.abs).sort((a, b) => b - a)
    const lengths = gains.map((gain) => (travel * gain) / sum(gains))
    const thresholds = lengths.map((_, i) => (sum(lengths.slice(0, i + 1)) - 1) / (i + 1))
    const threshold = Math.max(0, ...thresholds)
    return gains[0] / sum(gains.map((gain, i) => gain * Math.max(0, lengths[i] - threshold)))
  }

  test('of one step the factor is ‖w‖∞ ‖w‖₁ / ‖w‖₂²', () => {
    expect(factorOf([3, -1, 1, 1], 1)).toBeCloseTo((3 * 6) / 12, 12)
  })

  test.each([
    ['fgsm', published('fgsm'), 1],
    ['mi-fgsm', published('mi-fgsm'), 1],
    ['bim', published('bim'), 2],
    ['pgd', published('pgd', { randomStart: false }), 5],
  ] as const)(
    '%s, its steps as they are, goes as much too far in L1 as steps along the gradient do',
    (_, spec, travel) => {
      fc.assert(
        fc.property(weightRows, (weights) => {
          const reach = factorOf(weights, travel) * least.l1
          const scene = sceneOf(weights, 'l1')
          // To a thousandth either way: the sums of float32 pixels are good to a millionth.
          expectReach(spec, scene, 'l1', { least: least.l1, reach: 1.001 * reach })
          expectOutcome(spec, scene, 'l1', 0.999 * reach, false)
        }),
        { numRuns: 40 },
      )
    },
  )

  test.each([
    ['mi-fgsm', 1],
    ['bim', 1],
    ['pgd', 2],
  ] as const)('%s with enough steps reaches the least distance in L1, too', (name, far) => {
    fc.assert(
      fc.property(weightRows, (weights) => {
        // After steps that add up to s the loss is R² ‖w‖₁ / (2s) short of the greatest at most, where R is how far the start is
        // from there in L2: ε, and from a random point of the ball 2ε (Beck 2017, theorem 10.21).
        const shortfall = (1 - 1 / slack.l1) * dual.l1(weights)
        const steps = Math.ceil((far ** 2 * sum(weights.map(Math.abs))) / (2 * shortfall))
        const reach = slack.l1 * least.l1
        expectReach(published(name, { steps, relativeStepSize: 1 }), sceneOf(weights, 'l1'), 'l1', {
          least: least.l1,
          reach,
        })
      }),
      { numRuns: 10 },
    )
  })
})

describe('a ridge, where two planes meet in a fold on which the best point lies', () => {
  const margin = 0.1
  const aside = 0.05
  /** z₁ − z₀ = (x₀ − a₀) − slope · |x₁ − a₁ − aside| − margin around the image a: the fold is beside it. */
  const sceneAt = (seed: number, slope: number): Scene => {
    const image = Float32Array.of(0.45 + seed / 256, 0.5)
    const beside = (point: Float32Array): number => point[1] - image[1] - aside
    return {
      model: classifier(
        (point) => [0, point[0] - image[0] - slope * Math.abs(beside(point)) - margin],
        (point) => [
          [0, 0],
          [1, -slope * Math.sign(beside(point))],
        ],
      ),
      image,
      label: 0,
      classes: 2,
    }
  }
  const scenes = (slope: number): readonly Scene[] => Array.from({ length: 20 }, (_, seed) => sceneAt(seed, slope))
  const expectReachFrom = (
    spec: AttackSpec,
    norm: Norm,
    slope: number,
    distances: { least: number; reach: number },
  ) => {
    for (const scene of scenes(slope)) expectReach(spec, scene, norm, distances)
  }
  // The fold is worth its way: in L2 as aside / margin < slope, in L1 as slope > 1; in Linf the way there costs nothing.
  const slopes: Readonly<Record<Norm, number>> = { linf: 0.7, l2: 0.7, l1: 1.4 }
  const least: Readonly<Record<Norm, number>> = { linf: margin, l2: Math.hypot(margin, aside), l1: margin + aside }
  const small = { steps: 300, relativeStepSize: 0.02 }

  test.each([
    ['bim', 'l2', published('bim')],
    ['bim', 'l1', published('bim')],
    ['pgd', 'l2', published('pgd')],
    ['pgd', 'l1', published('pgd')],
    ['bim with small steps', 'linf', published('bim', small)],
    ['pgd with small steps', 'linf', published('pgd', small)],
    ['mi-fgsm with small steps', 'linf', published('mi-fgsm', small)],
    ['mi-fgsm with small steps', 'l2', published('mi-fgsm', small)],
    ['mi-fgsm with small steps', 'l1', published('mi-fgsm', small)],
  ] as const)('%s reaches the least distance in %s', (_, norm, spec) => {
    expectReachFrom(spec, norm, slopes[norm], { least: least[norm], reach: slack[norm] * least[norm] })
  })

  // Steps of one size jump to and fro across the fold. Of two points a step rε apart, on either side, one is rε / 2 from it at
  // most, so ε (1 − slope · r / 2) is gained at least. (r = 0.25: 1.096 times the least distance, and some starts need that.)
  test.each([
    ['bim', published('bim'), 0.2],
    ['pgd', published('pgd'), 0.25],
  ] as const)('%s, its steps as they are, goes too far in Linf by what half a step costs', (_, spec, r) => {
    const reach = (1.001 * margin) / (1 - (slopes.linf * r) / 2)
    expectReachFrom(spec, 'linf', slopes.linf, { least: least.linf, reach })
  })

  // Momentum carries it as far beyond the fold as it came from before, and a step more on either side: aside + 2rε.
  test('mi-fgsm, its ten steps of ε / 10 as they are, swings across the fold in Linf', () => {
    const reach = (1.001 * (margin + slopes.linf * aside)) / (1 - 2 * slopes.linf * 0.1)
    expectReachFrom(published('mi-fgsm'), 'linf', slopes.linf, { least: least.linf, reach })
  })

  // One step goes beyond the fold: along (1, s) it gains (1 − s²) of its length along x₀, and s · aside from before the fold.
  test.each([
    ['linf', margin, 1 - 0.7],
    ['l2', Math.hypot(margin, aside), (1 - 0.7 ** 2) / Math.hypot(1, 0.7)],
    // With a slope of less than 1 the way to the fold is not worth it in L1.
    ['l1', margin + 0.7 * aside, (1 - 0.7 ** 2) / 1.7],
  ] as const)('fgsm in %s goes beyond the fold, as far as can be calculated', (norm, distance, gain) => {
    const reach = (margin - 0.7 * aside) / gain
    expectReachFrom(published('fgsm'), norm, 0.7, { least: distance, reach: 1.001 * reach })
    for (const scene of scenes(0.7)) expectOutcome(published('fgsm'), scene, norm, 0.999 * reach, false)
  })
})
