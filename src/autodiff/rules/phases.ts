import type { Tensor } from '../../onnx/graph.js'
import type { Adjoint, Window } from '../adjoint.js'
import type { GradientBuilder } from '../gradientBuilder.js'

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
 * interleaved. No tap is wasted, no sum is scattered. At stride 1 there is one phase, and nothing to interleave. Every
 * phase has a tap where the kernel is no smaller than the stride.
 */
export function gatherPhases(b: GradientBuilder, adjoint: Adjoint): string {
  return interleave(b, writePhases(b, adjoint).flat(), adjoint)
}

/**
 * The sum of adjoints that go to one map, phase by phase, interleaved once: where a stage of a residual network begins, a 3×3/2
 * and a 1×1/2 meet, and take 0.76 of the time of two ConvTransposes (`node bench/alternatives.mjs convolutions`).
 *
 * @param gradients the adjoints by other ways: `b.adjoints` knows how they were made.
 * @returns undefined where one is nothing of the kind, the strides differ, or pixels of some phase get nothing.
 */
export function sumOfPhases(b: GradientBuilder, gradients: readonly string[]): string | undefined {
  const adjoints = gradients.flatMap((gradient) => b.adjoints.get(gradient) ?? [])
  const [first] = adjoints
  const isAlike = ({ window }: Adjoint): boolean => window.strides.join() === first.window.strides.join()
  if (adjoints.length < gradients.length || !adjoints.every(isAlike)) return undefined
  const written = adjoints.map((adjoint) => writePhases(b, adjoint))
  const phases = written[0].map((_, at) => written.flatMap((parts) => parts[at]))
  if (phases.some((parts) => parts.length === 0)) return undefined
  const sums = phases.map((parts) => (parts.length === 1 ? parts[0] : b.add('Sum', parts)))
  return interleave(b, sums, first)
}

/** Whether all phases that taps reach have equally many pixels, and none to cut off. */
export function hasPhases(window: Window): boolean {
  const { input, strides } = window
  return (
    input.every((size, axis) => size % strides[axis] === 0) &&
    phasesOf(window).every((phase) => !isReached(phase) || phase.every(({ begin, end }) => begin >= 0 && end >= 0))
  )
}

/** The pixels of each phase; none where no tap reaches them. */
function writePhases(
  b: GradientBuilder,
  { gradient, weights, group, window }: Adjoint,
): readonly (readonly string[])[] {
  const { dilations, strides } = window
  return phasesOf(window).map((phase) => {
    if (!isReached(phase)) return []
    const turned = turnedRound(weights, group, phase, strides)
    const pixels = b.add('Conv', [gradient, b.constant(turned.type, turned.dims, turned.data)], {
      group,
      kernel_shape: phase.map(({ taps }) => taps),
      dilations,
      pads: [...phase.map(({ begin }) => begin), ...phase.map(({ end }) => end)],
    })
    return [pixels]
  })
}

function isReached(phase: readonly Phase[]): boolean {
  return phase.every(({ taps }) => taps > 0)
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

/**
 * Pixels between pixels. With the channels last each pixel is copied as a whole, and onnxruntime makes both Transposes part of
 * its conversions from and to the layout of convolutions. With DepthToSpace all of it takes 1.03 to 1.3 times as long
 * (`node bench/alternatives.mjs convolutions`).
 */
function interleave(b: GradientBuilder, parts: readonly string[], { weights, group, window }: Adjoint): string {
  if (parts.length === 1) return parts[0]
  const channels = group * weights.dims[1]
  const [height, width] = window.input
  const [down, right] = window.strides
  const rows = Array.from({ length: down }, (_, row) => {
    const columns = parts
      .slice(row * right, (row + 1) * right)
      .map((part) => b.add('Transpose', [part], { perm: [0, 2, 3, 1] }))
    return b.reshape(b.add('Concat', columns, { axis: 3 }), [-1, height / down, width * channels])
  })
  const pixels = b.reshape(b.add('Concat', rows, { axis: 2 }), [-1, height, width, channels])
  return b.add('Transpose', [pixels], { perm: [0, 3, 1, 2] })
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
  const count = places.length
  const size = filters * channels * count
  const result = type === 'float64' ? new Float64Array(size) : new Float32Array(size)
  for (let filter = 0; filter < filters; filter++)
    for (let channel = 0; channel < channels; channel++) {
      const g = Math.floor(filter / perGroup)
      const from = (filter * channels + channel) * area
      const to = ((g * channels + channel) * perGroup + (filter % perGroup)) * count
      // No closure for each filter: there may be millions of weights.
      for (let tap = 0; tap < count; tap++) result[to + count - 1 - tap] = Number(data[from + places[tap]])
    }
  return { type, dims: [group * channels, perGroup, ...phase.map(({ taps }) => taps)], data: result }
}
