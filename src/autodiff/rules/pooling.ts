import { intAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { rule, subgradient } from '../rule.js'
import type { Rule } from '../rule.js'
import { affine, isFeatureMap, overPixels } from './featureMaps.js'
import { poolWindow, spread, tiles } from './windows.js'
import type { Window } from './windows.js'

export const pooling: Readonly<Record<string, Rule>> = {
  MaxPool: subgradient(
    'of equal maxima the first in row-major order takes all, as in PyTorch',
    rule((node, gradient, b) => {
      const [x] = node.inputs
      const indices = rowMajorIndices(node, b)
      const flat = (value: string): string => b.reshape(value, [-1])
      const zeros = b.add('Expand', [b.number(0, x), b.add('Reshape', [b.add('Size', [x]), b.ints([1])])])
      const scattered = b.add('ScatterElements', [zeros, flat(indices), flat(gradient)], {
        reduction: 'add',
      })
      return [b.reshapeLike(scattered, x)]
    }),
  ),

  AveragePool: rule((node, gradient, b) => {
    const [x] = node.inputs
    const window = poolWindow(node, b)
    const channels = b.dims(x)[1]
    if (tiles(window)) return [repeatTiles(b, b.mul(gradient, b.number(1 / product(window.kernel), x)), x, window)]
    const shares = averagingShares(window, intAttribute(node, 'count_include_pad', 0) === 1)
    const shared = b.mul(gradient, b.tensor(shares, [1, 1, ...window.output], x))
    const ones = b.tensor(
      new Float64Array(channels * product(window.kernel)).fill(1),
      [channels, 1, ...window.kernel],
      x,
    )
    return [spread(b, shared, ones, channels, window)]
  }),

  GlobalAveragePool: rule((node, gradient, b) => {
    const [x] = node.inputs
    const share = 1 / product(b.dims(x).slice(2))
    if (isFeatureMap(x, b)) return [overPixels(affine(gradient, share, 0, x, b), x, b)]
    return [b.expandLike(b.mul(gradient, b.number(share, x)), x)]
  }),
}

/** With storage_order 1 the model's own indices count columns first: they are made anew. */
function rowMajorIndices(node: Node, b: GradientBuilder): string {
  if (intAttribute(node, 'storage_order', 0) === 0) return b.extraOutput(node, 1)
  const attributes = new Map([...node.attributes].filter(([name]) => name !== 'storage_order'))
  const [values, indices] = [b.name('MaxPool'), b.name('MaxPool_output')]
  b.nodes.push({ ...node, attributes, name: values, outputs: [values, indices] })
  return indices
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1)
}

/** Windows side by side: each gradient is repeated over its own, which costs no arithmetic. */
function repeatTiles(b: GradientBuilder, gradient: string, x: string, { kernel, output }: Window): string {
  const channels = b.dims(x)[1]
  const apart = b.reshape(gradient, [-1, channels, ...output.flatMap((size) => [size, 1])])
  const repeated = b.add('Expand', [
    apart,
    b.ints([1, channels, ...output.flatMap((size, axis) => [size, kernel[axis]])]),
  ])
  return b.reshapeLike(repeated, x)
}

/** 1 / (pixels averaged) for each output position: with ceil_mode or padding the windows at the rim hold fewer. */
function averagingShares(window: Window, includePads: boolean): Float64Array {
  const { kernel, strides, dilations, begin, end, input, output } = window
  const perAxis = kernel.map((size, axis) =>
    Array.from({ length: output[axis] }, (_, place) => {
      const taps = Array.from(
        { length: size },
        (__, tap) => place * strides[axis] + tap * dilations[axis] - begin[axis],
      )
      const [low, high] = includePads ? [-begin[axis], input[axis] + end[axis]] : [0, input[axis]]
      return taps.filter((at) => at >= low && at < high).length
    }),
  )
  const counts = perAxis.reduce<readonly number[]>((outer, axis) => outer.flatMap((a) => axis.map((c) => a * c)), [1])
  return Float64Array.from(counts, (count) => 1 / count)
}
