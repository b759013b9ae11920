/**
 * The λ ≥ 0 at which Σ min(rooms_i, max(0, lengths_i − λ)) = ε, or 0 where the sum is never above ε. By the conditions of
 * Karush, Kuhn and Tucker its summands are the lengths nearest to those wanted that add up to ε at most and leave no
 * room (Croce and Hein 2021, proposition 3.1; the authors sort all breakpoints of the sum, this searches in a few passes).
 *
 * @param lengths wanted, ≥ 0, and `rooms` ≥ 0 there are, float64 [pixels]
 * @returns λ; the sum is ε but for a relative 2⁻⁴⁰, or as close as float64 comes to it
 */
export function softThreshold(lengths: Float64Array, rooms: Float64Array, epsilon: number): number {
  let low = 0
  let high = lengths.reduce((longest, length) => Math.max(longest, length), 0)
  let threshold = 0
  let halve = false
  // The sum is piecewise linear and falls as λ grows. Newton's method is exact within a piece; where it leaves the
  // bracket, or did not halve it, the middle is next: the bracket is exhausted after two rounds for each of its bits.
  do {
    let sum = 0
    let sliding = 0
    for (let i = 0; i < lengths.length; i++) {
      const rest = lengths[i] - threshold
      if (rest <= 0) continue
      if (rest < rooms[i]) sliding++
      sum += Math.min(rest, rooms[i])
    }
    const excess = sum - epsilon
    if (Math.abs(excess) <= epsilon * 2 ** -40) return threshold
    const width = high - low
    if (excess > 0) low = threshold
    else high = threshold
    halve = !halve && high - low > width / 2
    const newton = threshold + excess / sliding
    threshold = !halve && newton > low && newton < high ? newton : (low + high) / 2
  } while (threshold > low && threshold < high)
  return high
}
