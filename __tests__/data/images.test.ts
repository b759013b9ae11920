import { describe, expect, test } from '@jest/globals'
import { encode as encodePng } from 'fast-png'
import jpeg from 'jpeg-js'
import { decodeData } from '../../src/data/decode.js'
import { decodeJpeg } from '../../src/data/jpeg.js'
import { decodePng } from '../../src/data/png.js'
import type { Raster } from '../../src/data/raster.js'
import { toGray } from '../../src/data/raster.js'
import { centreCrop, resizeShorterSide } from '../../src/data/resize.js'
import type { DataOptions } from '../../src/config/types.js'
import { bytesOf, defaults, pillow, plainPng, rasterOf } from './support.js'

describe('what Pillow makes of a file', () => {
  test.each(pillow.png.map((each) => [each.title, each] as const))('PNG, %s: the same pixels', (title, each) => {
    expect(decodePng(bytesOf(each.file), title)).toEqual(rasterOf(each.expected))
  })

  test.each(pillow.jpeg.map((each) => [each.title, each] as const))('JPEG, %s: rounding apart', (title, each) => {
    const decoded = decodeJpeg(bytesOf(each.file), title)
    const expected = rasterOf(each.expected)
    expect({ ...decoded, pixels: undefined }).toEqual({ ...expected, pixels: undefined })
    const worst = Math.max(...decoded.pixels.map((value, i) => Math.abs(value - expected.pixels[i])))
    // T.83 lets decoders differ by 1 after the inverse transform; the colour matrix carries 1.8 of that into RGB.
    expect(worst).toBeLessThanOrEqual(3)
  })

  test('colour to gray: the same to the bit', () => {
    expect(toGray(rasterOf(pillow.gray.source))).toEqual(rasterOf(pillow.gray.expected))
  })

  test.each(
    pillow.resize.map((each) => [`${each.source.width} × ${each.source.height} to ${each.shorter}`, each] as const),
  )('resizing %s: the same to the bit', (_, { source, shorter, expected }) => {
    expect(resizeShorterSide(rasterOf(source), shorter)).toEqual(rasterOf(expected))
  })
})

describe('PNG that Pillow does not write', () => {
  test('16 bits keep their high byte', () => {
    const data = Uint16Array.of(0x0000, 0x00ff, 0x1234, 0x80ff, 0xff00, 0xffff)
    expect(decodePng(encodePng({ width: 2, height: 1, data, channels: 3, depth: 16 }), 'deep.png')).toEqual({
      width: 2,
      height: 1,
      channels: 3,
      pixels: Uint8Array.of(0x00, 0x00, 0x12, 0x80, 0xff, 0xff),
    })
  })

  test.each([
    [2, Uint8Array.of(0b00_01_10_11, 0b11_00_00_00), [0, 85, 170, 255, 255]],
    [4, Uint8Array.of(0x01, 0x78, 0xf0), [0, 17, 119, 136, 255]],
  ] as const)('gray of %i bits spreads over 0…255', (depth, data, expected) => {
    const png = encodePng({ width: 5, height: 1, data, channels: 1, depth })
    expect([...decodePng(png, 'flat.png').pixels]).toEqual(expected)
  })

  test('interlacing changes nothing', () => {
    const data = Uint8Array.from({ length: 9 * 10 * 3 }, (_, i) => (i * 37) % 256)
    const image = { width: 9, height: 10, data, channels: 3, depth: 8 } as const
    expect(decodePng(encodePng(image, { interlace: 'Adam7' }), 'a.png').pixels).toEqual(data)
  })
})

