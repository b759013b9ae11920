import type { OutputKind } from '../autodiff/logits.js'
import type { Tensor } from '../onnx/graph.js'
import { widenTensor } from '../onnx/widen.js'

/**
 * A classifier's output as one score for each class, in row-major order: the output itself, or for a single output z
 * (p) of a binary classifier [0, z] ([1 − p, p]), so that the greatest score is the class that the classifier says. A
 * binary classifier on the fence (z = 0, p = ½) says class 0.
 *
 * @returns float32 or float64 [N × classes]; the same memory where nothing is to be done
 */
export function classScores(output: Tensor, kind: OutputKind): Float32Array | Float64Array {
  const values = floatValues(output)
  switch (kind) {
    case 'logits':
    case 'probabilities':
    case 'log-probabilities':
      return values
    case 'one-logit':
      return twoClasses(values, () => 0)
    case 'one-probability':
      return twoClasses(values, (probability) => 1 - probability)
  }
}

/**
 * One image's scores as logits, of which an attack can take differences: probabilities by their logarithm (−∞ for 0), for
 * in float32 they are 1 and stay 1 long before their logarithms stop to tell one point from another. Not for deciding
 * what the classifier says: two probabilities may have one logarithm.
 *
 * @returns float32 [classes]
 */
export function logitsOf(scores: Float32Array | Float64Array, kind: OutputKind): Float32Array {
  const areProbabilities = kind === 'probabilities' || kind === 'one-probability'
  // Probabilities that were quantised or shifted afterwards may be negative: these stay what they are.
  if (areProbabilities && !scores.some((score) => score < 0)) return Float32Array.from(scores, Math.log)
  return scores instanceof Float32Array ? scores : Float32Array.from(scores)
}

function twoClasses(
  values: Float32Array | Float64Array,
  first: (value: number) => number,
): Float32Array | Float64Array {
  const scores =
    values instanceof Float32Array ? new Float32Array(2 * values.length) : new Float64Array(2 * values.length)
  for (let i = 0; i < values.length; i++) {
    // NaN in both: a score of 0 beside it would make class 0 of no answer.
    scores[2 * i] = Number.isNaN(values[i]) ? Number.NaN : first(values[i])
    scores[2 * i + 1] = values[i]
  }
  return scores
}

/** Types all of whose numbers are numbers of float64. */
const WHOLE: ReadonlySet<string> = new Set(['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32'])

function floatValues(output: Tensor): Float32Array | Float64Array {
  const { data } = widenTensor(output)
  if (data instanceof Float32Array || data instanceof Float64Array) return data
  // Of a quantised classifier: steps of one size, so the greatest is the class it says.
  if (WHOLE.has(output.type)) return Float64Array.from(data as ArrayLike<number>)
  throw new TypeError(`The model's output is ${output.type}, not a floating-point tensor.`)
}
