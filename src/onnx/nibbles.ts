import type { ElementType } from './graph.js'

/** Four bits a number, two numbers to a byte of a file, the first in the lower half. In memory each has a byte of its own. */

/** @param count of numbers: the last half of the last byte may be nobody's. */
export function unpackNibbles(type: ElementType, bytes: Uint8Array, count: number): Int8Array | Uint8Array {
  const nibble = (at: number): number => (bytes[at >> 1] >> (at % 2 === 0 ? 0 : 4)) & 0xf
  if (type === 'uint4') return Uint8Array.from({ length: count }, (_, at) => nibble(at))
  return Int8Array.from({ length: count }, (_, at) => (nibble(at) ^ 8) - 8)
}

export function packNibbles(data: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    { length: Math.ceil(data.length / 2) },
    (_, at) => (data[2 * at] & 0xf) | ((data[2 * at + 1] & 0xf) << 4),
  )
}
