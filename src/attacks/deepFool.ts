import type { DeepFoolSpec } from '../config/attackTypes.js'
import { nearestDecisionPlane, type DecisionPlane } from './decisionPlane.js'
import { stepToHyperplane } from './hyperplane.js'
import { NearestWitness } from './nearestWitness.js'
import { dual, lengthOf } from './norms.js'
import type { Attack } from './protocol.js'
import { likeliestRivals } from './rivals.js'
import type { Target } from './target.js'
import type { ThreatModel } from './threat.js'

/**
 * DeepFool (Moosavi-Dezfooli, Fawzi and Frossard 2016, algorithm 2): steps onto the nearest of the linearised decision
 * boundaries, and a little beyond, until the original is fooled. It ends at the first point that does.
 */
export function* deepFool(target: Target, { steps, overshoot, candidates }: DeepFoolSpec): Attack {
  const search = new NearestWitness(target)
  // As foolbox counts them, the label is one of the candidates.
  const rivals = yield* likeliestRivals(target, candidates - 1)
  let point = target.threat.image
  for (let step = 0; step < steps; step++) {
    const plane = yield* nearestDecisionPlane(target, point, rivals)
    if (!plane) break
    const next = beyond(target.threat, point, plane, { overshoot, withinBounds: 2 * step >= steps })
    const fooled = yield* search.offer(next)
    if (fooled || next.every((pixel, i) => pixel === point[i])) break
    point = next
  }
  yield* search.shorten()
  return yield* search.end(point)
}

interface Step {
  readonly overshoot: number
  /** Whether pixels that meet a bound leave their share of the way to the others. */
  readonly withinBounds: boolean
}

/**
 * One step with its overshoot, always in the direction in which the rival gains: where it leads already and the original
 * was not fooled, farther. As published, the bounds cut off what leads beyond them, and the short steps that remain
 * find nearer points than steps that make up for it: on the fashion models the median distance is 5 % and 21 % less in
 * L2. But where most pixels lie at a bound they come to a halt, so the second half of the steps does make up for it. So
 * does every step in L1, where the published one moves a single pixel.
 */
function beyond(
  { norm, low, high }: ThreatModel,
  point: Float32Array,
  { normal, lead }: DecisionPlane,
  { overshoot, withinBounds }: Step,
): Float32Array {
  const length = lengthOf(dual[norm], normal)
  // A millionth of the range at least: a tie is not a win, and it has a gap of 0.
  const gap = Math.max(Math.abs(lead), 1e-6 * (high - low) * length)
  const step =
    withinBounds || norm === 'l1' || length === 0
      ? stepToHyperplane(norm, point, { normal, gap }, low, high)
      : Float64Array.from(normal, (w) => (gap / length) * (norm === 'l2' ? w / length : Math.sign(w)))
  return point.map((pixel, i) => Math.min(high, Math.max(low, pixel + (1 + overshoot) * step[i])))
}
