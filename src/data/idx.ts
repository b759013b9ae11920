import { UsageError } from '../errors.js'
import { gunzipIfNeeded } from './gzip.js'
import type { StoredImages } from './types.js'

/**
 * MNIST's format (http://yann.lecun.com/exdb/mnist): two zero bytes, the element type (8: unsigned byte), the rank, the
 * sizes as big-endian uint32, then the elements. Images have rank 3, [N, H, W]; labels rank 1. Either may be gzipped.
 */
export function decodeIdx(images: Uint8Array, labels: Uint8Array, name: string): StoredImages {
  const { sizes, values } = readIdx(images, name, 3)
  const stored = readIdx(labels, `labels of ${name}`, 1)
  return { available: sizes[0], dims: sizes.slice(1), values, labels: stored.values }
}

function readIdx(packed: Uint8Array, name: string, rank: number): { sizes: number[]; values: Uint8Array } {
  const bytes = gunzipIfNeeded(packed, name)
  const file = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const offset = 4 + 4 * rank
  if (bytes.length < offset || bytes[0] !== 0 || bytes[1] !== 0)
    throw new UsageError(`${name}: is not an IDX file; give MNIST's format, e.g. t10k-images-idx3-ubyte.gz`)
  if (bytes[2] !== 8 || bytes[3] !== rank)
    throw new UsageError(
      `${name}: has element type 0x${bytes[2].toString(16).padStart(2, '0')} and ${bytes[3]} dimensions; give unsigned bytes (0x08) with ${rank}, as MNIST has`,
    )
  const sizes = Array.from({ length: rank }, (_, axis) => file.getUint32(4 + 4 * axis))
  const count = sizes.reduce((product, size) => product * size, 1)
  if (bytes.length - offset < count)
    throw new UsageError(
      `${name}: declares ${sizes.join(' × ')} bytes but holds ${bytes.length - offset}; download or save the file again`,
    )
  return { sizes, values: bytes.subarray(offset, offset + count) }
}
