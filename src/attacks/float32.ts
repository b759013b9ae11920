/** What one float32 has for neighbours, in arithmetic: no buffers, no bit patterns, so it may stand in an inner loop. */

const halfUlp = 2 ** -24 * (1 + 2 ** -20)
const halfSmallest = 0.75 * 2 ** -149

/**
 * The float32 next to `value` in the direction of +∞ (`sign` 1) or −∞ (`sign` −1). `value` must be a finite float32.
 *
 * Adds a little more than half of the gap between neighbours and rounds: a little more, because exactly half is a tie
 * at powers of two, and rounding to even would stay put.
 */
export function neighbour(value: number, sign: 1 | -1): number {
  return Math.fround(value + sign * Math.max(Math.abs(value) * halfUlp, halfSmallest))
}

/** The float32 nearest to `value` (any float64) among those between `anchor` (a float32) and `value`. */
export function roundTowards(anchor: number, value: number): number {
  const rounded = Math.fround(value)
  if (value > anchor) return rounded > value ? neighbour(rounded, -1) : rounded
  if (value < anchor) return rounded < value ? neighbour(rounded, 1) : rounded
  return anchor
}

/** `value`, or 0 where it is NaN or infinite: x − x is 0 for every other number. */
export function finite(value: number): number {
  return value - value === 0 ? value : 0
}
