import { intAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import type { Window } from '../adjoint.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { rule, subgradient } from '../rule.js'
import type { Rule } from '../rule.js'
import { affine, isFeatureMap, overPixels } from './featureMaps.js'
import { keepApart, poolWindow, spread, tiles } from './windows.js'

export const pooling: Readonly<Record<string, Rule>> = {
  MaxPool: subgradient(
    'of equal maxima the first in row-major order takes all, as in PyTorch',
    rule((node, gradient, b) => {
      const [x] = node.inputs
      const indices = rowMajorIndices(node, b)
      const window = poolWindow(node, b)
      // Nothing to add up where no pixel has two windows, so it takes less time (`node bench/alternatives.mjs pools`).
      if (keepApart(window) && b.observed(x).type === 'float32')
        return [
          b.add('MaxUnpool', [gradient, indices, b.add('Shape', [x])], {
            kernel_shape: window.kernel,
            strides: window.strides,
          }),
        ]
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
    const area = product(window.kernel)
    if (tiles(window)) return [repeatTiles(b, b.mul(gradient, b.number(1 / area, x)), x, window)]
    const includesPads = intAttribute(node, 'count_include_pad', 0) === 1
    if (isCentred(window)) {
      // Each pixel gets the average of the gradients around it, whatever share of each was its own.
      const shares = averagingShares(window, includesPads).map((share) => share * area)
      const { kernel, begin, end } = window
      const shared = includesPads ? gradient : b.mul(gradient, b.tensor(shares, [1, 1, ...window.output], x))
      return [b.add('AveragePool', [shared], { kernel_shape: kernel, pads: [...begin, ...end], count_include_pad: 1 })]
    }
    const shares = averagingShares(window, includesPads)
    const shared = b.mul(gradient, b.tensor(shares, [1, 1, ...window.output], x))
    const ones = b.tensor(new Float64Array(channels * area).fill(1), [channels, 1, ...window.kernel], x)
    return [spread(b, shared, ones, channels, window)]
  }),

  GlobalAveragePool: rule((node, gradient, b) => {
    const [x] = node.inputs
    const sizes = b.dims(x).slice(2)
    const share = 1 / product(sizes)
    if (isFeatureMap(x, b)) return [overPixels(affine(gradient, share, 0, x, b), x, b)]
    return [b.mul(gradient, b.tensor(new Float64Array(product(sizes)).fill(share), [1, 1, ...sizes], x))]
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

/**
 * Windows around each pixel, stride 1: what is averaged there is spread by the same average, in 0.3 of ConvTranspose's time
 * (`node bench/alternatives.mjs pools`).
 */
function isCentred({ kernel, strides, dilations, begin, end }: Window): boolean {
  return kernel.every(
    (size, axis) =>
      strides[axis] === 1 && dilations[axis] === 1 && begin[axis] === end[axis] && size === 2 * begin[axis] + 1,
  )
}

/**
 * Windows side by side: each gradient is repeated over its own, which costs no arithmetic. Resize, of images only, takes 0.2
 * of the time of Expand (`node bench/alternatives.mjs pools`).
 */
function repeatTiles(b: GradientBuilder, gradient: string, x: string, { kernel, output }: Window): string {
  const channels = b.dims(x)[1]
  if (kernel.length === 2 && b.observed(x).type === 'float32')
    return b.add('Resize', [gradient, '', b.constant('float32', [4], Float32Array.of(1, 1, ...kernel))], {
      mode: 'nearest',
      nearest_mode: 'floor',
      coordinate_transformation_mode: 'asymmetric',
    })
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
