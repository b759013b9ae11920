import type { Tensor } from '../../onnx/graph.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import type { Window } from './windows.js'

/** Every `stride`-th pixel along one axis: it is reached by the kernel's taps `first`, `first` + stride, … and no others. */
interface Phase {
  readonly first: number
  readonly taps: number
  /** Zeros that the gradient needs on each side for these taps to reach it; fewer than 0 where it has too many pixels. */
  readonly begin: number
  readonly end: number
}

/**
 * The adjoint of a Conv as Convs: the pixels of one phase are correlated with its taps, turned round, and the phases are
 * interleaved. No tap is wasted, no sum is scattered. At stride 1 there is one phase, and nothing to interleave.
 *
 * @param gradient of the Conv's output.
 * @param weights [M, C / group, ...kernel]
 * @param window without dilation where it strides; `hasPhases` holds of it.
 */
export function gatherPhases(
  b: GradientBuilder,
  gradient: string,
  weights: Tensor,
  group: number,
  window: Window,
): string {
  const { dilations, strides } = window
  const parts = phasesOf(window).map((phase) => {
    const turned = turnedRound(weights, group, phase, strides)
    return b.add('Conv', [gradient, b.constant(turned.type, turned.dims, turned.data)], {
      group,
      kernel_shape: phase.map(({ taps }) => taps),
      dilations,
      pads: [...phase.map(({ begin }) => begin), ...phase.map(({ end }) => end)],
    })
  })
  return parts.length === 1 ? parts[0] : interleave(b, parts, group * weights.dims[1], window)
}

/** Whether all phases have equally many pixels, taps, and no pixels to cut off. */
export function hasPhases(window: Window): boolean {
  const { input, strides } = window
  return (
    input.every((size, axis) => size % strides[axis] === 0) &&
    phasesOf(window).every((phase) => phase.every(({ taps, begin, end }) => taps > 0 && begin >= 0 && end >= 0))
  )
}

/** The phases of all axes with each other, the last axis' first. */
function phasesOf(window: Window): readonly (readonly Phase[])[] {
  return window.strides
    .map((_, axis) => phasesAlong(window, axis))
    .reduce<readonly (readonly Phase[])[]>(
      (outer, along) => outer.flatMap((phases) => along.map((phase) => [...phases, phase])),
      [[]],
    )
}

function phasesAlong({ kernel, strides, dilations, begin, input, output }: Window, axis: number): readonly Phase[] {
  const stride = strides[axis]
  return Array.from({ length: stride }, (_, phase) => {
    const first = (phase + begin[axis]) % stride
    const taps = Math.ceil((kernel[axis] - first) / stride)
    const reach = dilations[axis] * (taps - 1)
    const before = reach - Math.floor((phase + begin[axis]) / stride)
    return { first, taps, begin: before, end: input[axis] / stride - output[axis] + reach - before }
  })
}

/** Pixels between pixels, by Concat: with DepthToSpace all of it takes 1.1 to 1.2 times as long (`node bench/alternatives.mjs convolutions`). */
function interleave(b: GradientBuilder, parts: readonly string[], channels: number, window: Window): string {
  const [height, width] = window.input
  const [down, right] = window.strides
  const rows = Array.from({ length: down }, (_, row) => {
    const columns = parts
      .slice(row * right, (row + 1) * right)
      .map((part) => b.reshape(part, [-1, channels, height / down, width / right, 1]))
    return b.reshape(b.add('Concat', columns, { axis: 4 }), [-1, (channels * height) / down, width])
  })
  return b.reshape(b.add('Concat', rows, { axis: 2 }), [-1, channels, height, width])
}

/** Weights of a Conv that goes the other way: [M, C/g, ...kernel] → [C, M/g, ...taps], turned round. */
export function turnedRound(
  { dims, data, type }: Tensor,
  group: number,
  phase: readonly Pick<Phase, 'first' | 'taps'>[],
  strides: readonly number[],
): Tensor {
  const [filters, channels, ...kernel] = dims
  const perGroup = filters / group
  const area = kernel.reduce((product, size) => product * size, 1)
  const places = phase.reduce<readonly number[]>(
    (outer, { first, taps }, axis) =>
      outer.flatMap((at) => Array.from({ length: taps }, (_, tap) => at * kernel[axis] + first + tap * strides[axis])),
    [0],
  )
  const size = filters * channels * places.length
  const result = type === 'float64' ? new Float64Array(size) : new Float32Array(size)
  for (let filter = 0; filter < filters; filter++)
    for (let channel = 0; channel < channels; channel++) {
      const g = Math.floor(filter / perGroup)
      const from = (filter * channels + channel) * area
      const to = ((g * channels + channel) * perGroup + (filter % perGroup)) * places.length
      places.forEach((place, tap) => {
        result[to + places.length - 1 - tap] = Number(data[from + place])
      })
    }
  return { type, dims: [group * channels, perGroup, ...phase.map(({ taps }) => taps)], data: result }
}
