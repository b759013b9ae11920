import { intAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import { expansion } from '../expansion.js'
import type { Expansion } from '../expansion.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { straightThrough } from '../rule.js'
import { channelsFirst } from './channelsFirst.js'
import { along, centred, real, rounded, withAttributesOf } from './wholeNumbers.js'
import type { Placed, Scaled } from './wholeNumbers.js'

/** A factor of a product, without its scale. */
type Factor = Omit<Scaled, 'scale'>

const quantisedConvolution = straightThrough(
  'rounding passes the gradient on; 0 outside the range of the type',
  expansion((node, b) => {
    const [x, xScale, xZero, w, wScale, wZero, yScale, yZero, bias] = node.inputs
    const scales = multiplier([xScale, wScale], yScale, b, along(1, b.rank(x)))
    const { type } = b.observed(node.outputs[0])
    const convolution = (numbers: string): string => {
      const sums = convolved(node, numbers, { value: w, zeroPoint: wZero }, bias, b)
      return rounded(b.mul(sums, scales), yZero, type, b)
    }
    const numbers = centred(x, xZero, b)
    return isChannelsLast(node) ? channelsFirst(numbers, b.rank(x), b, convolution) : convolution(numbers)
  }),
)

/** Products of whole numbers; onnxruntime sums them in int32, the surrogate in float32: the same up to 2²⁴. */
export const integerArithmetic: Readonly<Record<string, Expansion>> = {
  QLinearConv: quantisedConvolution,
  'com.microsoft.QLinearConv': quantisedConvolution,

  QLinearMatMul: straightThrough(
    'rounding passes the gradient on; 0 outside the range of the type',
    expansion((node, b) => {
      const [a, aScale, aZero, w, wScale, wZero, yScale, yZero] = node.inputs
      const sums = multiplied({ value: a, zeroPoint: aZero }, { value: w, zeroPoint: wZero }, b)
      const scales = multiplier([aScale, wScale], yScale, b, real, rows)
      return rounded(b.mul(sums, scales), yZero, b.observed(node.outputs[0]).type, b, rows)
    }),
  ),

  ConvInteger: expansion((node, b) => {
    const [x, w, xZero, wZero] = node.inputs
    return convolved(node, centred(x, xZero, b), { value: w, zeroPoint: wZero }, undefined, b)
  }),

  MatMulInteger: expansion((node, b) => {
    const [a, w, aZero, wZero] = node.inputs
    return multiplied({ value: a, zeroPoint: aZero }, { value: w, zeroPoint: wZero }, b)
  }),
}

/** com.microsoft's way to say NHWC. */
export function isChannelsLast(node: Node): boolean {
  return intAttribute(node, 'channels_last', 0) === 1
}

/**
 * Padding with the zero point is padding with 0 after it was taken off.
 *
 * @param x whole numbers counted from their zero point.
 */
function convolved(node: Node, x: string, w: Factor, bias: string | undefined, b: GradientBuilder): string {
  const inputs = [x, centred(w.value, w.zeroPoint, b, along(0, b.rank(w.value))), ...(bias ? [real(bias, b)] : [])]
  return withAttributesOf(node, 'Conv', inputs, b, ['channels_last'])
}

/** Zero points of the left operand may be one for each row, of the right one for each column. */
export function multiplied(left: Factor, right: Factor, b: GradientBuilder): string {
  return b.add('MatMul', [centred(left.value, left.zeroPoint, b, rows), centred(right.value, right.zeroPoint, b)])
}

/** One parameter for each row of a matrix: [M] → [M, 1]. */
export const rows: Placed = along(0, 2)

/** left · right / out, in the order in which onnxruntime rounds them to float32. */
export function multiplier(
  [left, right]: readonly [string, string],
  out: string,
  b: GradientBuilder,
  placeRight: Placed = real,
  placeLeft: Placed = real,
): string {
  const product = b.mul(placeLeft(left, b), placeRight(right, b))
  return b.add('Div', [product, placeLeft(out, b)])
}
