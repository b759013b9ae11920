import type { FgsmSpec } from '../config/types.js'
import { gradientAt, replay, type Attack } from './protocol.js'
import type { ThreatModel } from './threat.js'

/**
 * Fast gradient sign method: x′ = x + ε · sign(∇ₓ J(x, y)) (Goodfellow, Shlens and Szegedy 2015, section 4), clipped to
 * the bounds. Under L2 the gradient is normalised instead.
 */
export function* fgsm(threat: ThreatModel, label: number, { loss }: FgsmSpec): Attack {
  const { gradient } = yield* gradientAt(threat.image, { name: loss, label })
  return yield* replay(threat.step(threat.image, gradient, threat.epsilon), label)
}
