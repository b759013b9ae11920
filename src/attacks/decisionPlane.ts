import type { Hyperplane } from './hyperplane.js'
import { dual, lengthOf } from './norms.js'
import { gradientsAt, type Asking } from './protocol.js'
import type { Target } from './target.js'

/** Where the label and a rival would be equally likely if the model were linear. */
export interface DecisionPlane extends Hyperplane {
  /** The rival's logit minus the label's; `gap` is minus this. */
  readonly lead: number
}

/**
 * The model linearised at a point: of the rivals' hyperplanes z_k(x) − z_y(x) + ∇(z_k − z_y)(x)·(x′ − x) = 0 the one that
 * is nearest in the threat's norm (Moosavi-Dezfooli et al. 2016, eq. 8; Croce and Hein, ICML 2020, eq. 7). Undefined when no
 * rival has a finite logit and gradient.
 */
export function* nearestDecisionPlane(
  { threat, label, classes }: Target,
  point: Float32Array,
  rivals: readonly number[],
): Asking<DecisionPlane | undefined> {
  const answers = yield* gradientsAt(
    rivals.map((rival) => ({ point, loss: { name: 'linear', direction: difference(rival, label, classes) } })),
  )
  let nearest: DecisionPlane | undefined
  let least = Infinity
  for (const [place, { logits, gradient }] of answers.entries()) {
    // Not the loss's value: with a class that the model excludes (a logit of −∞) the sum over all classes is NaN.
    const lead = logits[rivals[place]] - logits[label]
    const slope = lengthOf(dual[threat.norm], gradient)
    const distance = Math.abs(lead) / (1e-12 + slope)
    // Neither NaN nor infinite: of a vector that is not finite the length is not either.
    if (!(slope < Infinity && distance < least)) continue
    least = distance
    nearest = { normal: gradient, gap: -lead, lead }
  }
  return nearest
}

/** The direction whose product with the logits is z_rival − z_label. */
function difference(rival: number, label: number, classes: number): Float32Array {
  const direction = new Float32Array(classes)
  direction[rival] = 1
  direction[label] = -1
  return direction
}
