import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { zipSync } from 'fflate'
import { readNpy, writeNpy } from '../../src/data/npy.js'
import { readNpz, writeNpz } from '../../src/data/npz.js'
import { bytesAt, cifar, fashion, load, loadNpz, mnist } from './support.js'

/** Computed with numpy and hashlib over the bytes that src/data/fingerprint.ts describes, first 50 images. */
const hashes = [
  [fashion, '28f8b008f636a16ae5d78103a2aaae112c3b687483c1b0c16e031d8242de766a', [1, 28, 28], 10705.47470567748],
  [mnist, '1f973e23a04c4b13ae6bede97562e8b20746f9471f52af0be6bc57db620caa40', [1, 28, 28], 4458.780432916712],
  [cifar, 'ebe2daa01bd0c1902f5d616e68fa41fbdb120fe06b04085a187ffca3e445f625', [3, 32, 32], 70278.81337290537],
] as const

describe('archives that numpy wrote', () => {
  test.each(hashes)('%s gives the pixels numpy gives, to the bit', async (path, sha256, shape, sum) => {
    const dataset = await load(path, {}, 50)
    expect(dataset).toMatchObject({ sha256, shape, layout: 'nchw', samples: 50, range: [0, 1] })
    expect(dataset.labels).toHaveLength(50)
    // float64 sums of the same float32 numbers, in another order than numpy's pairwise one.
    expect(dataset.pixels.reduce((a, b) => a + b, 0)).toBeCloseTo(sum, 6)
  })

  test('without a number of samples all images are used', async () => {
    const dataset = await load(fashion)
    expect(dataset.samples).toBe(500)
    expect([...dataset.labels.subarray(0, 10)]).toEqual([9, 2, 1, 1, 6, 1, 4, 6, 5, 7])
  })

  test('big-endian float64 in Fortran order is the same dataset as C-ordered float32', async () => {
    const values = Array.from({ length: 2 * 3 * 4 }, (_, i) => i / 32)
    const y = { type: 'u1', shape: [2], data: Uint8Array.of(0, 1) } as const
    const plain = await loadNpz(writeNpz({ x: { type: 'f4', shape: [2, 3, 4], data: Float32Array.from(values) }, y }))
    const x = npyFile({ type: 'f8', shape: [2, 3, 4], values, bigEndian: true, fortran: true, version: 1 })
    const turned = await loadNpz(zipSync({ 'x.npy': x, 'y.npy': writeNpy(y) }))
    expect(turned.pixels).toEqual(plain.pixels)
    expect(turned.sha256).toBe(plain.sha256)
    expect(turned.shape).toEqual([1, 3, 4])
  })
})

describe('layouts', () => {
  const images = (...shape: number[]) => ({
    x: { type: 'u1', shape: [2, ...shape], data: new Uint8Array(2 * shape.reduce((a, b) => a * b, 1)) } as const,
    y: { type: 'i8', shape: [2], data: BigInt64Array.of(0n, 1n) } as const,
  })

  test.each([
    [[3, 4, 5], 'nchw', [3, 4, 5], 'nchw'],
    [[4, 5, 3], 'nhwc', [4, 5, 3], 'nhwc'],
    [[4, 5], 'nchw', [1, 4, 5], 'nchw'],
    [[4, 5], 'nhwc', [4, 5, 1], 'nhwc'],
    [[20], 'nchw', [20], 'flat'],
    [[1, 4, 5], 'flat', [20], 'flat'],
  ] as const)('images of %j declared %s become %j, %s', async (dims, layout, shape, result) => {
    expect(await loadNpz(writeNpz(images(...dims)), { layout })).toMatchObject({ shape, layout: result })
  })

  test('flat images take the declared shape', async () => {
    expect(await loadNpz(writeNpz(images(20)), { shape: [1, 4, 5] })).toMatchObject({
      shape: [1, 4, 5],
      layout: 'nchw',
    })
  })

  test('a declared shape that the data does not have is refused', async () => {
    await expect(loadNpz(writeNpz(images(20)), { shape: [1, 4, 4] })).rejects.toThrow(
      'test.npz: its images are 20, not the declared shape 1 × 4 × 4; correct `shape` or leave it out',
    )
  })
})

