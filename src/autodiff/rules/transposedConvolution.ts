import { intsAttribute, stringAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import { rule } from '../rule.js'
import type { Rule } from '../rule.js'
import { biasGradient, weightGradient } from './weightGradient.js'
import { groupOf } from './windows.js'

/** A Conv's adjoint; its own adjoint is that Conv, with the very same weights. */
export const transposedConvolution: Readonly<Record<string, Rule>> = {
  ConvTranspose: rule((node, gradient, b) => {
    const [x, weights, bias] = node.inputs
    const kernel = b.dims(weights).slice(2)
    const ones = kernel.map(() => 1)
    const strides = intsAttribute(node, 'strides', ones)
    const dilations = intsAttribute(node, 'dilations', ones)
    const input = b.dims(x).slice(2)
    const output = b.dims(node.outputs[0]).slice(2)
    /** Pixels that one window after another reaches, before anything is cut off. */
    const full = input.map((size, axis) => (size - 1) * strides[axis] + dilations[axis] * (kernel[axis] - 1) + 1)
    const begin = beginPads(node, full, output)
    // output_padding is less than a stride, so the Conv leaves out by itself the pixels that no window reached.
    const end = full.map((size, axis) => Math.max(size - begin[axis] - output[axis], 0))
    const group = groupOf(node)
    const attributes = { group, kernel_shape: kernel, strides, dilations, pads: [...begin, ...end] }
    const { dims, batchAxis } = b.observed(node.outputs[0])
    const image = { value: gradient, dims, isFree: batchAxis !== undefined }
    return [
      b.isActive(x) ? b.add('Conv', [gradient, weights], attributes) : undefined,
      b.isActive(weights) ? weightGradient(b, image, x, group, { kernel, strides, dilations, begin, end }) : undefined,
      bias && b.isActive(bias) ? biasGradient(b, gradient, node.outputs[0]) : undefined,
    ]
  }),
}

/** Pixels cut off in front, as onnxruntime resolves `output_shape` and `auto_pad`. */
function beginPads(node: Node, full: readonly number[], output: readonly number[]): readonly number[] {
  const autoPad = stringAttribute(node, 'auto_pad', 'NOTSET')
  const given = intsAttribute(node, 'output_shape')
  const isSame = autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER'
  if (given === undefined && !isSame)
    return autoPad === 'VALID'
      ? full.map(() => 0)
      : intsAttribute(
          node,
          'pads',
          full.map(() => 0),
        ).slice(0, full.length)
  const extra = intsAttribute(
    node,
    'output_padding',
    full.map(() => 0),
  )
  return full.map((size, axis) => {
    const total = Math.max(size + extra[axis] - output[axis], 0)
    return autoPad === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2)
  })
}
