import type { Tensor } from '../../onnx/graph.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { rule } from '../rule.js'
import type { Rule } from '../rule.js'
import { biasGradient, weightGradient } from './weightGradient.js'
import { groupOf, spread, windowOf } from './windows.js'
import type { Window } from './windows.js'

/** Weights are constants as a rule, and no gradient of theirs is made; only those that are computed from the image get one. */
export const convolution: Readonly<Record<string, Rule>> = {
  Conv: rule((node, gradient, b) => {
    const [x, weights, bias] = node.inputs
    const kernel = b.dims(weights).slice(2)
    const window = windowOf(node, kernel, b)
    const group = groupOf(node)
    const { dims, batchAxis } = b.observed(x)
    const forImage = (): string => {
      const constant = b.constantOf(weights)
      if (constant && isUnitStride(window)) return correlateFlipped(b, gradient, constant, group, window)
      if (constant && isWideDepthwise(constant, group, window)) return stuffZeros(b, gradient, constant, group, window)
      return spread(b, gradient, weights, group, window)
    }
    const image = { value: x, dims, isFree: batchAxis !== undefined }
    return [
      b.isActive(x) ? forImage() : undefined,
      b.isActive(weights) ? weightGradient(b, image, gradient, group, window) : undefined,
      bias && b.isActive(bias) ? biasGradient(b, gradient, node.outputs[0]) : undefined,
    ]
  }),
}

const reach = ({ kernel, dilations }: Window, axis: number): number => dilations[axis] * (kernel[axis] - 1)

/** Stride 1, and no more padding than the kernel reaches. */
function isUnitStride(window: Window): boolean {
  return window.kernel.every(
    (_, axis) =>
      window.strides[axis] === 1 &&
      window.begin[axis] <= reach(window, axis) &&
      window.end[axis] <= reach(window, axis),
  )
}

/** At stride 1 the adjoint of a correlation is a correlation with the kernel turned round and its channels swapped. */
function correlateFlipped(
  b: GradientBuilder,
  gradient: string,
  weights: Tensor,
  group: number,
  window: Window,
): string {
  const turned = turnedRound(weights, group)
  const name = b.constant(turned.type, turned.dims, turned.data)
  const pads = [window.begin, window.end].flatMap((side) => side.map((pad, axis) => reach(window, axis) - pad))
  return b.add('Conv', [gradient, name], { group, kernel_shape: window.kernel, dilations: window.dilations, pads })
}

/** ConvTranspose goes through groups one by one; from 5×5 taps on, zeros that are multiplied are cheaper. */
function isWideDepthwise({ dims }: Tensor, group: number, window: Window): boolean {
  const { kernel, strides, dilations, begin, input, output } = window
  return (
    kernel.length === 2 &&
    dims[1] === 1 &&
    dims[0] === group &&
    kernel[0] * kernel[1] >= 25 &&
    kernel.every(
      (size, axis) =>
        dilations[axis] === 1 && begin[axis] < size && input[axis] + begin[axis] >= strides[axis] * output[axis],
    )
  )
}

/** Puts the gradients `stride` apart with zeros between them; on that grid the convolution had stride 1. */
function stuffZeros(b: GradientBuilder, gradient: string, weights: Tensor, group: number, window: Window): string {
  const { kernel, strides, begin, input, output } = window
  const sizes = output.map((size, axis) => size * strides[axis])
  const scales = b.constant('float32', [4], Float32Array.of(1, 1, ...strides))
  const repeated = b.add('Resize', [gradient, '', scales], {
    mode: 'nearest',
    nearest_mode: 'floor',
    coordinate_transformation_mode: 'asymmetric',
  })
  const isFirst = (row: number, column: number): boolean => row % strides[0] === 0 && column % strides[1] === 0
  const mask = Float32Array.from({ length: sizes[0] * sizes[1] }, (_, at) =>
    isFirst(Math.floor(at / sizes[1]), at % sizes[1]) ? 1 : 0,
  )
  const apart = b.mul(repeated, b.constant('float32', [1, 1, ...sizes], mask))
  const turned = turnedRound(weights, group)
  const pads = [
    ...kernel.map((size, axis) => size - 1 - begin[axis]),
    ...input.map((size, axis) => size + begin[axis] - sizes[axis]),
  ]
  const name = b.constant(turned.type, turned.dims, turned.data)
  return b.add('Conv', [apart, name], { group, kernel_shape: kernel, pads })
}

/** Weights of a Conv that goes the other way: [M, C/g, ...kernel] → [C, M/g, ...kernel], every kernel turned round. */
function turnedRound({ dims, data, type }: Tensor, group: number): Tensor {
  const [filters, channels, ...kernel] = dims
  const perGroup = filters / group
  const area = kernel.reduce((total, size) => total * size, 1)
  const result = type === 'float64' ? new Float64Array(data.length) : new Float32Array(data.length)
  for (let filter = 0; filter < filters; filter++)
    for (let channel = 0; channel < channels; channel++) {
      const g = Math.floor(filter / perGroup)
      const from = (filter * channels + channel) * area
      const to = ((g * channels + channel) * perGroup + (filter % perGroup)) * area
      for (let tap = 0; tap < area; tap++) result[to + area - 1 - tap] = Number(data[from + tap])
    }
  return { type, dims: [group * channels, perGroup, ...kernel], data: result }
}
