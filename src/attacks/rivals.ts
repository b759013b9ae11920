import { gradientAt, type Asking } from './protocol.js'
import type { Target } from './target.js'

/**
 * The classes besides the label, by the surrogate's logits at the clean image: most likely first, `most` at most. None that
 * the model excludes (−∞), if there is another: no loss towards it has a slope.
 */
export function* likeliestRivals({ threat, label, classes }: Target, most: number): Asking<readonly number[]> {
  // No gradient is wanted, only the logits that come with it.
  const { logits } = yield* gradientAt(threat.image, { name: 'linear', direction: new Float32Array(classes) })
  const likelihood = (k: number): number => (Number.isNaN(logits[k]) ? -Infinity : logits[k])
  const rivals = rivalsOf(label, classes).toSorted((one, other) =>
    likelihood(one) === likelihood(other) ? 0 : likelihood(other) - likelihood(one),
  )
  const possible = rivals.filter((k) => logits[k] !== -Infinity)
  return (possible.length > 0 ? possible : rivals).slice(0, most)
}

/** Every class besides the label. */
export function rivalsOf(label: number, classes: number): readonly number[] {
  return Array.from({ length: classes }, (_, k) => k).filter((k) => k !== label)
}
