import type { FgsmSpec } from '../config/attackTypes.js'
import { gradientAt, replay, type Attack } from './protocol.js'
import type { Target } from './target.js'

/**
 * Fast gradient sign method: x′ = x + ε · sign(∇ₓ J(x, y)) (Goodfellow, Shlens and Szegedy 2015, section 4), clipped to
 * the bounds. Under L2 the gradient is normalised instead.
 */
export function* fgsm(target: Target, { loss }: FgsmSpec): Attack {
  const { threat, label } = target
  const { gradient } = yield* gradientAt(threat.image, { name: loss, label })
  return yield* replay(target, threat.step(threat.image, gradient, threat.epsilon))
}
