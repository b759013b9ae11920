import { createHash } from 'node:crypto'
import { endianness } from 'node:os'

/**
 * SHA-256 (hex) of the images in use. The bytes hashed, all little-endian, are: uint32 number of images; uint32 number
 * of dimensions of an image; each dimension as uint32; the pixels as float32, row-major; the labels as int32.
 */
export function fingerprint(shape: readonly number[], pixels: Float32Array, labels: Int32Array): string {
  const hash = createHash('sha256').update(littleEndian(Uint32Array.of(labels.length, shape.length, ...shape)))
  // Node hashes no more than 2 GiB at once.
  for (let start = 0; start < pixels.length; start += PIECE)
    hash.update(littleEndian(pixels.subarray(start, start + PIECE)))
  return hash.update(littleEndian(labels)).digest('hex')
}

const PIECE = 2 ** 20

function littleEndian(words: Uint32Array | Int32Array | Float32Array): Uint8Array {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
  return endianness() === 'LE' ? bytes : Buffer.from(bytes).swap32()
}
