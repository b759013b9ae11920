/** One decoded image: 8 bits a channel, rows from the top, channels together: [height, width, channels]. */
export interface Raster {
  readonly width: number
  readonly height: number
  /** 1 is gray, 3 is RGB. */
  readonly channels: 1 | 3
  readonly pixels: Uint8Array
}

/** An image file that declares more than this is refused before anything is allocated for it. */
export const MAXIMUM_MEGAPIXELS = 100

/** ITU-R 601 luma in 16-bit fixed point, rounded: the same as Pillow's convert('L'). */
export function toGray(image: Raster): Raster {
  if (image.channels === 1) return image
  const { width, height, pixels: rgb } = image
  const gray = new Uint8Array(width * height)
  for (let i = 0; i < gray.length; i++)
    gray[i] = (rgb[3 * i] * 19595 + rgb[3 * i + 1] * 38470 + rgb[3 * i + 2] * 7471 + 0x8000) >> 16
  return { width, height, channels: 1, pixels: gray }
}

export function toRgb(image: Raster): Raster {
  if (image.channels === 3) return image
  const { width, height, pixels: gray } = image
  const rgb = new Uint8Array(3 * width * height)
  for (let i = 0; i < gray.length; i++) rgb.fill(gray[i], 3 * i, 3 * i + 3)
  return { width, height, channels: 3, pixels: rgb }
}

/** A raster of the first `channels` of `stride` interleaved samples a pixel: drops what follows, such as alpha. */
export function takeChannels(
  samples: ArrayLike<number>,
  stride: number,
  { width, height, channels }: Omit<Raster, 'pixels'>,
): Raster {
  const pixels = new Uint8Array(width * height * channels)
  for (let i = 0; i < width * height; i++)
    for (let channel = 0; channel < channels; channel++) pixels[i * channels + channel] = samples[i * stride + channel]
  return { width, height, channels, pixels }
}
