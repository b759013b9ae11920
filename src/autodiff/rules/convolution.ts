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
      if (constant && hasPhases(window)) return interleavePhases(b, gradient, constant, group, window, x)
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
  const flipped = rearrange(weights, group, window.kernel, (tap) => tap.map((at, axis) => window.kernel[axis] - 1 - at))
  const name = b.constant(weights.type, flipped.dims, flipped.data)
  const pads = [window.begin, window.end].flatMap((side) => side.map((pad, axis) => reach(window, axis) - pad))
  return b.add('Conv', [gradient, name], { group, kernel_shape: window.kernel, dilations: window.dilations, pads })
}

/** 2-D, one stride s > 1 for both axes, not dilated: what DepthToSpace can put together again. */
function hasPhases(window: Window): boolean {
  const { kernel, strides, dilations } = window
  const stride = strides[0]
  return (
    kernel.length === 2 &&
    strides[1] === stride &&
    dilations.every((dilation) => dilation === 1) &&
    kernel.every((_, axis) => phaseRows(window, axis) >= window.output[axis])
  )
}

/** Rows of one phase: pixel i of the padded input belongs to phase i mod s. */
function phaseRows({ begin, input, strides }: Window, axis: number): number {
  return Math.floor((begin[axis] + input[axis] - 1) / strides[axis]) + 1
}

/**
 * At stride s the pixels of each phase (i mod s) see only every s-th tap of the kernel, so each phase is a small
 * convolution at stride 1; one Conv computes all s² of them as channels and DepthToSpace interleaves them. ConvTranspose
 * would do the same sums through a matrix of all windows.
 */
function interleavePhases(
  b: GradientBuilder,
  gradient: string,
  weights: Tensor,
  group: number,
  window: Window,
  x: string,
): string {
  const { kernel, strides, begin, input, output } = window
  const stride = strides[0]
  const taps = kernel.map((size) => Math.ceil(size / stride))
  const phases = Array.from({ length: stride * stride }, (_, phase) => [Math.floor(phase / stride), phase % stride])
  const kernels = phases.map((phase) =>
    rearrange(weights, group, taps, (tap) => tap.map((at, axis) => stride * (taps[axis] - 1 - at) + phase[axis])),
  )
  const phaseWeights = interleaveChannels(kernels, stride * stride)
  const name = b.constant(weights.type, phaseWeights.dims, phaseWeights.data)
  const behind = kernel.map((_, axis) => phaseRows(window, axis) - output[axis])
  const pads = [...taps.map((size) => size - 1), ...behind]
  const channels = b.add('Conv', [gradient, name], { group, kernel_shape: taps, pads })
  // CRD: a channel's phases stand next to one another, so that groups stay together.
  const full = b.add('DepthToSpace', [channels], { blocksize: stride, mode: 'CRD' })
  const sizes = kernel.map((_, axis) => phaseRows(window, axis) * stride)
  if (begin.every((pad) => pad === 0) && sizes.every((size, axis) => size === input[axis])) return full
  const [, , ...spatial] = b.dims(x)
  const ends = begin.map((pad, axis) => pad + spatial[axis])
  return b.add('Slice', [full, b.ints(begin), b.ints(ends), b.ints([2, 3])])
}

/**
 * Weights of a Conv that goes the other way: [M, C/g, …] → [C, M/g, …taps], each tap taken from where `source` says
 * (outside the kernel: 0).
 */
function rearrange(
  { dims, data, type }: Tensor,
  group: number,
  taps: readonly number[],
  source: (tap: readonly number[]) => readonly number[],
): Tensor & { readonly data: Float32Array | Float64Array } {
  const [filters, perGroup, ...kernel] = dims
  const outPerGroup = filters / group
  const area = taps.reduce((total, size) => total * size, 1)
  const kernelArea = kernel.reduce((total, size) => total * size, 1)
  const length = group * perGroup * outPerGroup * area
  const result = type === 'float64' ? new Float64Array(length) : new Float32Array(length)
  const from = Array.from({ length: area }, (_, flat) => offsetIn(kernel, source(unravel(flat, taps))))
  for (let g = 0; g < group; g++)
    for (let channel = 0; channel < perGroup; channel++)
      for (let filter = 0; filter < outPerGroup; filter++) {
        const to = ((g * perGroup + channel) * outPerGroup + filter) * area
        const base = ((g * outPerGroup + filter) * perGroup + channel) * kernelArea
        for (let tap = 0; tap < area; tap++) if (from[tap] >= 0) result[to + tap] = Number(data[base + from[tap]])
      }
  return { type, dims: [group * perGroup, outPerGroup, ...taps], data: result }
}

/** [C, M/g, …] for each phase → [C·phases, M/g, …], a channel's phases side by side. */
function interleaveChannels(kernels: readonly Tensor[], phases: number): Tensor {
  const [channels, perGroup, ...taps] = kernels[0].dims
  const row = perGroup * taps.reduce((total, size) => total * size, 1)
  const data =
    kernels[0].type === 'float64'
      ? new Float64Array(channels * phases * row)
      : new Float32Array(channels * phases * row)
  kernels.forEach((kernel, phase) => {
    for (let channel = 0; channel < channels; channel++)
      data.set(
        (kernel.data as Float32Array).subarray(channel * row, (channel + 1) * row),
        (channel * phases + phase) * row,
      )
  })
  return { type: kernels[0].type, dims: [channels * phases, perGroup, ...taps], data }
}

function unravel(flat: number, dims: readonly number[]): readonly number[] {
  const at: number[] = []
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    at.unshift(flat % dims[axis])
    flat = Math.floor(flat / dims[axis])
  }
  return at
}

/** Row-major offset, or −1 outside. */
function offsetIn(dims: readonly number[], at: readonly number[]): number {
  if (at.some((place, axis) => place < 0 || place >= dims[axis])) return -1
  return at.reduce((offset, place, axis) => offset * dims[axis] + place, 0)
}
