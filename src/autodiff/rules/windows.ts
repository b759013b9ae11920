import { UsageError } from '../../errors.js'
import { describe, intAttribute, intsAttribute, stringAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import type { Window } from '../adjoint.js'
import type { GradientBuilder } from '../gradientBuilder.js'

/**
 * @param kernel spatial sizes of the kernel: the attribute's, or the weight's when it is left out.
 * @throws UsageError for an `auto_pad` that begins inside the image, where each operator of onnxruntime begins elsewhere.
 */
export function windowOf(node: Node, kernel: readonly number[], b: GradientBuilder): Window {
  const input = b.dims(node.inputs[0]).slice(2)
  const output = b.dims(node.outputs[0]).slice(2)
  const ones = kernel.map(() => 1)
  const strides = intsAttribute(node, 'strides', ones)
  const dilations = intsAttribute(node, 'dilations', ones)
  const pads = intsAttribute(node, 'pads', [...ones, ...ones].fill(0))
  const autoPad = stringAttribute(node, 'auto_pad', 'NOTSET')
  // As many windows as if the kernel were not dilated: that is what onnxruntime pads for.
  const missing = kernel.map((size, axis) => {
    const windows = Math.ceil(input[axis] / strides[axis])
    return (windows - 1) * strides[axis] + size - input[axis]
  })
  if (autoPad.startsWith('SAME') && missing.some((total) => total < -1))
    throw new UsageError(
      `${describe(node)} has auto_pad ${autoPad} and strides far beyond its kernel, which has no gradient rule; export it with pads`,
    )
  const same = missing.map((total) => Math.max(total, 0))
  const begins: Readonly<Record<string, readonly number[]>> = {
    SAME_UPPER: same.map((total) => Math.floor(total / 2)),
    SAME_LOWER: same.map((total) => Math.ceil(total / 2)),
    VALID: same.map(() => 0),
  }
  const begin = begins[autoPad] ?? pads.slice(0, kernel.length)
  const end =
    autoPad === 'NOTSET'
      ? pads.slice(kernel.length)
      : autoPad === 'VALID'
        ? begin
        : same.map((total, axis) => total - begin[axis])
  return { kernel, strides, dilations, begin, end, input, output }
}

/** Pool attributes: the kernel is always written out. */
export function poolWindow(node: Node, b: GradientBuilder): Window {
  return windowOf(node, intsAttribute(node, 'kernel_shape', []), b)
}

/** The window sizes that cover the input exactly once: strides of the kernel's size, nothing padded, no rest. */
export function tiles({ kernel, strides, dilations, begin, input, output }: Window): boolean {
  return kernel.every(
    (size, axis) =>
      size === strides[axis] && dilations[axis] === 1 && begin[axis] === 0 && output[axis] * size === input[axis],
  )
}

/** Whether no two windows share a pixel, and none looks beyond the image. */
export function keepApart({ kernel, strides, dilations, begin, end, input, output }: Window): boolean {
  return kernel.every(
    (size, axis) =>
      size <= strides[axis] &&
      dilations[axis] === 1 &&
      begin[axis] === 0 &&
      end[axis] === 0 &&
      (output[axis] - 1) * strides[axis] + size <= input[axis],
  )
}

/**
 * The adjoint of sliding: every output gradient spread over its window, weighted, and summed where windows overlap
 * (ConvTranspose), cut or extended to the size of the input.
 *
 * @param weights [M, C / group, ...kernel], as Conv has them.
 */
export function spread(b: GradientBuilder, gradient: string, weights: string, group: number, window: Window): string {
  const { kernel, strides, dilations, begin, input, output } = window
  const rest = input.map((size, axis) => {
    const covered = (output[axis] - 1) * strides[axis] + dilations[axis] * (kernel[axis] - 1) + 1
    return size + begin[axis] - covered
  })
  const beyond = rest.map((size) => Math.max(size, 0))
  const inside = beyond.every((size, axis) => size < strides[axis])
  const full = b.add('ConvTranspose', [gradient, weights], {
    group,
    kernel_shape: kernel,
    strides,
    dilations,
    pads: [...begin, ...rest.map((size) => Math.max(-size, 0))],
    output_padding: inside ? beyond : undefined,
  })
  if (inside) return full
  // Pixels behind the last window that no output saw.
  const none = beyond.map(() => 0)
  return b.add('Pad', [full, b.ints([0, 0, ...none, 0, 0, ...beyond])])
}

/** `group` of a Conv. */
export function groupOf(node: Node): number {
  return intAttribute(node, 'group', 1)
}
