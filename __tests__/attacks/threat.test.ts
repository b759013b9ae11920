import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { randomStream } from '../../src/attacks/random.js'
import { threatModel } from '../../src/attacks/threat.js'
import type { Norm } from '../../src/config/types.js'

const norms = ['linf', 'l2', 'l1'] as const
const ranges = [
  [0, 1],
  [0, 255],
  [-1, 1],
] as const

const setting = fc
  .record({
    norm: fc.constantFrom(...norms),
    bounds: fc.constantFrom(...ranges),
    epsilon: fc.oneof(
      fc.constantFrom(0.1, 8 / 255, 8, 1e-9, 1e-30, 1e6, 1e300, 2 ** -24),
      fc.double({ min: 1e-12, max: 300, noNaN: true }),
    ),
    shades: fc.array(fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })), {
      minLength: 1,
      maxLength: 40,
    }),
    seed: fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer({ min: 1 })),
  })
  .map(({ norm, bounds, epsilon, shades, seed }) => {
    const image = Float32Array.from(shades, (shade) => bounds[0] + shade * (bounds[1] - bounds[0]))
    return {
      image,
      norm,
      epsilon,
      bounds,
      random: randomStream(seed),
      threat: threatModel(image, { norm, epsilon }, bounds),
    }
  })

/** The definition, written out without the code under test. */
function distance(norm: Norm, image: Float32Array, point: Float32Array): number {
  const differences = Array.from(point, (value, i) => Math.abs(value - image[i]))
  if (norm === 'linf') return Math.max(...differences)
  if (norm === 'l1') return differences.reduce((sum, d) => sum + d, 0)
  return Math.sqrt(differences.reduce((sum, d) => sum + d * d, 0))
}

function expectAllowed(
  point: Float32Array,
  {
    image,
    norm,
    epsilon,
    bounds,
  }: { image: Float32Array; norm: Norm; epsilon: number; bounds: readonly [number, number] },
): void {
  expect(distance(norm, image, point)).toBeLessThanOrEqual(epsilon)
  expect(Math.min(...point)).toBeGreaterThanOrEqual(bounds[0])
  expect(Math.max(...point)).toBeLessThanOrEqual(bounds[1])
}