describe('archives that cannot be used', () => {
  const x = { type: 'u1', shape: [2, 4], data: new Uint8Array(8) } as const
  const y = { type: 'i8', shape: [2], data: BigInt64Array.of(0n, 1n) } as const

  test('other member names are listed', async () => {
    await expect(loadNpz(writeNpz({ images: x, labels: y }))).rejects.toThrow(
      'test.npz: has no array "x", only images, labels; save it with numpy.savez(path, x=…, y=…)',
    )
  })

  test('something that is no zip', async () => {
    await expect(loadNpz(Buffer.from('hello'))).rejects.toThrow(
      /^test\.npz: is not a readable \.npz archive \(.+\); save it again/,
    )
  })

  test('an archive that was cut off, as by an interrupted download', async () => {
    const bytes = await bytesAt(fashion)
    await expect(loadNpz(bytes.subarray(0, bytes.length / 2))).rejects.toThrow(
      /^test\.npz: is not a readable \.npz archive \(.+\); save it again/,
    )
  })

  test('labels of another number than images', async () => {
    await expect(loadNpz(writeNpz({ x, y: { type: 'i8', shape: [1], data: BigInt64Array.of(0n) } }))).rejects.toThrow(
      'test.npz: has 2 images but 1 labels; give one label per image',
    )
  })

  test('fewer images than asked for names both numbers', async () => {
    await expect(loadNpz(writeNpz({ x, y }), {}, 3)).rejects.toThrow(
      'test.npz: holds 2 images, but 3 were asked for; lower `samples` (--samples) or give more images',
    )
  })

  test('images of integers wider than a byte', async () => {
    await expect(loadNpz(writeNpz({ x: { type: 'i4', shape: [2, 4], data: new Int32Array(8) }, y }))).rejects.toThrow(
      'test.npz: x is of type i4; save images as uint8, float32 or float64',
    )
  })

  test('one-hot labels', async () => {
    const oneHot = { type: 'f4', shape: [2, 2], data: Float32Array.of(1, 0, 0, 1) } as const
    await expect(loadNpz(writeNpz({ x, y: oneHot }))).rejects.toThrow(/y has shape \(2, 2\); .*argmax\(axis=1\)/)
  })

  test('a pickle is not opened', async () => {
    const pickle = npyFile({ type: 'O' as 'u1', shape: [2], values: [1, 2], version: 1 })
    await expect(loadNpz(zipSync({ 'x.npy': pickle, 'y.npy': writeNpy(y) }))).rejects.toThrow(
      /test\.npz: x: has elements of type '\|O'; save images as uint8/,
    )
  })

  test('an array that is cut off', async () => {
    const cut = writeNpy(x).slice(0, -1)
    await expect(loadNpz(zipSync({ 'x.npy': cut, 'y.npy': writeNpy(y) }))).rejects.toThrow(
      'test.npz: x: declares shape (2, 4) of u1, 8 bytes, but holds 7; save the file again',
    )
  })

  test('a zip bomb ends before it is unpacked, and the limit is said', async () => {
    const bomb = Buffer.from(writeNpz({ x, y }))
    // The central directory's entry of x: uncompressed size at offset 24, set to 4,000,000,000.
    bomb.writeUInt32LE(4_000_000_000, bomb.indexOf('PK\x01\x02') + 24)
    await expect(loadNpz(bomb)).rejects.toThrow(
      'test.npz: x would unpack to 4000000000 bytes, more than the limit of 2 GiB; give fewer images',
    )
  })

  test('no images at all', async () => {
    const none = { x: { ...x, shape: [0, 4] }, y: { ...y, shape: [0] } }
    await expect(loadNpz(writeNpz(none))).rejects.toThrow('test.npz: holds no images; give at least one')
  })
})

