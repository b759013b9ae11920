import type { GradientBuilder } from '../gradientBuilder.js'

/*
 * onnxruntime computes convolutions in a layout of its own, blocks of 8 or 16 channels. Between them a map stays in it
 * only through what has a kernel there: Conv, sums and products of equal shapes, Sigmoid, HardSigmoid, a product with one
 * constant per channel, enlarging by whole numbers. Anything else, a product with a scalar included, costs a conversion
 * out and one back, each as long as the product itself. So gradients of maps are made of these.
 */

/** Fewest channels in a block. */
const CHANNEL_BLOCK = 8

/**
 * Whether a value is [N, C, H, W] in float32, with channels in whole blocks, and as many of them and of pixels in every
 * batch: constants are made of their sizes.
 */
export function isFeatureMap(name: string, b: GradientBuilder): boolean {
  const { type, dims, batchAxis = 0 } = b.observed(name)
  return type === 'float32' && dims.length === 4 && dims[1] % CHANNEL_BLOCK === 0 && batchAxis === 0
}

/** scale · value + shift, for a map with the channels of `like`: a depthwise Conv, with which what follows is fused. */
export function affine(value: string, scale: number, shift: number, like: string, b: GradientBuilder): string {
  const [, channels] = b.dims(like)
  const filled = (dims: readonly number[], of: number): string =>
    b.constant('float32', dims, new Float32Array(channels).fill(of))
  const bias = shift === 0 ? [] : [filled([channels], shift)]
  return b.add('Conv', [value, filled([channels, 1, 1, 1], scale), ...bias], { group: channels, kernel_shape: [1, 1] })
}

/** One number for each image and channel, [N, C, 1, 1], repeated over the pixels of `map`. */
export function overPixels(value: string, map: string, b: GradientBuilder): string {
  const [, , ...sizes] = b.dims(map)
  return b.add('Resize', [value, '', b.constant('float32', [4], Float32Array.of(1, 1, ...sizes))], {
    mode: 'nearest',
    nearest_mode: 'floor',
    coordinate_transformation_mode: 'asymmetric',
  })
}

/** Pixels of the largest kernel of ones: 4 KB a channel. */
const LARGEST_KERNEL = 1024

/**
 * Σ over the pixels of a map in the shape of `map`, [N, C, 1, 1]: a depthwise Conv with a kernel of that size. Of larger maps
 * the mean, as many times: as fast, a rounding less exact, and without a kernel (17 MB for 64 channels of 256 × 256, each gate).
 */
export function sumOfPixels(value: string, map: string, b: GradientBuilder): string {
  const [, channels, ...kernel] = b.dims(map)
  const area = kernel[0] * kernel[1]
  if (area > LARGEST_KERNEL) return affine(b.add('GlobalAveragePool', [value]), area, 0, map, b)
  const ones = b.constant('float32', [channels, 1, ...kernel], new Float32Array(channels * area).fill(1))
  return b.add('Conv', [value, ones], { group: channels, kernel_shape: kernel })
}

/** Whether a value is one number for each image and channel of `map`, computed from the image: a squeeze-and-excite gate. */
export function isGate(name: string, map: string, b: GradientBuilder): boolean {
  if (!isFeatureMap(name, b) || !isFeatureMap(map, b) || b.constantOf(name) !== undefined) return false
  const { dims, batchAxis } = b.observed(name)
  const whole = b.observed(map)
  const isOnePixel = dims[2] === 1 && dims[3] === 1
  const sameRows = batchAxis === whole.batchAxis && (dims[0] === whole.dims[0] || batchAxis === 0)
  return isOnePixel && sameRows && dims[1] === whole.dims[1] && whole.dims[2] * whole.dims[3] > 1
}
