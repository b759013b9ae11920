import { replay, type Asking, type AttackResult } from '../attacks/protocol.js'
import type { Target } from '../attacks/target.js'
import type { AttackSpec } from '../config/attackTypes.js'

/**
 * What an attack ended with in a smaller ball of the same norm, as its end in this one, where it is one: a witness stays a
 * witness, and a nearest point that lay beyond the small ball may lie in this one. Attacks that never look at ε would find
 * the same nearest point again: of them only the point of this ball that is nearest to it is tried, as they do themselves.
 *
 * @returns undefined where the attack has to be run
 */
export function* knownEnd(
  attack: AttackSpec,
  target: Target,
  before: AttackResult | undefined,
  { quantised }: { readonly quantised: boolean },
): Asking<AttackResult | undefined> {
  if (!before || before.success) return before
  const { nearest } = before
  if (!nearest) return undefined
  if (nearest.distance <= target.threat.epsilon) return { ...before, ...nearest, success: true }
  // Rounding to 8 bits depends on the ball.
  if (quantised || !ignoresEpsilon(attack)) return undefined
  const edge = yield* replay(target, target.threat.project(nearest.point))
  if (!edge.success) return { ...before, ...edge }
  const { point, predicted } = edge
  return { ...before, ...edge, nearest: { point, predicted, distance: target.threat.distance(point) } }
}

/**
 * Whether an attack has its turn on an image. One for survivors has none where an attack before it has broken the image, and
 * none where any has in a smaller ball, though it comes later in the suite; its own witness of a smaller ball it brings along.
 *
 * @param broken by an attack before it, in this ball.
 * @param brokenBy ids of the attacks whose ends in smaller balls of the same norm are witnesses in this one.
 */
export function hasItsTurn(
  { id, survivorsOnly }: { readonly id: string; readonly survivorsOnly?: unknown },
  broken: boolean,
  brokenBy: ReadonlySet<string>,
): boolean {
  return survivorsOnly !== true || (!broken && (brokenBy.size === 0 || brokenBy.has(id)))
}

/**
 * Whether what an attack ended with in a smaller ball is a witness in this one.
 *
 * @param nearest the distance of the nearest point that fooled the model, of attacks that look for it.
 */
export function breaksWithin(success: boolean, nearest: number | undefined, epsilon: number): boolean {
  return success || (nearest !== undefined && nearest <= epsilon)
}

/** The nearer of two nearest points is kept, though the attack that found the other one came later. */
export function withNearer(result: AttackResult, before: AttackResult | undefined): AttackResult {
  const known = before?.nearest
  return known && !(result.nearest && result.nearest.distance <= known.distance)
    ? { ...result, nearest: known }
    : result
}

/** Whether an attack takes the same way whatever ε: FAB's starts but the first lie within it. */
function ignoresEpsilon(attack: AttackSpec): boolean {
  switch (attack.name) {
    case 'deepfool':
    case 'cw':
    case 'ddn':
      return true
    case 'fab':
    case 'fab-t':
      return attack.restarts === 1
    default:
      return false
  }
}
