import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { randomStream } from '../../src/attacks/random.js'
import { threatModel } from '../../src/attacks/threat.js'

const l1 = (image: readonly number[], epsilon: number) =>
  threatModel(Float32Array.from(image), { norm: 'l1', epsilon }, [0, 1])

/**
 * The nearest point of the ball within the bounds by its definition, slowly: sign(δ)·min(room, max(0, |δ| − λ)) with the λ
 * at which the lengths add up to ε (Croce and Hein 2021, proposition 3.1), by 200 bisections.
 */
function nearest(image: Float32Array, wanted: Float32Array, epsilon: number): number[] {
  const moved = (lambda: number): number[] =>
    Array.from(image, (pixel, i) => {
      const change = wanted[i] - pixel
      return Math.sign(change) * Math.min(change > 0 ? 1 - pixel : pixel, Math.max(0, Math.abs(change) - lambda))
    })
  const length = (changes: readonly number[]): number => changes.reduce((sum, change) => sum + Math.abs(change), 0)
  let [low, high] = [0, 1e3]
  if (length(moved(0)) <= epsilon) high = 0
  for (let round = 0; round < 200; round++) {
    const middle = (low + high) / 2
    if (length(moved(middle)) > epsilon) low = middle
    else high = middle
  }
  return moved(high).map((change, i) => image[i] + change)
}

describe('projection to the L1 ball within the bounds', () => {
  test.each([
    // Soft threshold 1: (3, 2, 0.5) → (2, 1, 0) at ε = 3, scaled by 1/8 to stay inside the bounds.
    ['no bound in the way', [0.25, 0.25, 0.25], [0.625, 0.5, 0.3125], 0.375, [0.5, 0.375, 0.25]],
    // The first has room 1/8 only; what it cannot use goes to the others: λ = 1/8 instead of 1/4.
    ['one at its bound', [0.875, 0.25, 0.25], [1.5, 0.625, 0.5], 0.5, [1, 0.5, 0.375]],
    ['the ball is no limit: it is clipping', [0.5, 0.5], [3, -2], 1, [1, 0]],
    ['a point inside', [0.5, 0.5], [0.625, 0.25], 0.5, [0.625, 0.25]],
  ])('by hand: %s', (_, image, point, epsilon, expected) => {
    expect([...l1(image, epsilon).project(Float32Array.from(point))]).toEqual(expected)
  })

  const setting = fc.record({
    image: fc.array(fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })), {
      minLength: 1,
      maxLength: 60,
    }),
    epsilon: fc.double({ min: 1e-3, max: 30, noNaN: true }),
    spread: fc.constantFrom(0.01, 0.1, 1, 10),
    seed: fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer({ min: 1 })),
  })

  test('is the nearest point: none other of the ball would be, whatever the attack wanted', () => {
    fc.assert(
      fc.property(setting, ({ image, epsilon, spread, seed }) => {
        const random = randomStream(seed)
        const threat = l1(image, epsilon)
        const wanted = threat.image.map((pixel) => pixel + spread * random.gaussian())
        const projected = threat.project(wanted)
        // Each pixel to the next float32 below 1 (2⁻²⁴), and λ to 2⁻⁴⁰ of ε ≤ 30, which is far less.
        nearest(threat.image, wanted, epsilon).forEach((value, i) =>
          expect(Math.abs(projected[i] - value)).toBeLessThanOrEqual(2 ** -23),
        )
        expect(threat.project(projected)).toEqual(projected)
      }),
      { numRuns: 500 },
    )
  })

  test('equal pixels and a thousand of them: the search for λ ends, with nothing of the ball given away', () => {
    const image = new Array<number>(1000).fill(0.5)
    const threat = l1(image, 10)
    const all = threat.project(new Float32Array(1000).fill(0.625))
    // 0.01 each, rounded towards the image: at most 2⁻²⁴ below.
    expect(threat.distance(all)).toBeGreaterThan(10 - 1000 * 2 ** -24)
    const one = new Float32Array(1000).fill(0.5)
    one[7] = 99
    expect(threat.distance(threat.project(one))).toBe(0.5)
  })
})