describe('EXIF orientation', () => {
  /** Stored as two rows of three: A B C / D E F. What a viewer shows, by EXIF 2.32's table of tag 0x0112. */
  const upright = [
    [1, 'ABC/DEF'],
    [2, 'CBA/FED'],
    [3, 'FED/CBA'],
    [4, 'DEF/ABC'],
    [5, 'AD/BE/CF'],
    [6, 'DA/EB/FC'],
    [7, 'FC/EB/DA'],
    [8, 'CF/BE/AD'],
  ] as const

  test.each(upright)('%i shows %s', (orientation, expected) => {
    expect(letters(decodeJpeg(blocks(exif(orientation, false)), 'photo.jpg'))).toBe(expected)
    expect(letters(decodeJpeg(blocks(exif(orientation, true)), 'photo.jpg'))).toBe(expected)
  })

  test('damaged EXIF does not spoil an image', () => {
    expect(letters(decodeJpeg(blocks(exif(6, true).subarray(0, 18)), 'photo.jpg'))).toBe('ABC/DEF')
    expect(letters(decodeJpeg(blocks(exif(9, true)), 'photo.jpg'))).toBe('ABC/DEF')
  })

  const side = 16
  const levels: Readonly<Record<string, number>> = { A: 0, B: 50, C: 100, D: 150, E: 200, F: 250 }

  /** Each letter is a block of one gray, so that compression leaves it as it is. */
  function blocks(app1: Buffer): Uint8Array {
    const [width, height] = [3 * side, 2 * side]
    const data = new Uint8Array(width * height * 4)
    for (let i = 0; i < width * height; i++) {
      const letter = 'ABCDEF'[3 * Math.floor(i / width / side) + Math.floor((i % width) / side)]
      data.fill(levels[letter], 4 * i, 4 * i + 4)
    }
    const file = jpeg.encode({ width, height, data }, 100).data
    const header = Buffer.from([0xff, 0xe1, 0, 0])
    header.writeUInt16BE(app1.length + 2, 2)
    return Buffer.concat([file.subarray(0, 2), header, app1, file.subarray(2)])
  }

  /** A TIFF header and one directory with one entry: tag 0x0112, type 3 (short), count 1. */
  function exif(orientation: number, bigEndian: boolean): Buffer {
    const tiff = Buffer.alloc(26)
    const put16 = (value: number, at: number) =>
      bigEndian ? tiff.writeUInt16BE(value, at) : tiff.writeUInt16LE(value, at)
    const put32 = (value: number, at: number) =>
      bigEndian ? tiff.writeUInt32BE(value, at) : tiff.writeUInt32LE(value, at)
    tiff.write(bigEndian ? 'MM' : 'II', 'latin1')
    put16(42, 2)
    put32(8, 4)
    put16(1, 8)
    put16(0x0112, 10)
    put16(3, 12)
    put32(1, 14)
    put16(orientation, 18)
    return Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff])
  }

  function letters({ width, height, channels, pixels }: Raster): string {
    const rows = Array.from({ length: height / side }, (_, row) =>
      Array.from({ length: width / side }, (_, column) => {
        const value = pixels[((row + 0.5) * side * width + (column + 0.5) * side) * channels]
        return Object.keys(levels).find((letter) => Math.abs(levels[letter] - value) < 10)
      }).join(''),
    )
    return rows.join('/')
  }
})

describe('centre crop', () => {
  test('begins where torchvision begins, also when the remainder is odd', () => {
    pillow.cropOffsets.forEach((offset, remainder) => {
      const width = 4 + remainder
      const image = { width, height: 1, channels: 1, pixels: Uint8Array.from({ length: width }, (_, i) => i) } as const
      expect(centreCrop(image, [1, 4], 'a.png').pixels[0]).toBe(offset)
    })
  })

  test('takes rows and columns of every channel', () => {
    const pixels = Uint8Array.from({ length: 4 * 4 * 3 }, (_, i) => i)
    const { pixels: cropped } = centreCrop({ width: 4, height: 4, channels: 3, pixels }, [2, 2], 'a.png')
    expect([...cropped]).toEqual([15, 16, 17, 18, 19, 20, 27, 28, 29, 30, 31, 32])
  })

  test('an image smaller than the crop is refused', () => {
    const image = { width: 3, height: 2, channels: 1, pixels: new Uint8Array(6) } as const
    expect(() => centreCrop(image, [4, 4], 'cat/a.png')).toThrow(
      'cat/a.png: is 2 × 3 (height × width), smaller than the crop of 4 × 4; set `resize` to at least 4',
    )
  })
})

