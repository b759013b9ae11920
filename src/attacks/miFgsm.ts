import type { MiFgsmSpec } from '../config/attackTypes.js'
import { fixedStepAscent } from './fixedSteps.js'
import type { Attack } from './protocol.js'
import type { Target } from './target.js'

/**
 * Momentum iterative FGSM: g_{t+1} = μ g_t + ∇ₓJ / ‖∇ₓJ‖₁, x_{t+1} = x_t + α · sign(g_{t+1}) (Dong et al. 2018, algorithm
 * 1); under L2 α · g / ‖g‖₂ (eq. 10). Code that divides by the mean of |∇ₓJ| instead scales every g alike and takes the
 * same steps.
 */
export function* miFgsm(target: Target, options: MiFgsmSpec): Attack {
  return yield* fixedStepAscent(
    target,
    options,
    target.threat.image,
    momentum(target.threat.image.length, options.decay),
  )
}

function momentum(pixels: number, decay: number): (gradient: Float32Array) => Float32Array {
  const accumulated = new Float64Array(pixels)
  return (gradient) => {
    const slopes = gradient.map((slope) => (Number.isFinite(slope) ? slope : 0))
    const length = slopes.reduce((sum, slope) => sum + Math.abs(slope), 0)
    // A gradient that tells nothing leaves the momentum to carry on.
    const scale = length > 0 ? 1 / length : 0
    for (let i = 0; i < pixels; i++) accumulated[i] = decay * accumulated[i] + scale * slopes[i]
    return Float32Array.from(accumulated)
  }
}
