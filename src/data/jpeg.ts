import readExif from 'exif-reader'
import jpeg from 'jpeg-js'
import { UsageError } from '../errors.js'
import { interpolateChroma, yccToRgb } from './chroma.js'
import { orient } from './orientation.js'
import type { Raster } from './raster.js'
import { MAXIMUM_MEGAPIXELS, takeChannels } from './raster.js'
import { reasonOf } from './reason.js'

export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff
}

/** A JPEG → 8 bits gray or RGB, the way up its EXIF orientation says it was taken. */
export function decodeJpeg(bytes: Uint8Array, name: string): Raster {
  try {
    const markers = readMarkers(bytes)
    return orient(
      markers.components.length === 3 ? decodeColour(bytes, markers) : decodeOther(bytes, markers),
      markers.orientation,
    )
  } catch (error) {
    throw new UsageError(`${name}: is not a readable JPEG (${reasonOf(error)}); save or download the image again`, {
      cause: error,
    })
  }
}

const limits = {
  useTArray: true,
  formatAsRGBA: false,
  tolerantDecoding: false,
  maxResolutionInMP: MAXIMUM_MEGAPIXELS,
  maxMemoryUsageInMB: 1024,
} as const

/** Gray, and CMYK as RGB. */
function decodeOther(bytes: Uint8Array, { components }: Markers): Raster {
  const { width, height, data } = jpeg.decode(bytes, limits)
  return takeChannels(data, 3, { width, height, channels: components.length === 1 ? 1 : 3 })
}

/** jpeg-js repeats chroma samples, which libjpeg interpolates: we take them as they are and finish as libjpeg does. */
function decodeColour(bytes: Uint8Array, { components, adobe }: Markers): Raster {
  // Adobe's segment would overrule the option that leaves the colours alone.
  const file = adobe ? Buffer.concat([bytes.subarray(0, adobe.start), bytes.subarray(adobe.end)]) : bytes
  const { width, height, data } = jpeg.decode(file, { ...limits, colorTransform: false })
  const stored: Raster = { width, height, channels: 3, pixels: data }
  if (adobe?.transform === 0) return stored
  const [luma, blue, red] = components
  const smooth = blue.horizontal === red.horizontal && blue.vertical === red.vertical
  return yccToRgb(
    smooth
      ? interpolateChroma(stored, luma.horizontal === 2 * blue.horizontal, luma.vertical === 2 * blue.vertical)
      : stored,
  )
}

interface Markers {
  /** One is gray, three colour, four CMYK; with their sampling factors. */
  readonly components: readonly { readonly horizontal: number; readonly vertical: number }[]
  /** EXIF tag 0x0112, 1…8. */
  readonly orientation: number
  /** Where Adobe's APP14 lies, and its colour transform: 0 is RGB, 1 YCbCr. */
  readonly adobe?: { readonly start: number; readonly end: number; readonly transform: number }
}

/**
 * Walks the segments before the image's data (ITU-T T.81, B.1.1.3): a marker FFxx, then its length as big-endian
 * uint16, which counts itself.
 */
function readMarkers(bytes: Uint8Array): Markers {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let markers: Markers = { components: [], orientation: 1 }
  let at = 2
  while (at + 4 <= file.length && file[at] === 0xff) {
    const marker = file[at + 1]
    const end = at + 2 + file.readUInt16BE(at + 2)
    const content = file.subarray(at + 4, end)
    if (marker === startOfScan) break
    if (isStartOfFrame(marker)) markers = { ...markers, components: componentsOf(content) }
    else if (marker === app1 && content.toString('latin1', 0, 6) === 'Exif\0\0')
      markers = { ...markers, orientation: exifOrientation(content) }
    else if (marker === app14 && content.length >= 12 && content.toString('latin1', 0, 5) === 'Adobe')
      markers = { ...markers, adobe: { start: at, end, transform: content[11] } }
    // A marker may be preceded by any number of FF bytes.
    at = marker === 0xff ? at + 1 : end
  }
  return markers
}

/** T.81, B.2.2: precision, height, width, number of components; then id, sampling factors and table of each. */
function componentsOf(frame: Buffer): Markers['components'] {
  return Array.from({ length: frame[5] }, (_, place) => {
    const factors = frame[6 + 3 * place + 1]
    return { horizontal: factors >> 4, vertical: factors & 15 }
  })
}

const app1 = 0xe1
const app14 = 0xee
const startOfScan = 0xda

/** C4, C8 and CC are Huffman tables, a reserved marker and arithmetic conditioning. */
function isStartOfFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
}

/** Damaged EXIF does not spoil an image: cameras and editors write it wrongly, and every viewer ignores that. */
function exifOrientation(segment: Buffer): number {
  try {
    const orientation = readExif(segment).Image?.Orientation
    return typeof orientation === 'number' && orientation >= 1 && orientation <= 8 ? orientation : 1
  } catch {
    return 1
  }
}
