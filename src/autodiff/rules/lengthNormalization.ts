import { floatAttribute, intAttribute } from '../../onnx/attributes.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { fromFront, rule, subgradient } from '../rule.js'
import type { Rule } from '../rule.js'

/** Division by a length: that of the vector along an axis, or of the neighbouring channels. */
export const lengthNormalization: Readonly<Record<string, Rule>> = {
  /** y = x / ‖x‖: (gradient − ∇‖x‖ · Σ gradient·y) / ‖x‖, where ∇‖x‖ is y (p = 2) or the sign of x (p = 1). */
  LpNormalization: subgradient(
    '0 where the norm is 0; with p = 1 the slope of |x| at 0 is 0',
    rule((node, gradient, b) => {
      const [x] = node.inputs
      const [y] = node.outputs
      const axis = fromFront(intAttribute(node, 'axis', -1), b.rank(x))
      const p = intAttribute(node, 'p', 2)
      const norm = b.add(p === 1 ? 'ReduceL1' : 'ReduceL2', [x, b.ints([axis])], { keepdims: 1 })
      const isLong = b.add('Greater', [norm, b.number(0, x)])
      const inverse = b.where(isLong, b.add('Reciprocal', [norm]), x)
      const along = b.mul(p === 1 ? b.add('Sign', [x]) : y, b.sum(b.mul(gradient, y), [axis], true))
      return [b.mul(b.add('Sub', [gradient, along]), inverse)]
    }),
  ),

  /** y = x·D^−β with D = k + α/n · Σ x² over n channels: gradient·D^−β − 2αβ/n · x · Σ (gradient·x·D^(−β−1)). */
  LRN: rule((node, gradient, b) => {
    const [x] = node.inputs
    const alpha = floatAttribute(node, 'alpha', 1e-4)
    const beta = floatAttribute(node, 'beta', 0.75)
    const size = intAttribute(node, 'size', 1)
    const [before, after] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)]
    const squares = channelMeans(b.mul(x, x), x, size, [before, after], b)
    const base = b.add('Add', [b.mul(squares, b.number(alpha, x)), b.number(floatAttribute(node, 'bias', 1), x)])
    const direct = b.mul(gradient, b.add('Pow', [base, b.number(-beta, x)]))
    // The adjoint of the window: who sees a channel stands on the other side of it.
    const shared = channelMeans(b.add('Div', [b.mul(direct, x), base]), x, size, [after, before], b)
    return [b.add('Sub', [direct, b.mul(b.mul(x, shared), b.number(2 * alpha * beta, x))])]
  }),
}

/** Σ / size over a window of channels; beyond the first and the last are zeros. */
function channelMeans(
  value: string,
  like: string,
  size: number,
  [before, after]: readonly [number, number],
  b: GradientBuilder,
): string {
  const { dims, batchAxis } = b.observed(like)
  const [images, channels, ...spatial] = dims
  const area = spatial.reduce((total, length) => total * length, 1)
  const apart = b.reshape(value, [batchAxis === 0 ? -1 : images, 1, channels, area])
  const means = b.add('AveragePool', [apart], {
    kernel_shape: [size, 1],
    pads: [before, 0, after, 0],
    count_include_pad: 1,
  })
  return b.reshapeLike(means, like)
}
