import type { CarliniWagnerSpec } from '../config/attackTypes.js'
import { adam } from './adam.js'
import { NearestWitness } from './nearestWitness.js'
import { gradientAt, type Asking, type Attack } from './protocol.js'
import type { Target } from './target.js'

/**
 * Carlini and Wagner's L2 attack (2017, section VI-A): minimises ‖δ‖² + c · max(0, κ − margin) with Adam over w, where the
 * pixels are tanh(w) stretched to the bounds, and searches the smallest c that fools. ‖δ‖ is in units of the range's
 * width, so that c and the step size mean the same whatever the range.
 */
export function* carliniWagner(target: Target, spec: CarliniWagnerSpec): Attack {
  const search = new NearestWitness(target)
  let [constant, lower, upper] = [spec.initialConstant, 0, Infinity]
  let last = target.threat.image
  for (let round = 1; round <= spec.binarySearchSteps; round++) {
    // The reference ends a long search with the least constant known to succeed.
    if (round === spec.binarySearchSteps && round >= 10) constant = Math.min(upper, 1e10)
    const { fooled, point } = yield* minimise(target, spec, constant, search)
    last = point
    if (fooled) upper = constant
    else lower = constant
    constant = upper === Infinity ? 10 * constant : (lower + upper) / 2
  }
  // With a confidence the boundary is not where the user wants to end.
  if (spec.confidence === 0) yield* search.shorten()
  return yield* search.end(last)
}

/** One run of Adam. Says whether any iterate fooled, and where it ended. */
function* minimise(
  { threat, label }: Target,
  { steps, stepSize, confidence }: CarliniWagnerSpec,
  constant: number,
  search: NearestWitness,
): Asking<{ readonly fooled: boolean; readonly point: Float32Array }> {
  const { image, low, high } = threat
  const [middle, half] = [(low + high) / 2, (high - low) / 2]
  // A little inside the bounds, where tanh is invertible.
  const variables = Float64Array.from(image, (pixel) => Math.atanh(((pixel - middle) / half) * 0.999999))
  const descend = adam(image.length, stepSize)
  const gradient = new Float64Array(image.length)
  const checks = Math.ceil(steps / 10)
  let fooled = false
  let before = Infinity
  let point = image
  for (let step = 0; step < steps; step++) {
    const position = variables.map(Math.tanh)
    point = Float32Array.from(position, (p) => Math.min(high, Math.max(low, middle + half * p)))
    const at = yield* gradientAt(point, { name: 'margin', label })
    if (at.value > confidence && (yield* search.consider(point, at.logits))) fooled = true

    const pull = at.value < confidence ? constant : 0
    let objective = pull * (confidence - at.value)
    for (let i = 0; i < image.length; i++) {
      const change = (point[i] - image[i]) / (high - low)
      objective += change * change
      const slope = (2 * change) / (high - low) - pull * (Number.isFinite(at.gradient[i]) ? at.gradient[i] : 0)
      gradient[i] = slope * half * (1 - position[i] * position[i])
    }
    // Every tenth of the way it must have improved.
    if (step % checks === 0) {
      if (!(objective <= 0.9999 * before)) break
      before = objective
    }
    const change = descend(gradient)
    for (let i = 0; i < image.length; i++) variables[i] += change[i]
  }
  return { fooled, point }
}
