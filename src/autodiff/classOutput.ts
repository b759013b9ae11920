import type { Graph, ValueInfo } from '../onnx/graph.js'

/** The output that says how likely each class is. */
export interface ClassOutput extends ValueInfo {
  /** The output before it that says the class itself; undefined where there is none. */
  readonly label?: string
}

export const REAL_TYPES: ReadonlySet<string> = new Set(['float16', 'float32', 'float64'])

/**
 * The output that counts: the first, or, where that is the class itself, as the converters of scikit-learn and its like
 * put it, the first with real numbers for several classes. One number an image behind a class is how sure the model is of
 * that class, whichever it is: read as a logit it would be another classifier.
 */
export function classOutput({ outputs }: Graph): ClassOutput {
  const [first] = outputs
  if (first.type !== 'int64' && first.type !== 'string') return first
  const scores = outputs.find((output) => REAL_TYPES.has(output.type ?? '') && !isOneNumber(output))
  return scores === undefined ? first : { ...scores, label: first.name }
}

/** Whether a shape, as far as it is declared, has one number an image: [n], [n, 1]. */
function isOneNumber({ dims }: ValueInfo): boolean {
  if (dims === undefined) return false
  const [rows = 1, ...others] = dims
  // [3] may be the three classes of the one image that was exported.
  return others.length > 0 ? others.every((size) => size === 1) : typeof rows !== 'number' || rows === 1
}
