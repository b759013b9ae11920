import { convertIndexedToRgb, decode, hasPngSignature } from 'fast-png'
import type { DecodedPng } from 'fast-png'
import { UsageError } from '../errors.js'
import type { Raster } from './raster.js'
import { MAXIMUM_MEGAPIXELS, takeChannels } from './raster.js'
import { reasonOf } from './reason.js'

export function isPng(bytes: Uint8Array): boolean {
  return bytes.length > 8 && hasPngSignature(bytes)
}

const indexedColour = 3

/**
 * Any PNG → 8 bits gray or RGB. As Pillow's convert('RGB') does, alpha is dropped, not blended over a background, and
 * of 16 bits the high byte stays. Fewer than 8 bits of gray are spread over 0…255. A palette of nothing but grays is gray.
 */
export function decodePng(bytes: Uint8Array, name: string): Raster {
  const { width, height, depth, colourType, interlaced } = readHeader(bytes, name)
  if (width * height > MAXIMUM_MEGAPIXELS * 1e6)
    throw new UsageError(
      `${name}: declares ${width} × ${height} pixels, more than the limit of ${MAXIMUM_MEGAPIXELS} million; make the image smaller`,
    )
  if (interlaced && depth < 8)
    throw new UsageError(
      `${name}: is an interlaced PNG of ${depth} bits, which is not read; save it without interlacing`,
    )
  try {
    const png = decode(bytes, { checkCrc: true })
    return colourType === indexedColour ? fromPalette(png) : fromSamples(png)
  } catch (error) {
    throw new UsageError(`${name}: is not a readable PNG (${reasonOf(error)}); save or download the image again`, {
      cause: error,
    })
  }
}

/** IHDR, always the first chunk: width, height, bit depth, colour type, compression, filter, interlacing. */
function readHeader(bytes: Uint8Array, name: string) {
  if (bytes.length < 29) throw new UsageError(`${name}: is cut off; save or download the image again`)
  const file = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    width: file.getUint32(16),
    height: file.getUint32(20),
    depth: bytes[24],
    colourType: bytes[25],
    interlaced: bytes[28] !== 0,
  }
}

function fromPalette(png: DecodedPng): Raster {
  const colours = png.palette ?? []
  const isGray = colours.every(([red, green, blue]) => red === green && green === blue)
  const { width, height } = png
  return takeChannels(convertIndexedToRgb(png), colours[0].length, { width, height, channels: isGray ? 1 : 3 })
}

function fromSamples(png: DecodedPng): Raster {
  const { width, height, channels: stride, depth } = png
  const samples = depth === 16 ? Uint8Array.from(png.data, (sample) => sample >> 8) : png.data
  return takeChannels(depth < 8 ? unpackBits(png) : samples, stride, { width, height, channels: stride < 3 ? 1 : 3 })
}

/** Gray of 1, 2 or 4 bits: the leftmost pixel is in the highest bits, and each row begins a new byte. */
function unpackBits({ width, height, depth, data }: DecodedPng): Uint8Array {
  const highest = 2 ** depth - 1
  const rowBytes = Math.ceil((width * depth) / 8)
  return Uint8Array.from({ length: width * height }, (_, i) => {
    const bit = (i % width) * depth
    const byte = data[Math.floor(i / width) * rowBytes + Math.floor(bit / 8)]
    return (((byte >> (8 - depth - (bit % 8))) & highest) * 255) / highest
  })
}
