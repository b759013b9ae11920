import { imageDigest } from '../attacks/random.js'
import type { Dataset } from '../data/types.js'

/** Enough to see what one image in twenty shows; few enough to cost little beside a suite on some hundreds. */
export const DIAGNOSED = 50

/** The images that are looked at more closely. See `sampleOf`. */
export function imagesToDiagnose(dataset: Dataset): ReadonlySet<number> {
  return sampleOf(dataset, DIAGNOSED)
}

/**
 * So many of the images: those whose pixels have the least digests (SHA-256), which neither order nor shards can change, and
 * which are no class or source of their own as the first ones often are. Of equal images all or none are.
 *
 * @returns indices into the whole dataset
 */
export function sampleOf({ samples, shape, pixels }: Dataset, count: number): ReadonlySet<number> {
  const all = Array.from({ length: samples }, (_, index) => index)
  if (samples <= count) return new Set(all)
  const size = shape.reduce((product, length) => product * length, 1)
  const digests = all.map((index) =>
    Buffer.from(imageDigest(pixels.subarray(index * size, (index + 1) * size))).toString('hex'),
  )
  const last = digests.toSorted()[count - 1]
  return new Set(all.filter((index) => digests[index] <= last))
}
