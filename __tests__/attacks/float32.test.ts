import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { neighbour, roundTowards } from '../../src/attacks/float32.js'

const finite = fc.float({ noNaN: true, noDefaultInfinity: true })
const bits = (value: number): number => new Int32Array(new Float32Array([value]).buffer)[0]

/** The next float32 by its bit pattern: consecutive patterns are consecutive values (IEEE 754). */
function nextByBits(value: number, sign: 1 | -1): number {
  if (value === 0) return sign * 2 ** -149
  const next = bits(value) + (value > 0 === sign > 0 ? 1 : -1)
  return new Float32Array(new Int32Array([next]).buffer)[0]
}

describe('float32 arithmetic that the exactness of the balls rests on', () => {
  test.each([1, -1] as const)('neighbour is the next bit pattern, direction %i', (sign) => {
    fc.assert(
      fc.property(finite, (value) => {
        // Adding 0 makes the two zeros one.
        expect(neighbour(value, sign) + 0).toBe(nextByBits(value, sign) + 0)
      }),
      { examples: [[1], [2], [-1], [0.5], [0], [2 ** -126], [2 ** -149], [-(2 ** -149)], [3.4028234663852886e38]] },
    )
  })

  test('rounding towards an anchor never passes the value nor the anchor', () => {
    fc.assert(
      fc.property(finite, fc.double({ noNaN: true, min: -3e38, max: 3e38 }), (anchor, value) => {
        const rounded = roundTowards(anchor, value)
        expect(Math.fround(rounded)).toBe(rounded)
        expect(rounded).toBeGreaterThanOrEqual(Math.min(anchor, value))
        expect(rounded).toBeLessThanOrEqual(Math.max(anchor, value))
        // It is the last float32 before the value: one more would be beyond.
        if (value > anchor) expect(nextByBits(rounded, 1)).toBeGreaterThan(value)
        if (value < anchor) expect(nextByBits(rounded, -1)).toBeLessThan(value)
      }),
    )
  })
})
