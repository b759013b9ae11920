import type { PgdSpec } from '../config/attackTypes.js'
import { fixedStepAscent } from './fixedSteps.js'
import type { Attack } from './protocol.js'
import type { RandomSource } from './random.js'
import type { Target } from './target.js'

/**
 * Projected gradient descent on the negative loss: x^{t+1} = Π_{x+S}(x^t + α · sign(∇ₓ L(x^t, y))) (Madry et al. 2018,
 * section 2.1), with optional random starts. Without a witness the result is the last iterate of the last start.
 */
export function* pgd(target: Target, options: PgdSpec, random: RandomSource): Attack {
  const start = (restart: number): Float32Array =>
    options.randomStart ? target.threat.randomPoint(random(restart, 0)) : target.threat.image

  let result = yield* fixedStepAscent(target, options, start(0))
  for (let restart = 1; restart < options.restarts && !result.success; restart++)
    result = yield* fixedStepAscent(target, options, start(restart))
  return result
}
