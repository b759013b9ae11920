import { endianness } from 'node:os'
import { UsageError } from '../errors.js'
import { oneLine } from '../text.js'

export type NpyData =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array

/** numpy's type strings without the byte order: kind and bytes per element. */
export type NpyType = 'u1' | 'u2' | 'u4' | 'u8' | 'i1' | 'i2' | 'i4' | 'i8' | 'f4' | 'f8'

/** An array in row-major (C) order, whatever order its file had. */
export interface NpyArray {
  readonly type: NpyType
  readonly shape: readonly number[]
  readonly data: NpyData
}

interface Header {
  readonly type: NpyType
  readonly bigEndian: boolean
  readonly fortranOrder: boolean
  readonly shape: readonly number[]
  /** Where the elements begin. */
  readonly offset: number
}

/**
 * Reads numpy's .npy format, versions 1 to 3 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html):
 * integers and floats of 32 and 64 bits, either byte order, C or Fortran order.
 * @param name what to call the array in an error: `test.npz: x`
 */
export function readNpy(bytes: Uint8Array, name: string): NpyArray {
  const { type, bigEndian, fortranOrder, shape, offset } = readHeader(bytes, name)
  const count = shape.reduce((product, size) => product * size, 1)
  const width = Number(type.slice(1))
  if (bytes.length - offset < count * width)
    throw new UsageError(
      `${name}: declares shape (${shape.join(', ')}) of ${type}, ${count * width} bytes, but holds ${bytes.length - offset}; save the file again`,
    )
  const elements = Uint8Array.from(bytes.subarray(offset, offset + count * width))
  const hostIsBigEndian = endianness() === 'BE'
  if (bigEndian !== hostIsBigEndian) swapBytes(elements, width)
  return { type, shape, data: view(type, fortranOrder ? toRowMajor(elements, width, shape) : elements) }
}

/** Writes version 1 of the format: little-endian, C order. */
export function writeNpy({ type, shape, data }: NpyArray): Uint8Array {
  const order = type.endsWith('1') ? '|' : '<'
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const dictionary = `{'descr': '${order}${type}', 'fortran_order': False, 'shape': ${tuple}, }`
  const preamble = 10
  // The format asks for elements that begin at a multiple of 64, after padding with spaces and a newline.
  const length = Math.ceil((preamble + dictionary.length + 1) / 64) * 64 - preamble
  const elements = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
  if (endianness() === 'BE') swapBytes(elements, Number(type.slice(1)))
  const header = Buffer.from(`\x93NUMPY\x01\x00__${dictionary.padEnd(length - 1)}\n`, 'latin1')
  header.writeUInt16LE(length, 8)
  return new Uint8Array(Buffer.concat([header, elements]))
}

function readHeader(bytes: Uint8Array, name: string): Header {
  const broken = new UsageError(
    `${name}: is not a readable .npy array; save it with numpy.savez(path, x=images, y=labels)`,
  )
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (file.length < 12 || file.toString('latin1', 0, 6) !== '\x93NUMPY') throw broken
  const version = file[6]
  if (version < 1 || version > 3) throw broken
  const start = version === 1 ? 10 : 12
  const offset = start + (version === 1 ? file.readUInt16LE(8) : file.readUInt32LE(8))
  if (offset > file.length) throw broken
  const text = file.toString(version === 3 ? 'utf8' : 'latin1', start, offset)

  const order = /'fortran_order':\s*(True|False)/.exec(text)
  const dims = /'shape':\s*\(([\d\sL,]*)\)/.exec(text)
  if (!order || !dims) throw broken
  const descr = /'descr':\s*'([<>|=]?)(\w+)'/.exec(text)
  if (!descr || !isNpyType(descr[2]))
    throw new UsageError(
      `${name}: has elements of type ${oneLine(/'descr':\s*([^,}]*)/.exec(text)?.[1] ?? 'unknown')}; save images as uint8, float32 or float64 and labels as integers`,
    )
  const shape = dims[1].match(/\d+/g)?.map(Number) ?? []
  if (!Number.isSafeInteger(shape.reduce((product, size) => product * size, 8))) throw broken
  return { type: descr[2], bigEndian: descr[1] === '>', fortranOrder: order[1] === 'True', shape, offset }
}

function isNpyType(text: string): text is NpyType {
  return /^([ui][1248]|f[48])$/.test(text)
}

function swapBytes(bytes: Uint8Array, width: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (width === 2) buffer.swap16()
  else if (width === 4) buffer.swap32()
  else if (width === 8) buffer.swap64()
}

/** `bytes` own their buffer from its first byte, so every element type is aligned. */
function view(type: NpyType, { buffer }: Uint8Array<ArrayBuffer>): NpyData {
  switch (type) {
    case 'u1':
      return new Uint8Array(buffer)
    case 'u2':
      return new Uint16Array(buffer)
    case 'u4':
      return new Uint32Array(buffer)
    case 'u8':
      return new BigUint64Array(buffer)
    case 'i1':
      return new Int8Array(buffer)
    case 'i2':
      return new Int16Array(buffer)
    case 'i4':
      return new Int32Array(buffer)
    case 'i8':
      return new BigInt64Array(buffer)
    case 'f4':
      return new Float32Array(buffer)
    case 'f8':
      return new Float64Array(buffer)
  }
}

/** Fortran order counts the first index fastest; here the last one is. */
function toRowMajor(source: Uint8Array<ArrayBuffer>, width: number, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, size) => product * size, width))
  const target = new Uint8Array(source.length)
  const index = shape.map(() => 0)
  let from = 0
  for (let to = 0; to < target.length; to += width) {
    for (let byte = 0; byte < width; byte++) target[to + byte] = source[from + byte]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]
      if (++index[axis] < shape[axis]) break
      from -= strides[axis] * shape[axis]
      index[axis] = 0
    }
  }
  return target
}
