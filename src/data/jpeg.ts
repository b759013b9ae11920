import readExif from 'exif-reader'
import jpeg from 'jpeg-js'
import { UsageError } from '../errors.js'
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
    const { components, orientation } = readMarkers(bytes)
    const { width, height, data } = jpeg.decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: false,
      maxResolutionInMP: MAXIMUM_MEGAPIXELS,
      maxMemoryUsageInMB: 1024,
    })
    return orient(takeChannels(data, 3, { width, height, channels: components === 1 ? 1 : 3 }), orientation)
  } catch (error) {
    throw new UsageError(`${name}: is not a readable JPEG (${reasonOf(error)}); save or download the image again`, {
      cause: error,
    })
  }
}

interface Markers {
  /** 1 is gray; 3 colour, 4 CMYK. */
  readonly components: number
  /** EXIF tag 0x0112, 1…8. */
  readonly orientation: number
}

/**
 * Walks the segments before the image's data (ITU-T T.81, B.1.1.3): a marker FFxx, then its length as big-endian
 * uint16, which counts itself. SOF0…15 tell the components, APP1 with "Exif" the orientation.
 */
function readMarkers(bytes: Uint8Array): Markers {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let components = 3
  let orientation = 1
  let at = 2
  while (at + 4 <= file.length && file[at] === 0xff) {
    const marker = file[at + 1]
    const length = file.readUInt16BE(at + 2)
    const content = file.subarray(at + 4, at + 2 + length)
    if (marker === startOfScan) break
    if (isStartOfFrame(marker) && content.length >= 6) components = content[5]
    if (marker === app1 && content.toString('latin1', 0, 6) === 'Exif\0\0') orientation = exifOrientation(content)
    // A marker may be preceded by any number of FF bytes.
    at += marker === 0xff ? 1 : 2 + length
  }
  return { components, orientation }
}

const app1 = 0xe1
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
