import type { DataOptions } from '../config/types.js'
import { UsageError } from '../errors.js'
import { decodeCsv } from './csv.js'
import { fingerprint } from './fingerprint.js'
import { decodeIdx } from './idx.js'
import { decodeImages } from './images.js'
import { toLabels } from './labels.js'
import { decodeNpz } from './npz.js'
import { refuseTooMany, toPixels } from './pixels.js'
import { imageShape } from './shape.js'
import type { Dataset, RawData, StoredImages } from './types.js'

/**
 * Bytes → the first `samples` images (undefined: all) as float32 pixels in the declared range, with labels and a hash.
 * Pure. The bytes are a stranger's: this runs in a child process.
 * @throws UsageError, one line, for data that cannot be read, has too few images, NaN, or pixels outside the range
 */
export function decodeData(raw: RawData, options: DataOptions, samples?: number): Dataset {
  const { name, classNames } = raw
  const { available, dims, values, labels: stored } = decodeStored(raw, options)
  if (available === 0) throw new UsageError(`${name}: holds no images; give at least one`)
  if (raw.kind !== 'folder' && stored.length !== available)
    throw new UsageError(`${name}: has ${available} images but ${stored.length} labels; give one label per image`)
  if (samples !== undefined && samples > available)
    throw new UsageError(
      `${name}: holds ${available} images, but ${samples} were asked for; lower \`samples\` (--samples) or give more images`,
    )
  const count = samples ?? available
  const { shape, layout } = imageShape(dims, options, name)
  const size = shape.reduce((product, length) => product * length, 1)
  refuseTooMany(count, size, name)
  const pixels = toPixels(values.subarray(0, count * size), size, options.range, name)
  const labels = toLabels(stored, count, classNames, name)
  const sha256 = fingerprint(shape, pixels, labels)
  return { name, sha256, samples: count, shape, layout, range: options.range, pixels, labels, classNames }
}

function decodeStored(raw: RawData, options: DataOptions): StoredImages {
  switch (raw.kind) {
    case 'npz':
      return decodeNpz(raw.bytes, raw.name)
    case 'idx':
      return decodeIdx(raw.images, raw.labels, raw.name)
    case 'csv':
      return decodeCsv(raw.bytes, raw.name, options.range[1])
    case 'folder':
      return decodeImages(raw.files, options, raw.name)
  }
}
