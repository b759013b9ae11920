import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { gunzipIfNeeded } from '../../src/data/gzip.js'
import { readNpz } from '../../src/data/npz.js'
import { bytesAt, fashion, load, withFiles } from './support.js'

/** The fixture in MNIST's format: magic, sizes as big-endian uint32, bytes. */
async function idxFixture() {
  const { x, y } = readNpz(await bytesAt(fashion), 'fashion', ['x', 'y'])
  if (!(x.data instanceof Uint8Array)) throw new Error('the fixture holds bytes')
  const images = Buffer.concat([header(3, [500, 28, 28]), x.data])
  const labels = Buffer.concat([header(1, [500]), Uint8Array.from(y.data, Number)])
  return { images, labels }
}

function header(rank: number, sizes: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 + 4 * rank)
  bytes[2] = 8
  bytes[3] = rank
  sizes.forEach((size, axis) => bytes.writeUInt32BE(size, 4 + 4 * axis))
  return bytes
}

describe("MNIST's format", () => {
  test.each([
    ['plain', 't10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'],
    ['both gzipped', 't10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'],
    ['labels not gzipped', 't10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte'],
    ['only labels gzipped', 't10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte.gz'],
    ['with a dot in the name', 'test-images.idx3-ubyte', 'test-labels.idx1-ubyte'],
    ['known by its first bytes', 'images', 'labels'],
  ])('%s: the same dataset as the archive', async (_, imagesName, labelsName) => {
    const { images, labels } = await idxFixture()
    const pack = (name: string, bytes: Buffer) => (name.endsWith('.gz') ? gzipSync(bytes) : bytes)
    const files = { [imagesName]: pack(imagesName, images), [labelsName]: pack(labelsName, labels) }
    await withFiles(files, async (root) => {
      const dataset = await load(join(root, imagesName), {}, 100)
      expect(dataset.sha256).toBe((await load(fashion, {}, 100)).sha256)
      expect(dataset.shape).toEqual([1, 28, 28])
    })
  })

  test('the label file may have any name when it is declared', async () => {
    const { images, labels } = await idxFixture()
    await withFiles({ 'x.idx': images, 'classes.bin': labels }, async (root) => {
      const dataset = await load(join(root, 'x.idx'), { labels: join(root, 'classes.bin'), layout: 'nhwc' }, 3)
      expect(dataset).toMatchObject({ shape: [28, 28, 1], layout: 'nhwc', samples: 3 })
    })
  })
})

describe('IDX files that cannot be used', () => {
  test('missing labels say which file was looked for', async () => {
    await withFiles({ 't10k-images-idx3-ubyte.gz': gzipSync(header(3, [0, 1, 1])) }, (root) =>
      expect(load(join(root, 't10k-images-idx3-ubyte.gz'))).rejects.toThrow(
        /t10k-labels-idx1-ubyte\.gz: the labels of t10k-images-idx3-ubyte\.gz are not there; put them there or give their path as `labels`/,
      ),
    )
  })

  test('a name that does not tell the labels', async () => {
    await withFiles({ 'x.idx': header(3, [0, 1, 1]) }, (root) =>
      expect(load(join(root, 'x.idx'))).rejects.toThrow(
        /x\.idx: its name does not tell the label file's; give its path as `labels`/,
      ),
    )
  })

  test('labels given as images', async () => {
    const { labels } = await idxFixture()
    await withFiles({ 'images-ubyte': labels, 'labels-ubyte': labels }, (root) =>
      expect(load(join(root, 'images-ubyte'))).rejects.toThrow(
        'images-ubyte: has element type 0x08 and 1 dimensions; give unsigned bytes (0x08) with 3, as MNIST has',
      ),
    )
  })

  test('a file that is cut off', async () => {
    const { images, labels } = await idxFixture()
    await withFiles({ 'images-ubyte': images.subarray(0, -1), 'labels-ubyte': labels }, (root) =>
      expect(load(join(root, 'images-ubyte'))).rejects.toThrow(
        'images-ubyte: declares 500 × 28 × 28 bytes but holds 391999; download or save the file again',
      ),
    )
  })

  test('a damaged gzip file', async () => {
    const { images, labels } = await idxFixture()
    const damaged = gzipSync(images)
    damaged[1000] ^= 0xff
    await withFiles({ 'images-ubyte.gz': damaged, 'labels-ubyte': labels }, (root) =>
      expect(load(join(root, 'images-ubyte.gz'))).rejects.toThrow(
        /^images-ubyte\.gz: is not a readable gzip file \(.+\); compress it again$/,
      ),
    )
  })

  test('gzip that would unpack past the limit stops there, and the limit is said', () => {
    expect(() => gunzipIfNeeded(gzipSync(Buffer.alloc(10_000)), 'images.gz', 9_999)).toThrow(
      'images.gz: would unpack to more than the limit of 9999 bytes; give fewer images',
    )
    expect(gunzipIfNeeded(gzipSync(Buffer.alloc(10_000)), 'images.gz', 10_000)).toHaveLength(10_000)
  })
})
