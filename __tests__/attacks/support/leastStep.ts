import type { Norm } from '../../../src/config/types.js'

/**
 * The least ‖d‖ with w·d ≥ gap and low ≤ x + d ≤ high, slowly and without sorting: by bisection on the multiplier of the
 * constraint in Linf and L2, and in L1 as the maximum of the dual function, which is concave. Infinite when no point of the
 * box is that far.
 */
export function leastStep(
  norm: Norm,
  point: readonly number[],
  weights: readonly number[],
  gap: number,
  [low, high]: readonly [number, number],
): number {
  if (gap <= 0) return 0
  const gains = weights.map(Math.abs)
  const rooms = weights.map((w, i) => (w > 0 ? high - point[i] : w < 0 ? point[i] - low : 0))
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
  const most = sum(gains.map((gain, i) => gain * rooms[i]))
  if (most < gap) return Infinity

  if (norm === 'l1') {
    const value = (price: number): number =>
      price * gap - sum(gains.map((gain, i) => rooms[i] * Math.max(0, price * gain - 1)))
    let [left, right] = [0, 1 / Math.min(...gains.filter((gain) => gain > 0))]
    for (let i = 0; i < 300; i++) {
      const [one, other] = [left + (right - left) / 3, right - (right - left) / 3]
      if (value(one) < value(other)) left = one
      else right = other
    }
    return value((left + right) / 2)
  }

  const step = (multiplier: number): number[] =>
    gains.map((gain, i) => Math.min(rooms[i], multiplier * (norm === 'l2' ? gain : Math.sign(gain))))
  let [less, more] = [0, 1]
  while (sum(step(more).map((d, i) => d * gains[i])) < gap && more < 1e300) more *= 2
  for (let i = 0; i < 200; i++) {
    const middle = (less + more) / 2
    if (sum(step(middle).map((d, j) => d * gains[j])) < gap) less = middle
    else more = middle
  }
  return norm === 'l2' ? Math.hypot(...step(more)) : Math.max(...step(more))
}
