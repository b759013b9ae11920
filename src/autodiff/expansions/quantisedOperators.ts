import { floatAttribute, intAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import { expansion } from '../expansion.js'
import type { Expansion } from '../expansion.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { straightThrough } from '../rule.js'
import { channelsFirst } from './channelsFirst.js'
import { isChannelsLast, multiplied, multiplier, rows } from './integerArithmetic.js'
import { dynamicallyQuantised } from './quantisation.js'
import {
  along,
  centred,
  dequantised,
  quantised,
  real,
  rounded,
  roundedWithOrigin,
  withAttributesOf,
} from './wholeNumbers.js'

const ROUNDING = 'rounding passes the gradient on; 0 outside the range of the type'

/** What com.microsoft's quantised operators say of themselves: the real operator between dequantising and quantising. */
function around(operator: (x: string, node: Node, b: GradientBuilder) => string, round = rounded): Expansion {
  return straightThrough(
    ROUNDING,
    expansion((node, b) => {
      const [value, scale, zeroPoint, outScale, outZero] = node.inputs
      const y = operator(dequantised({ value, scale, zeroPoint }, b), node, b)
      const steps = b.add('Div', [y, real(outScale, b)])
      return round(steps, outZero, b.observed(node.outputs[0]).type, b)
    }),
  )
}

/** Pools of NHWC values are pools of NCHW values, turned. */
function anyLayout(pool: (x: string, node: Node, b: GradientBuilder) => string): typeof pool {
  return (x, node, b) =>
    isChannelsLast(node)
      ? channelsFirst(x, b.rank(node.inputs[0]), b, (first) => pool(first, node, b))
      : pool(x, node, b)
}

/** Operators of com.microsoft that onnxruntime's quantiser writes. */
export const quantisedOperators: Readonly<Record<string, Expansion>> = {
  'com.microsoft.QLinearAdd': straightThrough(
    ROUNDING,
    expansion((node, b) => {
      const [left, leftScale, leftZero, right, rightScale, rightZero, scale, zeroPoint] = node.inputs
      // Each operand in steps of the output, as onnxruntime does it: ties fall alike.
      const steps = (value: string, from: string, zero: string): string =>
        b.mul(centred(value, zero, b), b.add('Div', [real(from, b), real(scale, b)]))
      const sum = b.add('Add', [steps(left, leftScale, leftZero), steps(right, rightScale, rightZero)])
      return roundedWithOrigin(sum, zeroPoint, b.observed(node.outputs[0]).type, b)
    }),
  ),

  'com.microsoft.QLinearMul': straightThrough(
    ROUNDING,
    expansion((node, b) => {
      const [left, leftScale, leftZero, right, rightScale, rightZero, scale, zeroPoint] = node.inputs
      const product = b.mul(centred(left, leftZero, b), centred(right, rightZero, b))
      const steps = b.mul(product, multiplier([leftScale, rightScale], scale, b))
      return roundedWithOrigin(steps, zeroPoint, b.observed(node.outputs[0]).type, b)
    }),
  ),

  'com.microsoft.QLinearConcat': straightThrough(
    ROUNDING,
    expansion((node, b) => {
      const [scale, zeroPoint, ...parts] = node.inputs
      const operands = Array.from({ length: parts.length / 3 }, (_, at) => {
        const [value, from, zero] = parts.slice(3 * at)
        return dequantised({ value, scale: from, zeroPoint: zero }, b)
      })
      return quantised(node, withAttributesOf(node, 'Concat', operands, b), { scale, zeroPoint }, b)
    }),
  ),

  'com.microsoft.QLinearWhere': straightThrough(
    ROUNDING,
    expansion((node, b) => {
      const [condition, value, from, zero, other, otherScale, otherZero, scale, zeroPoint] = node.inputs
      const chosen = dequantised({ value, scale: from, zeroPoint: zero }, b)
      const rest = dequantised({ value: other, scale: otherScale, zeroPoint: otherZero }, b)
      return quantised(node, b.add('Where', [condition, chosen, rest]), { scale, zeroPoint }, b)
    }),
  ),

  'com.microsoft.QLinearAveragePool': around(
    anyLayout((x, node, b) => withAttributesOf(node, 'AveragePool', [x], b, ['channels_last'])),
    roundedWithOrigin,
  ),
  'com.microsoft.QLinearGlobalAveragePool': around(anyLayout((x, _node, b) => b.add('GlobalAveragePool', [x]))),
  'com.microsoft.QLinearSigmoid': around((x, _node, b) => b.add('Sigmoid', [x])),
  'com.microsoft.QLinearLeakyRelu': around((x, node, b) => withAttributesOf(node, 'LeakyRelu', [x], b)),
  'com.microsoft.QLinearSoftmax': around((x, node, b) => {
    const axis = intAttribute(node, 'axis', -1)
    if (intAttribute(node, 'opset', 13) >= 13) return b.add('Softmax', [x], { axis })
    // Before opset 13 all axes from `axis` on were one.
    const matrix = b.add('Softmax', [b.add('Flatten', [x], { axis })], { axis: 1 })
    return b.reshapeLike(matrix, node.inputs[0])
  }),

  'com.microsoft.QGemm': straightThrough(
    ROUNDING,
    expansion((node, b) => {
      const [a, aScale, aZero, w, wScale, wZero, c, scale, zeroPoint] = node.inputs
      const columns = along(intAttribute(node, 'transB', 0) === 1 ? 0 : 1, 2)
      const factors = [centred(a, aZero, b), centred(w, wZero, b, columns)]
      const sums = withAttributesOf(node, 'Gemm', c ? [...factors, real(c, b)] : factors, b, ['alpha'])
      const alpha = b.scalar(floatAttribute(node, 'alpha', 1))
      const size = b.mul(b.mul(alpha, real(aScale, b)), real(wScale, b))
      if (!scale) return b.mul(sums, size)
      const steps = b.mul(sums, b.add('Div', [size, real(scale, b)]))
      return rounded(steps, zeroPoint, b.observed(node.outputs[0]).type, b)
    }),
  ),

  'com.microsoft.MatMulIntegerToFloat': expansion((node, b) => {
    const [a, w, aScale, wScale, aZero, wZero, bias] = node.inputs
    const sums = multiplied({ value: a, zeroPoint: aZero }, { value: w, zeroPoint: wZero }, b)
    const y = b.mul(sums, b.mul(rows(aScale, b), real(wScale, b)))
    return bias ? b.add('Add', [y, real(bias, b)]) : y
  }),

  'com.microsoft.DynamicQuantizeMatMul': straightThrough(
    'rounding passes the gradient on; the scale has its own, the zero point none',
    expansion((node, b) => {
      const [a, w, wScale, wZero, bias] = node.inputs
      const { value, scale, zeroPoint } = dynamicallyQuantised(a, b)
      const left = b.add('Sub', [value, zeroPoint])
      const sums = b.add('MatMul', [left, centred(w, wZero, b)])
      const y = b.mul(sums, b.mul(scale, real(wScale, b)))
      return bias ? b.add('Add', [y, real(bias, b)]) : y
    }),
  ),
}
