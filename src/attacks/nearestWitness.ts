import { predictedClass } from './losses.js'
import { predictionAt, replay } from './protocol.js'
import type { Asking, Attack, NearestPoint, PredictionAnswer } from './protocol.js'
import type { Target } from './target.js'

interface Found {
  readonly point: Float32Array
  readonly distance: number
  readonly prediction: PredictionAnswer
}

/**
 * What an attack that looks for the least distance has found: of the points that fooled the original, in the form in which
 * they were put to it, the one nearest to the image.
 */
export class NearestWitness {
  readonly #target: Target
  #found: Found | undefined

  constructor(target: Target) {
    this.#target = target
  }

  /** In the threat's norm; infinite as long as nothing was found. */
  get distance(): number {
    return this.#found?.distance ?? Infinity
  }

  /** Puts a point to the original, in the ball or beyond but inside the bounds, and says whether it was fooled. */
  *offer(candidate: Float32Array): Asking<boolean> {
    const prediction = yield* this.#ask(candidate)
    return prediction.predicted !== this.#target.label
  }

  /**
   * Whether a point fools, where every iterate may: the original is asked only about points that fool the surrogate and
   * are nearer than what was found.
   */
  *consider(candidate: Float32Array, logits: Float32Array): Asking<boolean> {
    const { threat, label } = this.#target
    if (predictedClass(logits) === label) return false
    return threat.distance(candidate) >= this.distance || (yield* this.offer(candidate))
  }

  /**
   * Goes back towards the image as far as the original stays fooled, in six steps between a point that is right and one
   * that is not: linear interpolation of the margin (Croce and Hein's `final_search`, three steps of it) and bisection in
   * turn, for where the margin bends interpolation alone creeps. In Linf only the pixels that are farthest come back: the
   * others cost nothing where they are.
   */
  *shorten(): Asking<void> {
    if (!this.#found) return
    const { label, threat } = this.#target
    const { point, distance, prediction } = this.#found
    const { image, norm } = threat
    const nearer = (share: number): Float32Array =>
      norm === 'linf' ? within(image, point, share * distance) : between(image, point, share)
    let right = { share: 0, logits: (yield* predictionAt(image)).logits }
    let fooled = { share: 1, logits: prediction.logits, predicted: prediction.predicted }
    for (let step = 0; step < 6; step++) {
      const { predicted } = fooled
      const lead = ({ logits }: { readonly logits: Float32Array }): number => logits[label] - logits[predicted]
      const crossing = lead(right) / (lead(right) - lead(fooled))
      // A hundredth of the rest beyond it: at the crossing itself neither class leads.
      const interpolated = crossing >= 0 && crossing < 1 ? crossing + (1 - crossing) / 100 : 0.5
      const part = step % 2 === 0 ? interpolated : 0.5
      const share = right.share + part * (fooled.share - right.share)
      const answer = yield* this.#ask(nearer(share))
      if (answer.predicted === label) right = { share, logits: answer.logits }
      else fooled = { share, logits: answer.logits, predicted: answer.predicted }
    }
  }

  /**
   * How the attack ends: with the nearest point if it lies in the ball, else with the point of the ball nearest to it, or
   * to the last iterate when there is none. That is replayed, and may succeed as well.
   */
  *end(last: Float32Array): Attack {
    const { threat } = this.#target
    const found = this.#found
    const nearest = found && nearestOf(found)
    if (nearest && nearest.distance <= threat.epsilon)
      return { success: true, predicted: nearest.predicted, point: nearest.point, nearest }
    const edge = yield* replay(this.#target, threat.project(nearest?.point ?? last))
    if (!edge.success) return { ...edge, nearest }
    const { point, predicted } = edge
    return { ...edge, nearest: { point, predicted, distance: threat.distance(point) } }
  }

  /** Puts a point to the original and keeps it if it is the nearest that fooled it. */
  *#ask(candidate: Float32Array): Asking<PredictionAnswer> {
    const { threat, label } = this.#target
    const point = threat.witness(candidate)
    const prediction = yield* predictionAt(point)
    const distance = threat.distance(point)
    if (prediction.predicted !== label && distance < this.distance) this.#found = { point, distance, prediction }
    return prediction
  }
}

function nearestOf({ point, distance, prediction }: Found): NearestPoint {
  return { point, predicted: prediction.predicted, distance }
}

/** image + share · (point − image); between two points inside the bounds, so inside them. */
export function between(image: Float32Array, point: Float32Array, share: number): Float32Array {
  return image.map((pixel, i) => pixel + share * (point[i] - pixel))
}

/** The point whose pixels are at most `radius` from the image's, and else where they were. */
function within(image: Float32Array, point: Float32Array, radius: number): Float32Array {
  return image.map((pixel, i) => pixel + Math.min(radius, Math.max(-radius, point[i] - pixel)))
}
