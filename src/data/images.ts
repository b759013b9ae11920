import type { DataOptions } from '../config/types.js'
import { UsageError } from '../errors.js'
import { decodeJpeg, isJpeg } from './jpeg.js'
import { refuseTooMany } from './pixels.js'
import { decodePng, isPng } from './png.js'
import type { Raster } from './raster.js'
import { toGray, toRgb } from './raster.js'
import { centreCrop, resizeShorterSide } from './resize.js'
import type { RawData, StoredImages } from './types.js'

type ImageFile = Extract<RawData, { kind: 'folder' }>['files'][number]

/**
 * PNG and JPEG files → uint8 images of one size, [C, H, W], or [H, W, C] when that layout is declared. Each is decoded,
 * turned gray if declared, resized and cropped, in this order. `auto` is gray only when every image is gray.
 * @throws UsageError for a file that is neither, is damaged, is smaller than the crop or differs in size
 */
export function decodeImages(files: readonly ImageFile[], options: DataOptions, name: string): StoredImages {
  // Before memory is spent on all of them.
  if (files.length > 0) refuseTooMany(files.length, prepare(files[0], options).pixels.length, name)
  const decoded = files.map((file) => prepare(file, options))
  const isGray = options.channels !== 'rgb' && decoded.every(({ channels }) => channels === 1)
  const images = isGray ? decoded : decoded.map(toRgb)
  const labels = files.map(({ label }) => label)
  if (images.length === 0) return { available: 0, dims: [], values: new Uint8Array(), labels }

  const { width, height, channels } = images[0]
  const other = images.findIndex((image) => image.width !== width || image.height !== height)
  if (other >= 0)
    throw new UsageError(
      `${files[other].name}: is ${images[other].height} × ${images[other].width} (height × width), but ${files[0].name} is ${height} × ${width}; set \`resize\` and \`crop\` to bring all images to one size`,
    )
  const isChannelsLast = options.layout === 'nhwc'
  const size = width * height * channels
  const values = new Uint8Array(images.length * size)
  images.forEach((image, place) => values.set(isChannelsLast ? image.pixels : channelsFirst(image), place * size))
  const dims = isChannelsLast ? [height, width, channels] : [channels, height, width]
  return { available: images.length, dims, values, labels }
}

function prepare({ name, bytes }: ImageFile, { channels, resize, crop }: DataOptions): Raster {
  const decoded = decodeByContent(bytes, name)
  const coloured = channels === 'gray' ? toGray(decoded) : decoded
  const resized = resize === undefined ? coloured : resizeShorterSide(coloured, resize)
  return crop === undefined ? resized : centreCrop(resized, crop, name)
}

/** By content, not by name: a PNG called .jpg is common. */
function decodeByContent(bytes: Uint8Array, name: string): Raster {
  if (isPng(bytes)) return decodePng(bytes, name)
  if (isJpeg(bytes)) return decodeJpeg(bytes, name)
  throw new UsageError(`${name}: is neither a PNG nor a JPEG; convert or remove it`)
}

function channelsFirst({ width, height, channels, pixels }: Raster): Uint8Array {
  const planes = new Uint8Array(pixels.length)
  const plane = width * height
  for (let i = 0; i < plane; i++)
    for (let channel = 0; channel < channels; channel++) planes[channel * plane + i] = pixels[i * channels + channel]
  return planes
}
