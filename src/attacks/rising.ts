/**
 * Whether a loss had not settled when an attack ended: within the last tenth of the steps (one at least) its maximum rose
 * by more than half of what a steady rise would have gained there. Less than that is a settled loss that goes on finding
 * slightly better points: under sign steps it never stands still.
 *
 * @param losses at the points of one start, in order
 */
export function stillRising(losses: readonly number[]): boolean {
  const late = Math.ceil(losses.length / 10)
  if (losses.length <= late) return false
  const before = Math.max(...losses.slice(0, -late))
  const best = Math.max(before, ...losses.slice(-late))
  const steady = ((best - losses[0]) * late) / (losses.length - 1)
  return best - before > steady / 2
}
