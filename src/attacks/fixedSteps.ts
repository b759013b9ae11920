import type { BimSpec } from '../config/attackTypes.js'
import { probe, replay, type Attack } from './protocol.js'
import { stillRising } from './rising.js'
import type { Target } from './target.js'

/** One of the two step sizes is set. */
type FixedSteps = Pick<BimSpec, 'id' | 'loss' | 'steps' | 'stepSize' | 'relativeStepSize'>

/**
 * Projected gradient ascent from one start with steps of one size. It ends at the first iterate that fools the original; an
 * iterate that fools the surrogate only is passed over. Without a witness the result is the last iterate.
 *
 * @param direction what to follow instead of the gradient, float32 [pixels] in and out: momentum, for instance
 */
export function* fixedStepAscent(
  target: Target,
  options: FixedSteps,
  start: Float32Array,
  direction: (gradient: Float32Array) => Float32Array = (gradient) => gradient,
): Attack {
  const { threat, label } = target
  const loss = { name: options.loss, label }
  const stepSize = stepSizeOf(options, threat.epsilon)
  const losses: number[] = []
  let point = start
  for (let step = 0; step < options.steps; step++) {
    const { at, witness } = yield* probe(target, point, loss)
    if (witness) return witness
    losses.push(at.value)
    point = threat.step(point, direction(at.gradient), stepSize)
  }
  const last = yield* replay(target, point)
  return !last.success && stillRising(losses) ? { ...last, rising: true } : last
}

function stepSizeOf({ id, stepSize, relativeStepSize }: FixedSteps, epsilon: number): number {
  if (stepSize !== undefined) return stepSize
  if (relativeStepSize !== undefined) return relativeStepSize * epsilon
  throw new RangeError(`The attack ${id} has no step size.`)
}
