import type { PgdSpec } from '../config/attackTypes.js'
import { probe, replay, type Attack } from './protocol.js'
import type { RandomSource } from './random.js'
import type { Target } from './target.js'

/**
 * Projected gradient descent on the negative loss: x^{t+1} = Π_{x+S}(x^t + α · sign(∇ₓ L(x^t, y))) (Madry et al. 2018,
 * section 2.1), with optional random starts. It ends at the first iterate that fools the original; an iterate that fools
 * the surrogate only is passed over. Without a witness the result is the last iterate of the last start.
 */
export function* pgd(target: Target, options: PgdSpec, random: RandomSource): Attack {
  const start = (restart: number): Float32Array =>
    options.randomStart ? target.threat.randomPoint(random(restart, 0)) : target.threat.image

  let result = yield* ascent(target, options, start(0))
  for (let restart = 1; restart < options.restarts && !result.success; restart++)
    result = yield* ascent(target, options, start(restart))
  return result
}

function* ascent(target: Target, options: PgdSpec, start: Float32Array): Attack {
  const { threat, label } = target
  const loss = { name: options.loss, label }
  const stepSize = stepSizeOf(options, threat.epsilon)
  let point = start
  for (let step = 0; step < options.steps; step++) {
    const { at, witness } = yield* probe(target, point, loss)
    if (witness) return witness
    point = threat.step(point, at.gradient, stepSize)
  }
  return yield* replay(target, point)
}

function stepSizeOf({ id, stepSize, relativeStepSize }: PgdSpec, epsilon: number): number {
  if (stepSize !== undefined) return stepSize
  if (relativeStepSize !== undefined) return relativeStepSize * epsilon
  throw new RangeError(`The attack ${id} has no step size.`)
}
