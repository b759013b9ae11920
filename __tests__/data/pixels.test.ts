import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { toLabels } from '../../src/data/labels.js'
import { refuseTooMany, toPixels } from '../../src/data/pixels.js'

describe('bytes', () => {
  test('spread over the range, computed in float64 and rounded once', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, v) => v)
    expect([...toPixels(bytes, 256, [-1, 1], 'x')]).toEqual([...bytes].map((v) => Math.fround(-1 + (2 * v) / 255)))
    expect([...toPixels(bytes, 256, [0, 255], 'x')]).toEqual([...bytes])
  })

  test('never leave the range, also where its bounds have no float32', () => {
    const bound = fc.double({ min: -1000, max: 1000, noNaN: true })
    fc.assert(
      fc.property(bound, fc.double({ min: 1e-3, max: 1000, noNaN: true }), (low, width) => {
        const [first, last] = toPixels(Uint8Array.of(0, 255), 2, [low, low + width], 'x')
        expect(first).toBeGreaterThanOrEqual(low)
        expect(last).toBeLessThanOrEqual(low + width)
        // One unit in the last place of a float32 near 2000.
        expect(Math.max(first - low, low + width - last)).toBeLessThanOrEqual(2 ** -13)
      }),
    )
  })
})

describe('floats', () => {
  test('inside the range stay as they are', () => {
    expect([...toPixels(Float64Array.of(0, 0.1, 1), 3, [0, 1], 'x')]).toEqual([0, Math.fround(0.1), 1])
  })

  test('a float32 that stands for the upper bound counts as inside and ends inside', () => {
    const [pixel] = toPixels(Float32Array.of(0.1), 1, [0, 0.1], 'x')
    expect(pixel).toBeLessThanOrEqual(0.1)
    expect(0.1 - pixel).toBeLessThan(1e-8)
  })

  test.each([
    ['NaN', [0, 0, 1, NaN], 'test.npz: image 1 has a pixel that is NaN; repair or remove this image'],
    ['infinity', [0, 0, Infinity, 0], 'test.npz: image 1 has a pixel that is Infinity; repair or remove this image'],
    [
      'values up to 255',
      [0, 1, 128, 255],
      'test.npz: image 1 has a pixel that is 128, outside the declared range 0,1; declare the range with --range 0,255',
    ],
    [
      'normalised data',
      [0, 0, -2, 2],
      'test.npz: image 1 has a pixel that is -2, outside the declared range 0,1: the data looks normalised; give raw pixels and declare mean and std (--mean, --std), or declare the range with --range',
    ],
    [
      'anything else',
      [0, 0, 0, 1000],
      "test.npz: image 1 has a pixel that is 1000, outside the declared range 0,1; the data's values reach from 0 to 1000: declare that with --range",
    ],
  ])('%s: the first image and the remedy are named', (_, values, message) => {
    expect(() => toPixels(Float32Array.from(values), 2, [0, 1], 'test.npz')).toThrow(message)
  })
})

describe('labels', () => {
  test('whole floats and 64-bit integers are class numbers', () => {
    expect([...toLabels(Float64Array.of(3, 0), 2, undefined, 'x')]).toEqual([3, 0])
    expect([...toLabels(BigInt64Array.of(3n, 0n, -1n), 2, undefined, 'x')]).toEqual([3, 0])
  })

  test.each([
    ['negative', Int32Array.of(0, -1), -1],
    ['a fraction', Float32Array.of(0, 0.5), 0.5],
    ['NaN', Float32Array.of(0, NaN), NaN],
    ['beyond 32 bits', BigInt64Array.of(0n, 2n ** 40n), 2 ** 40],
  ])('%s: the image is named', (_, labels, value) => {
    expect(() => toLabels(labels, 2, undefined, 'test.npz')).toThrow(
      `test.npz: image 1 has label ${value}; give class numbers, 0 for the first class`,
    )
  })
})

test('more values than are taken: the message says how many images there is room for', () => {
  expect(() => refuseTooMany(2 ** 21, 1024, 'data.npz')).not.toThrow()
  expect(() => refuseTooMany(20_000, 3 * 224 * 224, 'photos')).toThrow(
    // 2³¹ / 150,528 = 14,266.3
    /^photos: 20000 images of 150528 values are more than the 2147483648 values that are taken; .* at most 14266$/,
  )
})
