import { create } from '@bufbuild/protobuf'
import { TensorProto_DataLocation, TensorProto_DataType as DataType, TensorProtoSchema } from 'onnx-buf'
import type { TensorProto } from 'onnx-buf'
import { UsageError } from '../errors.js'
import { externalBytes } from './externalBytes.js'
import type { TensorSource } from './externalBytes.js'
import type { ElementType, Tensor, TensorData } from './graph.js'
import { packNibbles, unpackNibbles } from './nibbles.js'

type NumericData = Exclude<TensorData, readonly string[]>

/** What a file is asked to hold at most: protobuf's own limit of 2 GiB. */
export const MAX_BYTES = 2 ** 31 - 1

/** The constructor of an array of numbers or bigints. */
interface TypedArray<T> {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBufferLike, offset: number, length: number): NumericData
  from(values: readonly T[]): NumericData
}

interface Storage {
  readonly code: DataType
  readonly bytes: number
  readonly view: (buffer: ArrayBufferLike, offset: number, length: number) => NumericData
  /** The typed field of TensorProto that holds it when there is no raw_data. */
  readonly typed: (proto: TensorProto) => NumericData
}

const STORAGE: Readonly<Record<Exclude<ElementType, 'string' | 'int4' | 'uint4'>, Storage>> = {
  float32: storage(DataType.FLOAT, Float32Array, (proto) => proto.floatData),
  float64: storage(DataType.DOUBLE, Float64Array, (proto) => proto.doubleData),
  float16: storage(DataType.FLOAT16, Uint16Array, (proto) => proto.int32Data),
  bfloat16: storage(DataType.BFLOAT16, Uint16Array, (proto) => proto.int32Data),
  int8: storage(DataType.INT8, Int8Array, (proto) => proto.int32Data),
  uint8: storage(DataType.UINT8, Uint8Array, (proto) => proto.int32Data),
  bool: storage(DataType.BOOL, Uint8Array, (proto) => proto.int32Data),
  int16: storage(DataType.INT16, Int16Array, (proto) => proto.int32Data),
  uint16: storage(DataType.UINT16, Uint16Array, (proto) => proto.int32Data),
  int32: storage(DataType.INT32, Int32Array, (proto) => proto.int32Data),
  uint32: storage(DataType.UINT32, Uint32Array, (proto) => proto.uint64Data.map(Number)),
  int64: storage(DataType.INT64, BigInt64Array, (proto) => proto.int64Data),
  uint64: storage(DataType.UINT64, BigUint64Array, (proto) => proto.uint64Data),
}

function storage<T>(code: DataType, values: TypedArray<T>, field: (proto: TensorProto) => readonly T[]): Storage {
  return {
    code,
    bytes: values.BYTES_PER_ELEMENT,
    view: (buffer, offset, length) => new values(buffer, offset, length),
    typed: (proto) => values.from(field(proto)),
  }
}

const TYPES: ReadonlyMap<number, ElementType> = new Map<number, ElementType>([
  ...Object.entries(STORAGE).map(([type, storage]): [number, ElementType] => [storage.code, type as ElementType]),
  [DataType.STRING, 'string'],
  [DataType.INT4, 'int4'],
  [DataType.UINT4, 'uint4'],
])

/** The element type of a TensorProto.DataType number; undefined for those we do not hold (complex, float8 and smaller). */
export function elementType(code: number): ElementType | undefined {
  return TYPES.get(code)
}

/** TensorProto.DataType of an element type. */
export function dataType(type: ElementType): number {
  if (type === 'string') return DataType.STRING
  if (isNibble(type)) return type === 'int4' ? DataType.INT4 : DataType.UINT4
  return STORAGE[type].code
}

/** The name ONNX gives a TensorProto.DataType number, for messages. */
export function dataTypeName(code: number): string {
  return DataType[code] ?? `type ${code}`
}

/**
 * A 64-bit integer of a number; what lies outside (INT64_MAX read as a double is 2⁶³) is clamped.
 */
export function toInt64(value: number): bigint {
  if (value >= 2 ** 63) return 2n ** 63n - 1n
  if (value <= -(2 ** 63)) return -(2n ** 63n)
  return BigInt(value)
}

/** An int64 tensor, 1-D unless `dims` says otherwise (`[]` for a scalar). */
export function int64Tensor(values: readonly number[], dims: readonly number[] = [values.length]): Tensor {
  return { type: 'int64', dims, data: BigInt64Array.from(values, toInt64) }
}

