import { predictionsAt, type Asking, type AttackResult } from './protocol.js'
import type { Target } from './target.js'

/** A point that was put to the original. */
export interface Tried {
  /** As the attack made it; `result.point` is the form in which it was put. */
  readonly candidate: Float32Array
  readonly result: AttackResult
  /** See `marginOf`: how near the original was to being fooled. */
  readonly margin: number
}

/** Puts points of the ball to the original, all at once: attacks that know no gradient go by what it says. */
export function* tryPoints({ threat, label }: Target, candidates: readonly Float32Array[]): Asking<readonly Tried[]> {
  const points = candidates.map((candidate) => threat.witness(candidate))
  const answers = yield* predictionsAt(points)
  return answers.map(({ predicted, logits }, i) => ({
    candidate: candidates[i],
    result: { success: predicted !== label, predicted, point: points[i] },
    margin: marginOf(logits, label),
  }))
}

/** The same of one point. */
export function* tryPoint(target: Target, candidate: Float32Array): Asking<Tried> {
  const [tried] = yield* tryPoints(target, [candidate])
  return tried
}

/**
 * max over j ≠ y of z_j, minus z_y: the margin loss, from the original's own logits. A class that says NaN is none, and
 * of two infinite logits neither is ahead.
 */
export function marginOf(logits: Float32Array, label: number): number {
  let other = -Infinity
  for (let k = 0; k < logits.length; k++) if (k !== label && logits[k] > other) other = logits[k]
  return other === logits[label] ? 0 : other - logits[label]
}
