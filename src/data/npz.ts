import { unzipSync, zipSync } from 'fflate'
import { UsageError } from '../errors.js'
import { MAXIMUM_BYTES } from './files.js'
import type { NpyArray } from './npy.js'
import { readNpy, writeNpy } from './npy.js'
import { oneLine } from '../text.js'
import { reasonOf } from './reason.js'
import type { StoredImages } from './types.js'

/**
 * `x` (uint8, float32 or float64; [N, …]) and `y` (integers or whole floats; [N]) of a .npz archive.
 * @throws UsageError when a member is missing (listing those present) or of another type
 */
export function decodeNpz(bytes: Uint8Array, name: string): StoredImages {
  const { x, y } = readNpz(bytes, name, ['x', 'y'])
  if (x.shape.length < 2)
    throw new UsageError(
      `${name}: x has shape (${x.shape.join(', ')}); give [N, C, H, W], [N, H, W, C], [N, H, W] or [N, D]`,
    )
  if (!(x.data instanceof Uint8Array || x.data instanceof Float32Array || x.data instanceof Float64Array))
    throw new UsageError(`${name}: x is of type ${x.type}; save images as uint8, float32 or float64`)
  if (y.shape.length === 0 || y.shape.slice(1).some((size) => size !== 1))
    throw new UsageError(
      `${name}: y has shape (${y.shape.join(', ')}); give one class number per image, shape [N] (of one-hot labels: argmax(axis=1))`,
    )
  return { available: x.shape[0], dims: x.shape.slice(1), values: x.data, labels: y.data }
}

/**
 * Arrays of a .npz archive by name (without `.npy`); those that are not wanted are not unpacked.
 * @param most - Bytes an array may unpack to.
 * @throws UsageError for anything but a zip of arrays, a missing member (listing those present), and an array that
 *   would unpack to more
 */
export function readNpz<Member extends string>(
  bytes: Uint8Array,
  name: string,
  wanted: readonly Member[],
  most = MAXIMUM_BYTES,
): Readonly<Record<Member, NpyArray>> {
  const present: string[] = []
  const unpacked = unzip(bytes, name, (member, size) => {
    present.push(member)
    if (!wanted.some((each) => each === member)) return false
    if (size > most)
      throw new UsageError(
        `${name}: ${member} would unpack to ${size} bytes, more than the limit of ${binary(most)}; give fewer images`,
      )
    return true
  })
  const arrays = wanted.map((member) => {
    const file = unpacked.get(member)
    if (!file)
      throw new UsageError(
        `${name}: has no array "${member}", only ${oneLine(present.join(', ')) || 'nothing'}; save it with numpy.savez(path, ${wanted.map((each) => `${each}=…`).join(', ')})`,
      )
    return [member, readNpy(file, `${name}: ${member}`)]
  })
  return Object.fromEntries(arrays) as Record<Member, NpyArray>
}

function binary(bytes: number): string {
  return bytes < 2 ** 30 ? `${Math.ceil(bytes / 2 ** 20)} MiB` : `${Math.ceil(bytes / 2 ** 30)} GiB`
}

/** A .npz archive, compressed, equal to the byte for equal arrays: numpy.load reads it. */
export function writeNpz(entries: Readonly<Record<string, NpyArray>>): Uint8Array {
  const files = Object.entries(entries).map(([name, array]) => [`${name}.npy`, writeNpy(array)])
  // A zip holds local time from 1980 on: this date is the same in every time zone.
  return zipSync(Object.fromEntries(files), { mtime: new Date(1980, 0, 1) })
}

/** Members by name without `.npy`. `accept` sees each member's name and declared size, which bounds what is unpacked. */
function unzip(
  bytes: Uint8Array,
  name: string,
  accept: (member: string, size: number) => boolean,
): Map<string, Uint8Array> {
  const memberOf = (file: string): string => file.replace(/\.npy$/, '')
  try {
    const files = unzipSync(bytes, { filter: (file) => accept(memberOf(file.name), file.originalSize) })
    return new Map(Object.entries(files).map(([file, content]) => [memberOf(file), content]))
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(
      `${name}: is not a readable .npz archive (${reasonOf(error)}); save it again with numpy.savez`,
      {
        cause: error,
      },
    )
  }
}