describe('a folder becomes a dataset', () => {
  const gray = plainPng(51, 3, 2)
  const red = plainPng([255, 0, 0], 3, 2)

  test('images of gray alone have one channel', () => {
    const dataset = decode([gray, gray])
    expect(dataset.shape).toEqual([1, 2, 3])
    expect(dataset.pixels[0]).toBe(Math.fround(51 / 255))
    expect(dataset.classNames).toEqual(['cat', 'dog'])
    expect([...dataset.labels]).toEqual([0, 1])
  })

  test('one image in colour gives all three channels, planes apart', () => {
    const { shape, pixels } = decode([red, gray])
    expect(shape).toEqual([3, 2, 3])
    expect([...pixels.subarray(0, 18)]).toEqual([1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    expect(new Set(pixels.subarray(18))).toEqual(new Set([Math.fround(51 / 255)]))
  })

  test('declared nhwc, channels lie together', () => {
    const { shape, layout, pixels } = decode([red, gray], { layout: 'nhwc' })
    expect({ shape, layout }).toEqual({ shape: [2, 3, 3], layout: 'nhwc' })
    expect([...pixels.subarray(0, 6)]).toEqual([1, 0, 0, 1, 0, 0])
  })

  test('declared gray, colour becomes luma', () => {
    // Pillow: Image.new('RGB', (1, 1), (255, 0, 0)).convert('L') is 76.
    expect(decode([red, gray], { channels: 'gray' }).pixels[0]).toBe(Math.fround(76 / 255))
  })

  test('declared rgb, gray becomes colour', () => {
    expect(decode([gray, gray], { channels: 'rgb' }).shape).toEqual([3, 2, 3])
  })

  test('images of two sizes are named with the remedy', () => {
    expect(() => decode([gray, plainPng(1, 4, 4)])).toThrow(
      'images/1: is 4 × 4 (height × width), but images/0 is 2 × 3; set `resize` and `crop` to bring all images to one size',
    )
  })

  test('resize and crop bring them to one size', () => {
    expect(decode([gray, plainPng(1, 40, 30)], { resize: 4, crop: [4, 4] }).shape).toEqual([1, 4, 4])
  })

  test('a file is what its content says, not its name', () => {
    const photo = jpeg.encode({ width: 3, height: 2, data: new Uint8Array(24).fill(51) }, 100).data
    expect(decode([photo, gray]).shape).toEqual([3, 2, 3])
  })

  test('something else is named', () => {
    expect(() => decode([gray, Buffer.from('GIF89a and so on')])).toThrow(
      'images/1: is neither a PNG nor a JPEG; convert or remove it',
    )
  })

  test('a damaged PNG is named', () => {
    const damaged = gray.slice()
    damaged[45] ^= 0xff
    expect(() => decode([gray, damaged])).toThrow(
      /^images\/1: is not a readable PNG \(.+\); save or download the image again$/,
    )
  })

  test('a JPEG that is cut off is named', () => {
    const photo = bytesOf(pillow.jpeg[1].file)
    expect(() => decode([photo.subarray(0, 200), gray])).toThrow(
      /^images\/0: is not a readable JPEG \(.+\); save or download the image again$/,
    )
  })

  test('an image that declares gigapixels is refused before it is unpacked', () => {
    const huge = Buffer.from(gray)
    huge.writeUInt32BE(60_000, 16)
    huge.writeUInt32BE(60_000, 20)
    expect(() => decode([huge, gray])).toThrow(
      'images/0: declares 60000 × 60000 pixels, more than the limit of 100 million; make the image smaller',
    )
  })

  function decode(files: readonly Uint8Array[], options: Partial<DataOptions> = {}) {
    const named = files.map((bytes, label) => ({ name: `images/${label}`, label, bytes }))
    return decodeData(
      { kind: 'folder', name: 'images', classNames: ['cat', 'dog'], files: named },
      { ...defaults, ...options },
    )
  }
})
