import { floatsAttribute, intsAttribute, stringAttribute } from '../../onnx/attributes.js'
import { dataType } from '../../onnx/tensor.js'
import { expansion } from '../expansion.js'
import type { Expansion } from '../expansion.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { noRule } from '../noRule.js'
import { noted, subgradient } from '../rule.js'

/** What a linear classifier makes of its scores. */
const TRANSFORMS: Readonly<Record<string, (scores: string, b: GradientBuilder) => string>> = {
  NONE: (scores) => scores,
  SOFTMAX: (scores, b) => b.add('Softmax', [scores], { axis: -1 }),
  LOGISTIC: (scores, b) => b.add('Sigmoid', [scores]),
}

/** What scikit-learn's converter writes for scaled pixels, linear classifiers and probabilities that add up to 1. */
export const classical: Readonly<Record<string, Expansion>> = {
  'ai.onnx.ml.Scaler': noted(
    'not several offsets or scales for images of more than one axis',
    expansion((node, b) => {
      const [x] = node.inputs
      const numbers = (name: string, fallback: number): string => {
        const values = floatsAttribute(node, name, [fallback])
        if (values.length > 1 && b.rank(x) !== 2) throw noRule(node, `${name}s on ${b.rank(x)} axes`)
        return b.constant('float32', values.length > 1 ? [values.length] : [], Float32Array.from(values))
      }
      return b.mul(b.add('Sub', [single(x, b), numbers('offset', 0)]), numbers('scale', 1))
    }),
  ),

  'ai.onnx.ml.Normalizer': subgradient(
    'as LpNormalization; the norms L1 and L2, not MAX, which is its default',
    expansion((node, b) => {
      const norm = stringAttribute(node, 'norm', 'MAX')
      if (norm === 'MAX') throw noRule(node, 'the norm MAX')
      return b.add('LpNormalization', [single(node.inputs[0], b)], { axis: -1, p: norm === 'L1' ? 1 : 2 })
    }),
  ),

  /** Its label is the place of the greatest score: attacks read the scores, and no model reads the label. */
  'ai.onnx.ml.LinearClassifier': noted(
    'with a row of coefficients for each class; its scores as they are, or their Softmax or logistic function, not SOFTMAX_ZERO or PROBIT',
    (node, b) => {
      const [x] = node.inputs
      const coefficients = floatsAttribute(node, 'coefficients', [])
      const features = b.dims(x)[1]
      const rows = coefficients.length / features
      const labels = intsAttribute(node, 'classlabels_ints', []).length
      const names = node.attributes.get('classlabels_strings')?.strings.length ?? 0
      const transform = stringAttribute(node, 'post_transform', 'NONE')
      if (rows !== labels + names)
        throw noRule(node, `${rows} ${rows === 1 ? 'row' : 'rows'} of coefficients for ${labels + names} classes`)
      if (!Object.hasOwn(TRANSFORMS, transform)) throw noRule(node, `the post_transform ${transform}`)
      const shift = floatsAttribute(node, 'intercepts', new Array<number>(rows).fill(0))
      const intercepts = b.constant('float32', [rows], Float32Array.from(shift))
      const weights = b.constant('float32', [rows, features], Float32Array.from(coefficients))
      const scores = b.add('Gemm', [single(x, b), weights, intercepts], { transB: 1 })
      return [b.add('ArgMax', [scores], { axis: 1, keepdims: 0 }), TRANSFORMS[transform](scores, b)]
    },
  ),
}

/** A value as float32, which the operators of ai.onnx.ml give whatever they are given. */
function single(x: string, b: GradientBuilder): string {
  return b.observed(x).type === 'float32' ? x : b.add('Cast', [x], { to: dataType('float32') })
}
