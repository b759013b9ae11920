import { create } from '@bufbuild/protobuf'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { describe, expect, test } from '@jest/globals'
import { SparseTensorProtoSchema, TensorProto_DataType as DataType, TensorProtoSchema } from 'onnx-buf'
import { UsageError } from '../../src/errors.js'
import type { Tensor, TensorData } from '../../src/onnx/graph.js'
import { densify } from '../../src/onnx/sparse.js'
import { elementType, readTensor, toInt64, writeTensor } from '../../src/onnx/tensor.js'

const source = { name: 'model.onnx', external: {} }

function read(init: MessageInitShape<typeof TensorProtoSchema>, external: Record<string, Uint8Array> = {}): Tensor {
  return readTensor(create(TensorProtoSchema, { name: 'w', ...init }), { name: 'model.onnx', external })
}

/** Each type by the field that the ONNX schema (onnx.proto, TensorProto) assigns it, beside its raw bytes worked out by hand. */
const TYPES: readonly [string, number, MessageInitShape<typeof TensorProtoSchema>, readonly number[], TensorData][] = [
  ['float32', DataType.FLOAT, { floatData: [1, -2] }, [0, 0, 128, 63, 0, 0, 0, 192], Float32Array.of(1, -2)],
  [
    'float64',
    DataType.DOUBLE,
    { doubleData: [1, -2] },
    [0, 0, 0, 0, 0, 0, 240, 63, 0, 0, 0, 0, 0, 0, 0, 192],
    Float64Array.of(1, -2),
  ],
  ['float16', DataType.FLOAT16, { int32Data: [0x3c00, 0xc000] }, [0, 0x3c, 0, 0xc0], Uint16Array.of(0x3c00, 0xc000)],
  ['bfloat16', DataType.BFLOAT16, { int32Data: [0x3f80, 0xc000] }, [128, 63, 0, 192], Uint16Array.of(0x3f80, 0xc000)],
  ['int8', DataType.INT8, { int32Data: [5, -1] }, [5, 255], Int8Array.of(5, -1)],
  ['uint8', DataType.UINT8, { int32Data: [5, 255] }, [5, 255], Uint8Array.of(5, 255)],
  ['int4', DataType.INT4, { int32Data: [0xf5] }, [0xf5], Int8Array.of(5, -1)],
  ['uint4', DataType.UINT4, { int32Data: [0xf5] }, [0xf5], Uint8Array.of(5, 15)],
  ['bool', DataType.BOOL, { int32Data: [1, 0] }, [1, 0], Uint8Array.of(1, 0)],
  ['int16', DataType.INT16, { int32Data: [258, -2] }, [2, 1, 254, 255], Int16Array.of(258, -2)],
  ['uint16', DataType.UINT16, { int32Data: [258, 65534] }, [2, 1, 254, 255], Uint16Array.of(258, 65534)],
  ['int32', DataType.INT32, { int32Data: [258, -2] }, [2, 1, 0, 0, 254, 255, 255, 255], Int32Array.of(258, -2)],
  [
    'uint32',
    DataType.UINT32,
    { uint64Data: [258n, 4294967294n] },
    [2, 1, 0, 0, 254, 255, 255, 255],
    Uint32Array.of(258, 4294967294),
  ],
  [
    'int64',
    DataType.INT64,
    { int64Data: [258n, -2n] },
    [2, 1, 0, 0, 0, 0, 0, 0, 254, 255, 255, 255, 255, 255, 255, 255],
    BigInt64Array.of(258n, -2n),
  ],
  [
    'uint64',
    DataType.UINT64,
    { uint64Data: [258n, 2n ** 64n - 2n] },
    [2, 1, 0, 0, 0, 0, 0, 0, 254, 255, 255, 255, 255, 255, 255, 255],
    BigUint64Array.of(258n, 2n ** 64n - 2n),
  ],
]

describe.each(TYPES)('%s', (type, dataType, typed, raw, data) => {
  const expected = { type, dims: [2], data }

  test('from its typed field', () => {
    expect(read({ dataType, dims: [2n], ...typed })).toEqual(expected)
  })

  test('from raw bytes that lie anywhere in the file', () => {
    const bytes = Uint8Array.of(9, ...raw).subarray(1)
    expect(read({ dataType, dims: [2n], rawData: bytes })).toEqual(expected)
  })

  test('from raw bytes in a Buffer, whose slice() shares memory', () => {
    const bytes = Buffer.from([9, ...raw]).subarray(1) as Buffer<ArrayBuffer>
    expect(read({ dataType, dims: [2n], rawData: bytes })).toEqual(expected)
  })

  test('written and read', () => {
    const proto = writeTensor(expected as Tensor, 'w')
    expect([...proto.rawData]).toEqual(raw)
    expect(readTensor(proto, source)).toEqual(expected)
  })
})

test('text is read from and written to string_data', () => {
  const value: Tensor = { type: 'string', dims: [2], data: ['a', 'β'] }
  expect(readTensor(writeTensor(value, 's'), source)).toEqual(value)
})

test('a scalar and a tensor without elements', () => {
  expect(read({ dataType: DataType.FLOAT, floatData: [3] })).toEqual({
    type: 'float32',
    dims: [],
    data: Float32Array.of(3),
  })
  expect(read({ dataType: DataType.INT64, dims: [0n] })).toEqual({
    type: 'int64',
    dims: [0],
    data: new BigInt64Array(),
  })
})

