import { UsageError } from '../../errors.js'
import { floatsAttribute, intsAttribute, stringAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import { expansion } from '../expansion.js'
import type { Expansion } from '../expansion.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { subgradient } from '../rule.js'

/** What a linear classifier makes of its scores. */
const TRANSFORMS: Readonly<Record<string, (scores: string, b: GradientBuilder) => string>> = {
  NONE: (scores) => scores,
  SOFTMAX: (scores, b) => b.add('Softmax', [scores], { axis: -1 }),
  LOGISTIC: (scores, b) => b.add('Sigmoid', [scores]),
}

/** What scikit-learn's converter writes for scaled pixels, linear classifiers and probabilities that add up to 1. */
export const classical: Readonly<Record<string, Expansion>> = {
  'ai.onnx.ml.Scaler': expansion((node, b) => {
    const [x] = node.inputs
    const numbers = (name: string, fallback: number): string => {
      const values = floatsAttribute(node, name, [fallback])
      if (values.length > 1 && b.rank(x) !== 2) throw noRule(node, `${name}s on ${b.rank(x)} axes`)
      return b.tensor(values, values.length > 1 ? [values.length] : [], x)
    }
    return b.mul(b.add('Sub', [x, numbers('offset', 0)]), numbers('scale', 1))
  }),

  'ai.onnx.ml.Normalizer': subgradient(
    'as LpNormalization',
    expansion((node, b) => {
      const norm = stringAttribute(node, 'norm', 'MAX')
      if (norm === 'MAX') throw noRule(node, 'the norm MAX')
      return b.add('LpNormalization', node.inputs, { axis: -1, p: norm === 'L1' ? 1 : 2 })
    }),
  ),

  /** Its label is the place of the greatest score: attacks read the scores, and no model reads the label. */
  'ai.onnx.ml.LinearClassifier': (node, b) => {
    const [x] = node.inputs
    const coefficients = floatsAttribute(node, 'coefficients', [])
    const features = b.dims(x)[1]
    const rows = coefficients.length / features
    const labels = intsAttribute(node, 'classlabels_ints', []).length
    const names = node.attributes.get('classlabels_strings')?.strings.length ?? 0
    const transform = stringAttribute(node, 'post_transform', 'NONE')
    if (rows !== labels + names) throw noRule(node, `${rows} rows of coefficients for ${labels + names} classes`)
    if (!Object.hasOwn(TRANSFORMS, transform)) throw noRule(node, `the post_transform ${transform}`)
    const intercepts = b.tensor(floatsAttribute(node, 'intercepts', new Array<number>(rows).fill(0)), [rows], x)
    const weights = b.tensor(coefficients, [rows, features], x)
    const scores = b.add('Gemm', [x, weights, intercepts], { transB: 1 })
    return [b.add('ArgMax', [scores], { axis: 1, keepdims: 0 }), TRANSFORMS[transform](scores, b)]
  },
}

function noRule(node: Node, what: string): UsageError {
  return new UsageError(
    `${node.op} (node "${node.name || node.outputs[0]}") with ${what} has no gradient rule; export the model without it`,
  )
}
