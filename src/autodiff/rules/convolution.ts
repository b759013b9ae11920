import type { Tensor } from '../../onnx/graph.js'
import type { Adjoint, Window } from '../adjoint.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { rule } from '../rule.js'
import type { Rule } from '../rule.js'
import { affine, isFeatureMap } from './featureMaps.js'
import { gatherPhases, hasPhases, turnedRound } from './phases.js'
import { biasGradient, weightGradient } from './weightGradient.js'
import { groupOf, spread, windowOf } from './windows.js'

/** Weights are constants as a rule, and no gradient of theirs is made; only those that are computed from the image get one. */
export const convolution: Readonly<Record<string, Rule>> = {
  Conv: rule((node, gradient, b) => {
    const [x, weights, bias] = node.inputs
    const kernel = b.dims(weights).slice(2)
    const window = windowOf(node, kernel, b)
    const group = groupOf(node)
    const { dims, batchAxis } = b.observed(x)
    const transposed = (): string => spread(b, gradient, weights, group, window)
    const forImage = (): string => {
      const constant = b.constantOf(weights)
      if (constant === undefined) return transposed()
      const adjoint = { gradient, weights: constant, group, window }
      if (isUnitStride(window) && !isNarrow(constant, group)) return gatherPhases(b, adjoint)
      if (isWideDepthwise(constant, group, window)) return stuffZeros(b, adjoint)
      if (!isFeatureMap(x, b) || !isInPhases(constant, group, window)) return transposed()
      // Interleaved in one layout, what comes next goes on in the other.
      const made = isOverlapping(window) ? affine(gatherPhases(b, adjoint), 1, 0, x, b) : transposed()
      b.adjoints.set(made, adjoint)
      return made
    }
    const image = { value: x, dims, isFree: batchAxis !== undefined }
    return [
      b.isActive(x) ? forImage() : undefined,
      b.isActive(weights) ? weightGradient(b, image, gradient, group, window) : undefined,
      bias && b.isActive(bias) ? biasGradient(b, gradient, node.outputs[0]) : undefined,
    ]
  }),
}

/** Stride 1, and no more padding than the kernel reaches. */
function isUnitStride(window: Window): boolean {
  return window.strides.every((stride) => stride === 1) && hasPhases(window)
}

/**
 * Whether the gradient has so few channels, as that of an image, that a Conv would leave most of a block of them empty: to
 * 3 channels 3×3 takes 1.5 times as long as ConvTranspose, to one 5×5 3.5 times (`node bench/alternatives.mjs convolutions`).
 */
function isNarrow({ dims: [, channels, ...kernel] }: Tensor, group: number): boolean {
  return group * channels <= 4 && kernel.length === 2 && kernel[0] * kernel[1] >= 9
}

/**
 * Channels in the largest block that onnxruntime lays maps out in. Of others the phases are put together more slowly: 3×3/2 to 24
 * channels takes 1.03 of ConvTranspose's time, to 8 of them 1.36 (`node bench/alternatives.mjs convolutions`).
 */
const WHOLE_BLOCK = 16

/** Whether the pixels of every phase are a map of their own, and better made as one. */
function isInPhases({ dims: [, channels] }: Tensor, group: number, window: Window): boolean {
  const isDense = group === 1 && channels % WHOLE_BLOCK === 0 && window.dilations.every((gap) => gap === 1)
  return isDense && window.kernel.length === 2 && hasPhases(window)
}

/**
 * Windows larger than their stride, so that each phase has taps: 3×3/2 takes 0.67 to 1.1 of ConvTranspose's time, 4×4/2 0.72 to
 * 0.9, the least on small maps of many channels (`node bench/alternatives.mjs convolutions`).
 */
function isOverlapping({ kernel, strides }: Window): boolean {
  return kernel.every((size, axis) => size > strides[axis])
}

/**
 * ConvTranspose goes through groups one by one: zeros that are multiplied are cheaper from 5×5 taps on, and on maps that stay
 * in the cache from 3×3 on (0.7 of the time on 32×32 and 16×16 pixels, as much as ConvTranspose's on 112×112;
 * `node bench/alternatives.mjs convolutions`).
 */
function isWideDepthwise({ dims }: Tensor, group: number, window: Window): boolean {
  const { kernel, strides, dilations, begin, input, output } = window
  return (
    kernel.length === 2 &&
    dims[1] === 1 &&
    dims[0] === group &&
    kernel[0] * kernel[1] >= (input[0] * input[1] <= 1024 ? 9 : 25) &&
    kernel.every(
      (size, axis) =>
        dilations[axis] === 1 && begin[axis] < size && input[axis] + begin[axis] >= strides[axis] * output[axis],
    )
  )
}

/** Puts the gradients `stride` apart with zeros between them; on that grid the convolution had stride 1. */
export function stuffZeros(b: GradientBuilder, { gradient, weights, group, window }: Adjoint): string {
  const { kernel, strides, begin, input, output } = window
  const [down, right] = strides
  const [height, width] = output
  const sizes = [height * down, width * right]
  // A row becomes `down` rows, the first with its pixels `right` apart, by a product that onnxruntime makes in one pass.
  const places = new Float32Array(width * down * sizes[1])
  for (let pixel = 0; pixel < width; pixel++) places[pixel * down * sizes[1] + pixel * right] = 1
  const rows = b.add('MatMul', [gradient, b.constant('float32', [width, down * sizes[1]], places)])
  const apart = b.reshape(rows, [-1, group, ...sizes])
  const turned = turnedRound(
    weights,
    group,
    kernel.map((taps) => ({ first: 0, taps })),
    kernel.map(() => 1),
  )
  const pads = [
    ...kernel.map((size, axis) => size - 1 - begin[axis]),
    ...input.map((size, axis) => size + begin[axis] - sizes[axis]),
  ]
  const name = b.constant(turned.type, turned.dims, turned.data)
  return b.add('Conv', [apart, name], { group, kernel_shape: kernel, pads })
}
