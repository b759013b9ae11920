import type { LossName } from '../config/attackTypes.js'

/**
 * What an attack ascends: a function of one image's logits z (and so of the image), in full.
 *
 * - `cross-entropy`: −log softmax(z)_y
 * - `margin`: max over j ≠ y of z_j, minus z_y (Carlini and Wagner 2017, f₆ without the clamp); positive when fooled
 * - `dlr`: difference of logits ratio (Croce and Hein 2020, eq. 6); from 3 classes
 * - `targeted-dlr`: the same towards one class (eq. 7); from 4 classes
 * - `linear`: Σ w_k z_k with w = `direction`, float32 [classes]: any gradient of the logits an attack may want
 */
export type Loss =
  | { readonly name: LossName; readonly label: number }
  | { readonly name: 'targeted-dlr'; readonly label: number; readonly target: number }
  | { readonly name: 'linear'; readonly direction: Float32Array }

/** Classes that a loss needs to be defined. */
export const leastClasses: Readonly<Record<Loss['name'], number>> = {
  'cross-entropy': 2,
  margin: 2,
  dlr: 3,
  'targeted-dlr': 4,
  linear: 2,
}

/**
 * The class a classifier says: the index of the greatest output, the lowest of equals (as NumPy and PyTorch do). NaN
 * is greater than nothing; if all are NaN the classifier says none of its classes, and that is `outputs.length`.
 */
export function predictedClass(outputs: Float32Array | Float64Array): number {
  let best = outputs.length
  for (let k = outputs.length - 1; k >= 0; k--)
    if (best === outputs.length ? !Number.isNaN(outputs[k]) : outputs[k] >= outputs[best]) best = k
  return best
}
