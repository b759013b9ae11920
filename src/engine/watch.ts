import type { Asking, GradientAnswer } from '../attacks/protocol.js'
import type { Sign } from './signs.js'

/** What the gradients that one image's attacks were given had in common. */
export class GradientWatch {
  #asked = 0
  #useful = false
  #broken = false
  #probabilities = true;

  /** Passes an attack's questions and answers on, and looks at the gradients among them. */
  *over<Result>(attack: Asking<Result>): Asking<Result> {
    let step = attack.next([])
    while (!step.done) {
      const answers = yield step.value
      for (const answer of answers) if (answer.kind === 'gradient') this.#see(answer)
      step = attack.next(answers)
    }
    return step.value
  }

  /** @param survived - The image withstood some threat: else it was tested, whatever the gradients were. */
  signs(survived: boolean): readonly Sign[] {
    if (this.#asked === 0) return []
    return [
      ...(survived && !this.#useful ? (['no-gradient'] as const) : []),
      ...(this.#broken ? (['non-finite-gradient'] as const) : []),
      ...(this.#probabilities ? (['probability-logits'] as const) : []),
    ]
  }

  #see({ gradient, logits }: GradientAnswer): void {
    this.#asked++
    this.#probabilities &&= lookLikeProbabilities(logits)
    // One pass: x − x is 0 for every number, and NaN for NaN and the infinities.
    let useful = false
    let broken = false
    for (const slope of gradient) {
      if (slope - slope !== 0) broken = true
      else if (slope !== 0) useful = true
    }
    this.#useful ||= useful
    this.#broken ||= broken
  }
}

/** Softmax in float32 sums to 1 within 1e-6; logits of any other kind do so by a rare accident, and not at every point. */
const PROBABILITY_TOLERANCE = 1e-3

function lookLikeProbabilities(logits: Float32Array): boolean {
  let sum = 0
  for (const logit of logits) {
    if (!(logit >= 0)) return false
    sum += logit
  }
  return Math.abs(sum - 1) <= PROBABILITY_TOLERANCE
}
