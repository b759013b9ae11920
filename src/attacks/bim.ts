import type { BimSpec } from '../config/attackTypes.js'
import { fixedStepAscent } from './fixedSteps.js'
import type { Attack } from './protocol.js'
import type { Target } from './target.js'

/**
 * Basic iterative method: x_{t+1} = Clip_{x,ε}(x_t + α · sign(∇ₓ J(x_t, y))) from x_0 = x (Kurakin, Goodfellow and Bengio
 * 2017, section 2.2): PGD without a random start.
 */
export function* bim(target: Target, options: BimSpec): Attack {
  return yield* fixedStepAscent(target, options, target.threat.image)
}