describe('the .npy format', () => {
  test('what is written is what numpy.save writes', () => {
    // numpy 2.4: numpy.save(file, numpy.arange(6, dtype='<f4').reshape(2, 3))
    const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`
    const expected = Buffer.concat([
      Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}${' '.repeat(117 - header.length)}\n`, 'latin1'),
      Buffer.from('000000000000803f0000004000004040000080400000a040', 'hex'),
    ])
    const written = writeNpy({ type: 'f4', shape: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) })
    expect(Buffer.from(written).equals(expected)).toBe(true)
  })

  test('an archive is the same bytes every time and reads back', () => {
    const entries = {
      x: { type: 'f4', shape: [2, 2], data: Float32Array.of(0, 0.5, 1, 0.25) },
      index: { type: 'i8', shape: [2], data: BigInt64Array.of(3n, 70_000_000_000n) },
      label: { type: 'i4', shape: [2], data: Int32Array.of(9, 1) },
    } as const
    const bytes = writeNpz(entries)
    expect(Buffer.from(writeNpz(entries)).equals(bytes)).toBe(true)
    expect(readNpz(bytes, 'adversarial.npz', ['x', 'index', 'label'])).toEqual(entries)
  })

  test('arrays of any shape, order, byte order and version come back as they went in', () => {
    const arrays = fc.record({
      shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
      type: fc.constantFrom(...npyTypes),
      bigEndian: fc.boolean(),
      fortran: fc.boolean(),
      version: fc.constantFrom(1, 2, 3),
    })
    fc.assert(
      fc.property(arrays, fc.infiniteStream(fc.integer({ min: 0, max: 127 })), (array, numbers) => {
        const count = array.shape.reduce((a, b) => a * b, 1)
        const values = Array.from({ length: count }, () => numbers.next().value)
        const read = readNpy(npyFile({ ...array, values }), 'x')
        expect(read.type).toBe(array.type)
        expect(read.shape).toEqual(array.shape)
        expect(Array.from(read.data, Number)).toEqual(values)
      }),
    )
  })
})

const npyTypes = ['u1', 'u2', 'u4', 'u8', 'i1', 'i2', 'i4', 'i8', 'f4', 'f8'] as const

interface NpyFile {
  readonly type: (typeof npyTypes)[number]
  readonly shape: readonly number[]
  /** In C order. */
  readonly values: readonly number[]
  readonly bigEndian?: boolean
  readonly fortran?: boolean
  readonly version: number
}

/** A second writer, element by element through a DataView, for what ours never writes. */
function npyFile({ type, shape, values, bigEndian = false, fortran = false, version }: NpyFile): Uint8Array {
  const order = type.endsWith('1') || !/\d/.test(type) ? '|' : bigEndian ? '>' : '<'
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`
  const header = `{'descr': '${order}${type}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${tuple}, }\n`
  const width = Number(type.slice(1)) || 8
  const elements = new DataView(new ArrayBuffer(values.length * width))
  values.forEach((value, place) => {
    const at = width * (fortran ? fortranPlace(place, shape) : place)
    if (type === 'f4') elements.setFloat32(at, value, !bigEndian)
    else if (type === 'f8') elements.setFloat64(at, value, !bigEndian)
    else if (width === 8) elements.setBigInt64(at, BigInt(value), !bigEndian)
    else if (width === 4) elements.setInt32(at, value, !bigEndian)
    else if (width === 2) elements.setInt16(at, value, !bigEndian)
    else elements.setInt8(at, value)
  })
  const preamble = Buffer.alloc(version === 1 ? 10 : 12)
  preamble.write('\x93NUMPY', 'latin1')
  preamble[6] = version
  if (version === 1) preamble.writeUInt16LE(header.length, 8)
  else preamble.writeUInt32LE(header.length, 8)
  return Buffer.concat([preamble, Buffer.from(header, 'latin1'), new Uint8Array(elements.buffer)])
}

function fortranPlace(place: number, shape: readonly number[]): number {
  let rest = place
  const index = [...shape].reverse().map((size) => {
    const digit = rest % size
    rest = Math.floor(rest / size)
    return digit
  })
  return index.reduce((sum, digit, axis) => sum * shape[shape.length - 1 - axis] + digit, 0)
}