describe('damage is named', () => {
  const float = { dataType: DataType.FLOAT }
  test.each<[string, MessageInitShape<typeof TensorProtoSchema>, string]>([
    [
      'too few raw bytes',
      { ...float, dims: [3n], rawData: new Uint8Array(8) },
      'tensor "w" has 8 bytes of data where its shape [3] needs 12',
    ],
    [
      'too many raw bytes',
      { ...float, dims: [1n], rawData: new Uint8Array(8) },
      '8 bytes of data where its shape [1] needs 4',
    ],
    ['no data at all', { ...float, dims: [1000000000000n] }, '0 bytes of data'],
    ['too few numbers', { ...float, dims: [3n], floatData: [1] }, 'has 1 elements where its shape needs 3'],
    ['a negative dimension', { ...float, dims: [-1n] }, 'impossible shape [-1]'],
    ['a shape beyond all bounds', { ...float, dims: [2n ** 40n, 2n ** 40n] }, 'impossible shape'],
    [
      'a type nobody supports',
      { dataType: DataType.FLOAT8E4M3FN, dims: [1n] },
      'element type FLOAT8E4M3FN, which is not supported',
    ],
    ['a type nobody knows', { dataType: 99, dims: [1n] }, 'element type type 99'],
  ])('%s', (_, init, message) => {
    expect(() => read(init)).toThrow(UsageError)
    expect(() => read(init)).toThrow(message)
  })
})

describe('external data', () => {
  const file = new Uint8Array(Float32Array.of(1, 2, 3).buffer)
  const entries = (values: Readonly<Record<string, string>>): MessageInitShape<typeof TensorProtoSchema> => ({
    dataType: DataType.FLOAT,
    dims: [2n],
    dataLocation: 1,
    externalData: Object.entries(values).map(([key, value]) => ({ key, value })),
  })

  test('by offset and length, and to the end of the shape without', () => {
    const expected = { type: 'float32', dims: [2], data: Float32Array.of(2, 3) }
    expect(read(entries({ location: 'w.bin', offset: '4', length: '8' }), { 'w.bin': file })).toEqual(expected)
    expect(read(entries({ location: 'w.bin', offset: '4' }), { 'w.bin': file })).toEqual(expected)
    expect(read(entries({ location: 'w.bin' }), { 'w.bin': file }).data).toEqual(Float32Array.of(1, 2))
  })

  test.each<[string, Record<string, string>, string]>([
    [
      'a file that is not there',
      { location: 'other.bin' },
      'tensor "w" lies in the external file "other.bin", which was not found beside the model',
    ],
    ['a name every object has', { location: 'constructor' }, 'which was not found'],
    ['a place after its end', { location: 'w.bin', offset: '8' }, 'at bytes 8 to 16, but that file has 12 bytes'],
    ['a place before its start', { location: 'w.bin', offset: '-4' }, 'but that file has 12 bytes'],
    ['a place that is no number', { location: 'w.bin', offset: 'four' }, 'but that file has 12 bytes'],
    [
      'fewer bytes than the shape needs',
      { location: 'w.bin', length: '4' },
      'has 4 bytes of data where its shape [2] needs 8',
    ],
  ])('%s is refused', (_, values, message) => {
    expect(() => read(entries(values), { 'w.bin': file })).toThrow(UsageError)
    expect(() => read(entries(values), { 'w.bin': file })).toThrow(message)
  })
})

describe('sparse initializers', () => {
  const sparse = (indices: MessageInitShape<typeof TensorProtoSchema>, dims = [2n, 3n]): Tensor =>
    densify(
      create(SparseTensorProtoSchema, {
        dims,
        values: { name: 'w', dims: [2n], dataType: DataType.FLOAT, floatData: [5, 7] },
        indices: { dataType: DataType.INT64, ...indices },
      }),
      source,
    )
  const dense = { type: 'float32', dims: [2, 3], data: Float32Array.of(0, 5, 0, 0, 0, 7) }

  test('are filled in by linear index and by coordinates', () => {
    expect(sparse({ dims: [2n], int64Data: [1n, 5n] })).toEqual(dense)
    expect(sparse({ dims: [2n, 2n], int64Data: [0n, 1n, 1n, 2n] })).toEqual(dense)
  })

  test('an index outside, or too few of them, is refused', () => {
    expect(() => sparse({ dims: [2n], int64Data: [1n, 6n] })).toThrow(UsageError)
    expect(() => sparse({ dims: [2n], int64Data: [1n, -1n] })).toThrow(UsageError)
    expect(() => sparse({ dims: [1n], int64Data: [1n] })).toThrow(UsageError)
  })

  test('a few numbers cannot ask for more than 2 GiB', () => {
    expect(() => sparse({ dims: [2n], int64Data: [1n, 5n] }, [2n ** 20n, 2n ** 20n])).toThrow('2 GiB')
  })
})

test('64-bit integers that a double cannot hold are clamped, not wrapped', () => {
  expect(toInt64(Number(2n ** 63n - 1n))).toBe(2n ** 63n - 1n)
  expect(toInt64(-(2 ** 63))).toBe(-(2n ** 63n))
  expect(toInt64(-7)).toBe(-7n)
})

test('every element type ONNX numbers, and no other', () => {
  expect(elementType(DataType.BOOL)).toBe('bool')
  expect(elementType(DataType.STRING)).toBe('string')
  expect(elementType(DataType.COMPLEX64)).toBeUndefined()
})
