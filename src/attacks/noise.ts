import type { NoiseSpec } from '../config/attackTypes.js'
import { tryPoints, type Tried } from './margin.js'
import type { Attack } from './protocol.js'
import type { RandomSource } from './random.js'
import type { Target } from './target.js'

/** Points in one question: they do not depend on each other, but behind a witness they are in vain. */
const AT_ONCE = 16

/**
 * Random points of the ball, the weakest of attacks: what breaks under it and withstands gradients has gradients that
 * mislead. Ends at the first point that fools the original; without one the result is the point of the greatest margin.
 */
export function* noise(target: Target, { points }: NoiseSpec, random: RandomSource): Attack {
  const stream = random(0, 0)
  let best: Tried | undefined
  for (let asked = 0; asked < points; asked += AT_ONCE) {
    const candidates = Array.from({ length: Math.min(AT_ONCE, points - asked) }, () =>
      target.threat.randomPoint(stream),
    )
    for (const tried of yield* tryPoints(target, candidates)) {
      if (tried.result.success) return tried.result
      if (!best || tried.margin > best.margin) best = tried
    }
  }
  if (!best) throw new RangeError('Noise needs one point at least.')
  return best.result
}
