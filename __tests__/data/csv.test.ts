import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import type { DataOptions } from '../../src/config/types.js'
import { decodeData } from '../../src/data/decode.js'
import { readNpz } from '../../src/data/npz.js'
import { bytesAt, defaults, fashion, load, withFiles } from './support.js'

function decode(text: string, options: Partial<DataOptions> = {}, samples?: number) {
  return decodeData({ kind: 'csv', name: 'test.csv', bytes: Buffer.from(text) }, { ...defaults, ...options }, samples)
}

describe('CSV with the label first', () => {
  test('is the same dataset as the archive it was made from, gzipped or not', async () => {
    const { x, y } = readNpz(await bytesAt(fashion), 'fashion', ['x', 'y'])
    const lines = Array.from({ length: 20 }, (_, i) =>
      [y.data[i], ...x.data.subarray(784 * i, 784 * i + 784)].join(','),
    )
    const text = `label,${Array.from({ length: 784 }, (_, i) => `pixel${i}`).join(',')}\n${lines.join('\n')}\n`
    const expected = await load(fashion, {}, 20)
    await withFiles({ 'test.csv': text, 'test.csv.gz': gzipSync(text) }, async (root) => {
      for (const name of ['test.csv', 'test.csv.gz']) {
        const dataset = await load(join(root, name), { shape: [1, 28, 28] })
        expect(dataset.sha256).toBe(expected.sha256)
      }
    })
  })

  test('without a shape images are flat', () => {
    expect(decode('0,0.25,0.5\n1,1,0\n')).toMatchObject({ shape: [2], layout: 'flat', samples: 2 })
  })

  test('a line without a header is an image', () => {
    expect([...decode('3,0.25,0.5\n1,1,0\n').labels]).toEqual([3, 1])
  })

  test('an empty line before the header does not matter', () => {
    expect(decode('\nlabel,a,b\n3,0.25,0.5\n').samples).toBe(1)
  })

  test('integers beyond the range are bytes, judged by the whole file and not by the first images', () => {
    expect([...decode('0,1,0\n1,255,51\n', {}, 1).pixels]).toEqual([1 / 255, 0].map(Math.fround))
  })

  test('zeros and ones in [0, 1] are pixels as they stand', () => {
    expect([...decode('0,1,0\n1,1,1\n').pixels]).toEqual([1, 0, 1, 1])
  })

  test('bytes are left alone when the range is 0…255', () => {
    expect([...decode('0,7,255\n', { range: [0, 255] }).pixels]).toEqual([7, 255])
  })
})

describe('CSV that cannot be used', () => {
  test.each([
    ['text among the pixels', '0,1,0\n1,cat,0\n', 'test.csv: line 2, column 2 is "cat", not a number'],
    ['a gap', '0,1,0\n1,,0\n', 'test.csv: line 2, column 2 is "", not a number'],
    [
      'a line that is short',
      '0,1,0\n1,1\n',
      'test.csv: line 2 has 1 pixels, the first image has 2; give every image the same number',
    ],
    [
      'another separator',
      '0;1;0\n1;1;1\n',
      'test.csv: line 1, column 1 is "0;1;0", not a number; write the label, then the pixels, separated by commas',
    ],
    ['one column', '0\n1\n', 'test.csv: line 1 has one column; write the label, then the pixels'],
    ['a NaN', '0,1,0\n1,0,nan\n', 'test.csv: image 1 has a pixel that is NaN; repair or remove this image'],
    ['an open quote', '0,"1,0\n', 'test.csv: is not readable CSV'],
    ['nothing', '', 'test.csv: holds no images; give at least one'],
  ])('%s says where', (_, text, message) => {
    expect(() => decode(text)).toThrow(message)
  })
})