describe('no adversarial example leaves the ball or the bounds, not by one bit', () => {
  test('projection of any point', () => {
    fc.assert(
      fc.property(setting, fc.double({ min: -1e4, max: 1e4, noNaN: true }), (given, spread) => {
        const point = given.image.map((pixel) => pixel + spread * given.random.gaussian())
        expectAllowed(given.threat.project(point), given)
      }),
      { numRuns: 500 },
    )
  })

  test('random starts', () => {
    fc.assert(fc.property(setting, (given) => expectAllowed(given.threat.randomPoint(given.random), given)))
  })

  test('a walk of steps, each from where the last one ended', () => {
    fc.assert(
      fc.property(setting, fc.double({ min: 1e-3, max: 3, noNaN: true }), (given, relative) => {
        let point: Float32Array = given.image
        for (let step = 0; step < 5; step++) {
          const gradient = given.image.map(() => given.random.gaussian())
          point = given.threat.step(point, gradient, relative * Math.min(given.epsilon, 1e30))
          expectAllowed(point, given)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('the distance reported is the distance by definition', () => {
    fc.assert(
      fc.property(setting, (given) => {
        const point = given.threat.randomPoint(given.random)
        expect(given.threat.distance(point)).toBe(distance(given.norm, given.image, point))
      }),
    )
  })
})

describe('the attacker gets the whole ball', () => {
  test('a point inside is left where it is', () => {
    fc.assert(
      fc.property(setting, (given) => {
        const point = given.threat.randomPoint(given.random)
        expect(given.threat.project(point)).toEqual(point)
        expect(given.threat.project(given.image)).toEqual(given.image)
      }),
    )
  })

  test('the corners of the Linf box are the last float32 inside', () => {
    const image = Float32Array.of(0.3, 0.9)
    const corner = threatModel(image, { norm: 'linf', epsilon: 0.1 }, [0, 1]).project(Float32Array.of(9, 9))
    const next = (value: number): number => Math.fround(value + 2 ** -25)
    expect(corner[0] - image[0]).toBeLessThanOrEqual(0.1)
    expect(next(corner[0]) - image[0]).toBeGreaterThan(0.1)
    expect(corner[1] - image[1]).toBeGreaterThan(0.1 - 2 ** -24)
  })

  test('a projection to the L2 ball ends on its surface, along the ray', () => {
    // 3-4-5: from (0.5, 0.5) towards (0.5 + 3, 0.5 + 4), ε = 0.05 → (0.53, 0.54), to the float32 below.
    const threat = threatModel(Float32Array.of(0.5, 0.5), { norm: 'l2', epsilon: 0.05 }, [0, 1])
    const point = threat.project(Float32Array.of(3.5, 4.5))
    expect(point[0]).toBeCloseTo(0.53, 6)
    expect(point[1]).toBeCloseTo(0.54, 6)
    expect(threat.distance(point)).toBeGreaterThan(0.05 - 2 ** -23)
  })

  // Most images have pixels at a bound: what an attack cannot spend there it may spend elsewhere.
  test('where the bounds stop a pixel the others of the L2 ball go on: to the nearest point of ball and bounds', () => {
    // 3-4-5 again: the first pixel stops after 0.03 of ε = 0.05, so the second has 0.04, of the way (0.3, 0.08).
    const threat = threatModel(Float32Array.of(0.97, 0.5), { norm: 'l2', epsilon: 0.05 }, [0, 1])
    const point = threat.project(Float32Array.of(1.27, 0.58))
    expect(point[0]).toBe(1)
    expect(point[1]).toBeCloseTo(0.54, 6)
  })

  test('no point of ball and bounds is nearer than the projection', () => {
    fc.assert(
      fc.property(setting, fc.double({ min: -2, max: 2, noNaN: true }), (given, spread) => {
        const width = given.bounds[1] - given.bounds[0]
        const wanted = given.image.map((pixel) => pixel + spread * width * given.random.gaussian())
        const projected = given.threat.project(wanted)
        // A convex set: seen from its nearest point nothing of it lies in the direction of the point that was wanted. What
        // does most likely is the point that was wanted, clipped first and then drawn to the ball.
        const clipped = wanted.map((pixel) => Math.min(given.bounds[1], Math.max(given.bounds[0], pixel)))
        const share = Math.min(1, given.epsilon / distance(given.norm, given.image, clipped))
        const other = given.image.map((pixel, i) => pixel + share * (clipped[i] - pixel))
        const largest = Math.max(...given.bounds.map(Math.abs))
        let ahead = 0
        let ways = 0
        for (let i = 0; i < wanted.length; i++) {
          ahead += (wanted[i] - projected[i]) * (other[i] - projected[i])
          ways += Math.abs(wanted[i] - projected[i]) + Math.abs(other[i] - projected[i])
        }
        // Of the projection every pixel is rounded, by 2⁻²³ of itself at most: to a float32, and then towards the image.
        expect(ahead).toBeLessThanOrEqual(2 ** -23 * largest * ways)
      }),
      { numRuns: 500 },
    )
  })
})

describe('one step of ascent', () => {
  const image = Float32Array.of(0.5, 0.5, 0.5, 0.5)

  test('Linf: along the sign of the gradient, and nowhere where it is zero or NaN', () => {
    const threat = threatModel(image, { norm: 'linf', epsilon: 0.5 }, [0, 1])
    const step = threat.step(image, Float32Array.of(3, -1e-30, 0, Number.NaN), 0.125)
    expect([...step]).toEqual([0.625, 0.375, 0.5, 0.5])
  })

  test('L2: along the gradient, with the length of the step', () => {
    const threat = threatModel(image, { norm: 'l2', epsilon: 1 }, [0, 1])
    // (3, −4, 0)/5 · 0.3125 = (0.1875, −0.25, 0): exact in binary.
    expect([...threat.step(image, Float32Array.of(3, -4, 0, 0), 0.3125)]).toEqual([0.6875, 0.25, 0.5, 0.5])
    // A vanishing gradient (denormal squares in float32) still has a direction.
    expect(
      [...threat.step(image, Float32Array.of(3e-30, -4e-30, 0, 0), 0.3125)].map((v) => Math.round(v * 1e6)),
    ).toEqual([687500, 250000, 500000, 500000])
  })

  test('L1: along the gradient, with the length of the step in L1', () => {
    const threat = threatModel(image, { norm: 'l1', epsilon: 1 }, [0, 1])
    // (3, −1, 0)/4 · 0.5 = (0.375, −0.125, 0): exact in binary.
    expect([...threat.step(image, Float32Array.of(3, -1, 0, 0), 0.5)]).toEqual([0.875, 0.375, 0.5, 0.5])
    expect(threat.step(image, new Float32Array(4), 0.1)).toEqual(image)
    expect([...threat.step(image, Float32Array.of(Number.NaN, Infinity, 2, 0), 0.25)]).toEqual([0.5, 0.5, 0.75, 0.5])
  })

  test('L2: a zero gradient gives no step; components that are not finite do not move', () => {
    const threat = threatModel(image, { norm: 'l2', epsilon: 1 }, [0, 1])
    expect(threat.step(image, new Float32Array(4), 0.1)).toEqual(image)
    expect([...threat.step(image, Float32Array.of(Number.NaN, Infinity, 2, 0), 0.25)]).toEqual([0.5, 0.5, 0.75, 0.5])
  })

  test('arguments are left alone', () => {
    for (const norm of norms) {
      const point = Float32Array.of(0.1, 0.2, 0.3, 0.4)
      const threat = threatModel(image, { norm, epsilon: 0.01 }, [0, 1])
      threat.step(point, Float32Array.of(1, 1, 1, 1), 0.1)
      threat.project(point)
      expect(point).toEqual(Float32Array.of(0.1, 0.2, 0.3, 0.4))
    }
  })
})

describe('random starts are uniform in the ball', () => {
  // 4,000 draws: a mean is off by more than 5 standard errors once in two million; the seed is fixed.
  const draws = 4000
  const image = new Float32Array(3).fill(0.5)

  test('Linf: each pixel uniform on [x − ε, x + ε]', () => {
    const threat = threatModel(image, { norm: 'linf', epsilon: 0.25 }, [0, 1])
    const random = randomStream([1, 2, 3, 4])
    const values = Array.from({ length: draws }, () => threat.randomPoint(random)[0] - 0.5)
    const mean = values.reduce((sum, v) => sum + v, 0) / draws
    const variance = values.reduce((sum, v) => sum + v * v, 0) / draws
    // Variance (2ε)²/12; its standard error is ε²·√(4/45)/√draws.
    expect(Math.abs(mean)).toBeLessThan((5 * 0.25) / Math.sqrt(3 * draws))
    expect(Math.abs(variance - 0.25 ** 2 / 3)).toBeLessThan((5 * 0.25 ** 2 * Math.sqrt(4 / 45)) / Math.sqrt(draws))
  })

  test('L2: the radius is ε·u^(1/n), so (r/ε)^n is uniform', () => {
    const threat = threatModel(image, { norm: 'l2', epsilon: 0.25 }, [0, 1])
    const random = randomStream([1, 2, 3, 4])
    const volumes = Array.from({ length: draws }, () => (threat.distance(threat.randomPoint(random)) / 0.25) ** 3)
    const mean = volumes.reduce((sum, v) => sum + v, 0) / draws
    const variance = volumes.reduce((sum, v) => sum + (v - mean) ** 2, 0) / draws
    expect(Math.abs(mean - 1 / 2)).toBeLessThan(5 / Math.sqrt(12 * draws))
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(5 * Math.sqrt(1 / 180 / draws))
  })

  test('L1: (r/ε)^n is uniform, each sign as likely as the other, and each pixel has its share', () => {
    const threat = threatModel(image, { norm: 'l1', epsilon: 0.25 }, [0, 1])
    const random = randomStream([1, 2, 3, 4])
    const points = Array.from({ length: draws }, () => threat.randomPoint(random))
    const mean = (of: (point: Float32Array) => number) => points.reduce((sum, p) => sum + of(p), 0) / draws
    const volume = (point: Float32Array): number => (threat.distance(point) / 0.25) ** 3
    expect(Math.abs(mean(volume) - 1 / 2)).toBeLessThan(5 / Math.sqrt(12 * draws))
    expect(Math.abs(mean((p) => (volume(p) - 1 / 2) ** 2) - 1 / 12)).toBeLessThan(5 * Math.sqrt(1 / 180 / draws))
    for (const i of [0, 1, 2]) {
      expect(Math.abs(mean((p) => Math.sign(p[i] - 0.5)))).toBeLessThan(5 / Math.sqrt(draws))
      // |δ_i|/r is Beta(1, 2): mean 1/3, variance 1/18.
      const share = mean((p) => Math.abs(p[i] - 0.5) / threat.distance(p))
      expect(Math.abs(share - 1 / 3)).toBeLessThan(5 * Math.sqrt(1 / 18 / draws))
    }
  })
})

test('a pixel outside the bounds is refused in one line', () => {
  expect(() => threatModel(Float32Array.of(0, 1.5), { norm: 'linf', epsilon: 0.1 }, [0, 1])).toThrow(
    'Pixel 1 of an image is 1.5, outside the range 0…1',
  )
})
