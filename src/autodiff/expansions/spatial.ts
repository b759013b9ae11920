import { intAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import { expansion } from '../expansion.js'
import type { Expansion } from '../expansion.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { subgradient } from '../rule.js'
import { groupOf, windowOf } from '../rules/windows.js'

/** Operators over images as compositions of others. */
export const spatial: Readonly<Record<string, Expansion>> = {
  GlobalMaxPool: subgradient(
    'of equal maxima the first in row-major order takes all, as in PyTorch',
    expansion((node, b) => {
      const [x] = node.inputs
      return b.add('MaxPool', [x], { kernel_shape: b.dims(x).slice(2) })
    }),
  ),

  /**
   * Deformable convolution (Dai et al. 2017; masks, Zhu et al. 2019): GridSample reads the pixel of every tap of every
   * position where its offset says, a matrix product per group weighs them.
   */
  DeformConv: subgradient(
    'on a pixel the slope of one of its sides, as its coordinate in shares of the image is rounded',
    expansion((node, b) => {
      const [x, weights, offset, bias, mask] = node.inputs
      const kernel = b.dims(weights).slice(2)
      const taps = kernel[0] * kernel[1]
      const [, channels, ...sizes] = b.dims(x)
      const [, filters, ...output] = b.dims(node.outputs[0])
      const positions = output[0] * output[1]
      const groups = groupOf(node)
      const parts = intAttribute(node, 'offset_group', 1)
      const { batchAxis } = b.observed(x)
      const rows = batchAxis === undefined ? b.dims(x)[0] : -1
      const partRows = rows === -1 ? -1 : rows * parts
      const pixels = b.add('GridSample', [
        b.reshape(x, [partRows, channels / parts, ...sizes]),
        offsetGrid(node, b.reshape(offset, [partRows, taps, 2, positions]), offset, b),
      ])
      const masked = mask
        ? b.mul(
            b.reshape(pixels, [partRows, channels / parts, taps, positions]),
            b.reshape(mask, [partRows, 1, taps, positions]),
          )
        : pixels
      const columns = b.reshape(masked, [rows, groups, (channels / groups) * taps, positions])
      const matrix = b.reshape(weights, [groups, filters / groups, (channels / groups) * taps])
      const y = b.reshape(b.add('MatMul', [matrix, columns]), [rows, filters, ...output])
      return bias ? b.add('Add', [y, b.reshape(bias, [filters, 1, 1])]) : y
    }),
  ),
}

/** Places of a plain convolution's taps plus offsets [N, taps, (y, x), positions], as GridSample's [N, taps, positions, (x, y)]. */
function offsetGrid(node: Node, offsets: string, like: string, b: GradientBuilder): string {
  const kernel = b.dims(node.inputs[1]).slice(2)
  const { strides, dilations, begin, input, output } = windowOf(
    { ...node, attributes: new Map([...node.attributes].filter(([name]) => name !== 'auto_pad')) },
    kernel,
    b,
  )
  const place = (axis: number, tap: number, at: number): number =>
    at * strides[axis] + tap * dilations[axis] - begin[axis]
  const [height, width] = output
  const places = Array.from({ length: kernel[0] * kernel[1] }, (_, tap) =>
    [0, 1].map((axis) =>
      Array.from({ length: height * width }, (__, at) =>
        axis === 0
          ? place(0, Math.floor(tap / kernel[1]), Math.floor(at / width))
          : place(1, tap % kernel[1], at % width),
      ),
    ),
  )
  const plain = b.tensor(places.flat(2), [1, kernel[0] * kernel[1], 2, height * width], like)
  // The middle of pixel i is at (2i + 1) / size − 1.
  const scale = b.tensor(
    input.map((size) => 2 / size),
    [2, 1],
    like,
  )
  const shift = b.tensor(
    input.map((size) => 1 / size - 1),
    [2, 1],
    like,
  )
  const moved = b.add('Add', [b.mul(b.add('Add', [offsets, plain]), scale), shift])
  const turned = b.add('Transpose', [moved], { perm: [0, 1, 3, 2] })
  const backwards = b.ints([1, 0])
  return b.add('Gather', [turned, backwards], { axis: 3 })
}