/** Number of elements of a shape. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((count, dim) => count * dim, 1)
}

/**
 * Reads a TensorProto: raw_data, the typed fields, or external data out of `source.external`.
 *
 * The data is a view of the given bytes where alignment allows, a copy otherwise.
 *
 * @throws UsageError when the type is none of ours, the data is not where it is said to be, or does not fill the shape.
 */
export function readTensor(proto: TensorProto, source: TensorSource): Tensor {
  const where = `${source.name}: tensor "${proto.name}"`
  const dims = readDims(proto.dims, where)
  const type = elementType(proto.dataType)
  if (type === undefined)
    throw new UsageError(
      `${where} has element type ${dataTypeName(proto.dataType)}, which is not supported; convert it to float32`,
    )
  const count = elementCount(dims)
  if (type === 'string') {
    const data = proto.stringData.map((bytes) => new TextDecoder().decode(bytes))
    return { type, dims, data: checkCount(data, count, where) }
  }
  if (isNibble(type)) return { type, dims, data: readNibbles(proto, type, dims, source, where) }
  const { bytes, view, typed } = STORAGE[type]
  const raw = rawBytes(proto, source, count * bytes)
  if (raw === undefined) return { type, dims, data: checkCount(typed(proto), count, where) }
  checkBytes(raw, count * bytes, dims, where)
  // Not slice(): a Buffer shares its memory there.
  const aligned = raw.byteOffset % bytes === 0 ? raw : new Uint8Array(raw)
  return { type, dims, data: view(aligned.buffer, aligned.byteOffset, count) }
}

function readNibbles(
  proto: TensorProto,
  type: 'int4' | 'uint4',
  dims: readonly number[],
  source: TensorSource,
  where: string,
): Int8Array | Uint8Array {
  const count = elementCount(dims)
  const bytes = Math.ceil(count / 2)
  // Typed fields hold a byte in each number, two of ours.
  const packed = rawBytes(proto, source, bytes) ?? Uint8Array.from(proto.int32Data)
  checkBytes(packed, bytes, dims, where)
  return unpackNibbles(type, packed, count)
}

function checkBytes({ byteLength: held }: Uint8Array, needed: number, dims: readonly number[], where: string): void {
  if (held !== needed)
    throw new UsageError(
      `${where} has ${held} bytes of data where its shape [${dims.join(', ')}] needs ${needed}; the file is damaged, export it again`,
    )
}

/** The proto of a tensor, its numbers as raw_data. */
export function writeTensor(tensor: Tensor, name: string): TensorProto {
  const proto = create(TensorProtoSchema, { name, dims: tensor.dims.map(toInt64), dataType: dataType(tensor.type) })
  const { data } = tensor
  if (isStrings(data)) proto.stringData = data.map((text) => new TextEncoder().encode(text))
  else proto.rawData = isNibble(tensor.type) ? packNibbles(data as Int8Array) : bytesOf(data)
  return proto
}

/** Zeros. */
export function emptyData(type: Exclude<ElementType, 'string' | 'int4' | 'uint4'>, count: number): NumericData {
  const { bytes, view } = STORAGE[type]
  return view(new ArrayBuffer(count * bytes), 0, count)
}

/** @throws UsageError for sizes below 0 or of more elements than a number can count. */
export function readDims(dims: readonly bigint[], where: string): readonly number[] {
  const numbers = dims.map(Number)
  if (numbers.some((dim) => dim < 0) || !Number.isSafeInteger(elementCount(numbers)))
    throw new UsageError(`${where} has the impossible shape [${dims.join(', ')}]; the file is damaged, export it again`)
  return numbers
}

function rawBytes(proto: TensorProto, source: TensorSource, expected: number): Uint8Array | undefined {
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) return externalBytes(proto, source, expected)
  const typedFields = [proto.floatData, proto.int32Data, proto.int64Data, proto.doubleData, proto.uint64Data]
  const useTyped = proto.rawData.byteLength === 0 && typedFields.some((field) => field.length > 0)
  return useTyped ? undefined : proto.rawData
}

function checkCount<T extends { readonly length: number }>(data: T, count: number, where: string): T {
  if (data.length !== count)
    throw new UsageError(
      `${where} has ${data.length} elements where its shape needs ${count}; the file is damaged, export it again`,
    )
  return data
}

export function isNibble(type: ElementType): type is 'int4' | 'uint4' {
  return type === 'int4' || type === 'uint4'
}

export function isStrings(data: TensorData): data is readonly string[] {
  return Array.isArray(data)
}

function bytesOf(data: NumericData): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : Uint8Array.from(bytes)
}
