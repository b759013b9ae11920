import type { Norm } from '../config/types.js'

/** Of every pixel: what w·d gains per unit of its way, and how far it can go before it meets a bound. */
interface Pixels {
  readonly gains: Float64Array
  readonly rooms: Float64Array
}

/** A hyperplane as seen from a point x: the points z with w·(z − x) = gap. */
export interface Hyperplane {
  /** w, float32 [pixels], finite */
  readonly normal: Float32Array
  readonly gap: number
}

/**
 * The shortest step from a point onto a hyperplane that stays inside the bounds: d with the least ‖d‖ among those with
 * w·d = gap and low ≤ x + d ≤ high (Croce and Hein, ICML 2020, eq. 4 and appendix A). A hyperplane that misses the box
 * is approached as far as the bounds allow.
 *
 * @param point x, float32 [pixels], inside the bounds
 * @returns d, float64 [pixels]
 */
export function stepToHyperplane(
  norm: Norm,
  point: Float32Array,
  { normal, gap }: Hyperplane,
  low: number,
  high: number,
): Float64Array {
  const gains = new Float64Array(point.length)
  const rooms = new Float64Array(point.length)
  for (let i = 0; i < point.length; i++) {
    const slope = gap < 0 ? -normal[i] : normal[i]
    gains[i] = Math.abs(slope)
    rooms[i] = slope > 0 ? high - point[i] : slope < 0 ? point[i] - low : 0
  }
  const step = WAYS[norm]({ gains, rooms }, Math.abs(gap))
  for (let i = 0; i < step.length; i++) if (normal[i] < 0 !== gap < 0) step[i] = -step[i]
  return step
}

/** How far each pixel goes, so that the gains add up to `gap`. (They may write over what they are given.) */
const WAYS: Readonly<Record<Norm, (pixels: Pixels, gap: number) => Float64Array>> = {
  linf: (pixels, gap) => spread(pixels, gap, () => 1),
  l2: (pixels, gap) => spread(pixels, gap, (gain) => gain),
  l1: concentrate,
}

/**
 * All pixels set out at once, each at its pace, and stop at their bounds: way = min(room, t · pace). The time t is found by
 * Newton's method on a concave, piecewise linear function, which never overshoots and ends once no more pixels stop
 * (variable fixing, Kiwiel 2008): 2 to 6 rounds on images, and no sorting.
 */
function spread({ gains, rooms }: Pixels, gap: number, paceOf: (gain: number) => number): Float64Array {
  let time = 0
  for (;;) {
    let gained = 0
    let rate = 0
    for (let i = 0; i < gains.length; i++) {
      const pace = paceOf(gains[i])
      if (rooms[i] <= time * pace) gained += gains[i] * rooms[i]
      else rate += gains[i] * pace
    }
    if (rate === 0) return rooms
    const later = (gap - gained) / rate
    if (!(later > time)) break
    time = later
  }
  for (let i = 0; i < rooms.length; i++) rooms[i] = Math.min(rooms[i], time * paceOf(gains[i]))
  return rooms
}

/** The pixels that gain most go first, each as far as it can; the last one as far as is needed. */
function concentrate({ gains, rooms }: Pixels, gap: number): Float64Array {
  const ways = new Float64Array(gains.length)
  let left = gap
  for (const i of mostGaining({ gains, rooms }, gap)) {
    if (left <= 0) break
    ways[i] = Math.min(rooms[i], left / gains[i])
    left -= gains[i] * ways[i]
  }
  return ways
}

/**
 * Enough pixels to gain `gap`, or all that gain anything, those that gain most first. The threshold is halved until
 * enough of them are above it: sorting the few that are is cheaper than sorting all.
 */
function mostGaining({ gains, rooms }: Pixels, gap: number): Uint32Array {
  let threshold = 0
  for (let i = 0; i < gains.length; i++) threshold = Math.max(threshold, gains[i])
  for (let reach = 0; reach < gap && threshold > 0;) {
    // A float32 is 0 or at least 2^-149, so this comes to an end.
    threshold = threshold < 2 ** -150 ? 0 : threshold / 2
    reach = 0
    for (let i = 0; i < gains.length; i++) if (gains[i] > threshold) reach += gains[i] * rooms[i]
  }
  const chosen: number[] = []
  for (let i = 0; i < gains.length; i++) if (gains[i] > threshold) chosen.push(i)
  return Uint32Array.from(chosen).sort((one, other) => gains[other] - gains[one])
}
