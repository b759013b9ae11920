import { UsageError } from '../errors.js'
import type { Raster } from './raster.js'

/** Fixed-point bits of a weight: 32 less 8 of the sample and 2 of headroom, as in Pillow's Resample.c. */
const precision = 22

/**
 * Antialiased bilinear, bit for bit as Pillow's Image.resize(…, BILINEAR) and so torchvision's Resize of an image: the
 * shorter side becomes `shorter` pixels, the longer one shorter × longer / shorter, cut to an integer.
 */
export function resizeShorterSide(image: Raster, shorter: number): Raster {
  const { width, height } = image
  return width <= height
    ? resize(image, shorter, Math.trunc((shorter * height) / width))
    : resize(image, Math.trunc((shorter * width) / height), shorter)
}

/** Along the rows first, rounded to 8 bits, then along the columns. */
export function resize(image: Raster, width: number, height: number): Raster {
  const { channels } = image
  const narrowed = resample(image.pixels, image.height, image.width, channels, width)
  return { width, height, channels, pixels: resample(narrowed, 1, image.height, width * channels, height) }
}

/**
 * The middle [height, width] of an image, as torchvision's CenterCrop: an odd remainder is halved and rounded to even.
 * @throws UsageError when the image is smaller (torchvision would pad it with black)
 */
export function centreCrop(image: Raster, [height, width]: readonly [number, number], name: string): Raster {
  if (image.height < height || image.width < width)
    throw new UsageError(
      `${name}: is ${image.height} × ${image.width} (height × width), smaller than the crop of ${height} × ${width}; set \`resize\` to at least ${Math.max(height, width)}`,
    )
  const { channels } = image
  const top = halfToEven(image.height - height)
  const left = halfToEven(image.width - width)
  const pixels = new Uint8Array(height * width * channels)
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * image.width + left) * channels
    pixels.set(image.pixels.subarray(start, start + width * channels), y * width * channels)
  }
  return { width, height, channels, pixels }
}

/** Python's round(n / 2). */
function halfToEven(n: number): number {
  const down = Math.floor(n / 2)
  return n % 2 === 1 && down % 2 === 1 ? down + 1 : down
}

/** [outer, length, inner] → [outer, target, inner]. */
function resample(source: Uint8Array, outer: number, length: number, inner: number, target: number): Uint8Array {
  if (length === target) return source
  const result = new Uint8Array(outer * target * inner)
  triangleWeights(length, target).forEach(({ first, weights }, place) => {
    for (let block = 0; block < outer; block++)
      for (let column = 0; column < inner; column++) {
        let sum = 2 ** (precision - 1)
        for (let tap = 0; tap < weights.length; tap++)
          sum += source[(block * length + first + tap) * inner + column] * weights[tap]
        result[(block * target + place) * inner + column] = Math.min(255, Math.floor(sum / 2 ** precision))
      }
  })
  return result
}

interface Taps {
  readonly first: number
  /** Fixed point, `precision` bits. */
  readonly weights: Int32Array
}

/** For each output pixel the triangle around its centre; when shrinking it is as wide as the pixels it stands for. */
function triangleWeights(length: number, target: number): Taps[] {
  const scale = length / target
  const support = Math.max(scale, 1)
  return Array.from({ length: target }, (_, place) => {
    const centre = (place + 0.5) * scale
    const first = Math.max(0, Math.trunc(centre - support + 0.5))
    const end = Math.min(length, Math.trunc(centre + support + 0.5))
    const heights = Array.from({ length: end - first }, (_, tap) =>
      Math.max(0, 1 - Math.abs((first + tap - centre + 0.5) * (1 / support))),
    )
    const total = heights.reduce((sum, height) => sum + height, 0)
    return { first, weights: Int32Array.from(heights, (height) => 0.5 + (height / total) * 2 ** precision) }
  })
}
