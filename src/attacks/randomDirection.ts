import type { Norm } from '../config/types.js'
import { lengthOf } from './norms.js'
import type { Random } from './random.js'

/** A random direction of length 1 in the norm: uniform pixels (Linf) or normal ones (L2, L1), divided by their norm. */
export function randomDirection(norm: Norm, pixels: number, random: Random): Float64Array {
  const direction = Float64Array.from({ length: pixels }, () =>
    norm === 'linf' ? 2 * random.uniform() - 1 : random.gaussian(),
  )
  const length = Math.max(lengthOf(norm, direction), 1e-12)
  return direction.map((value) => value / length)
}
