import type { Raster } from './raster.js'

/**
 * Chroma that was stored at half resolution, as libjpeg's "fancy upsampling" (jdsample.c) gives it and so Pillow and
 * torchvision: each sample lies in the middle of the pixels it stands for, and a pixel takes 3 parts of the nearest
 * and 1 of the next, along each halved axis. Copies of chroma instead would be off by up to 28 of 255 at an edge.
 * @param image Y, Cb, Cr, each chroma sample repeated over the pixels it stands for
 */
export function interpolateChroma(image: Raster, halvedAcross: boolean, halvedDown: boolean): Raster {
  const { width, height, channels, pixels: stored } = image
  // libjpeg repeats samples too where there are no more than two.
  if (!(halvedAcross || halvedDown) || (halvedAcross && width <= 4)) return image
  const columns = taps(width, halvedAcross)
  const rows = taps(height, halvedDown)
  const shift = halvedAcross && halvedDown ? 4 : 2
  const pixels = stored.slice()
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [row, column] = [rows[y], columns[x]]
      const bias = rounding(halvedAcross, halvedDown, x, y)
      for (let channel = 1; channel < channels; channel++) {
        const near = stored[(row.near * width + column.near) * channels + channel]
        const across = stored[(row.near * width + column.far) * channels + channel]
        const down = stored[(row.far * width + column.near) * channels + channel]
        const diagonal = stored[(row.far * width + column.far) * channels + channel]
        const upper = column.nearWeight * near + column.farWeight * across
        const lower = column.nearWeight * down + column.farWeight * diagonal
        pixels[(y * width + x) * channels + channel] = (row.nearWeight * upper + row.farWeight * lower + bias) >> shift
      }
    }
  return { width, height, channels, pixels }
}

/** libjpeg alternates what it adds before it cuts, so that halves do not all go one way. */
function rounding(halvedAcross: boolean, halvedDown: boolean, x: number, y: number): number {
  if (halvedAcross && halvedDown) return x % 2 === 0 ? 8 : 7
  return (halvedAcross ? x : y) % 2 === 0 ? 1 : 2
}

/** For each pixel of an axis: a pixel that holds the nearest chroma sample and one that holds the next, with weights. */
function taps(length: number, halved: boolean) {
  const last = Math.ceil(length / 2) - 1
  return Array.from({ length }, (_, pixel) => {
    if (!halved) return { near: pixel, far: pixel, nearWeight: 1, farWeight: 0 }
    const near = pixel >> 1
    const far = Math.min(last, Math.max(0, pixel % 2 === 0 ? near - 1 : near + 1))
    return { near: 2 * near, far: 2 * far, nearWeight: 3, farWeight: 1 }
  })
}

/** JFIF's YCbCr → RGB in 16-bit fixed point with libjpeg's constants (jdcolor.c). */
export function yccToRgb({ width, height, channels, pixels: ycc }: Raster): Raster {
  const pixels = new Uint8ClampedArray(ycc.length)
  for (let i = 0; i < ycc.length; i += 3) {
    const [luma, blue, red] = [ycc[i], ycc[i + 1] - 128, ycc[i + 2] - 128]
    pixels[i] = luma + ((91881 * red + 32768) >> 16)
    pixels[i + 1] = luma + ((-22554 * blue - 46802 * red + 32768) >> 16)
    pixels[i + 2] = luma + ((116130 * blue + 32768) >> 16)
  }
  return { width, height, channels, pixels: new Uint8Array(pixels.buffer) }
}
