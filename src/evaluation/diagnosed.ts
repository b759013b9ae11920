import { imageDigest } from '../attacks/random.js'
import type { Dataset } from '../data/types.js'

/** Enough to see what one image in twenty shows; few enough to cost little beside a suite on some hundreds. */
export const DIAGNOSED = 50

/**
 * The images that are looked at more closely: those whose pixels have the least digests (SHA-256), which neither order nor
 * shards can change. Of equal images all or none are.
 *
 * @returns indices into the whole dataset
 */
export function imagesToDiagnose({ samples, shape, pixels }: Dataset): ReadonlySet<number> {
  const all = Array.from({ length: samples }, (_, index) => index)
  if (samples <= DIAGNOSED) return new Set(all)
  const size = shape.reduce((product, length) => product * length, 1)
  const digests = all.map((index) =>
    Buffer.from(imageDigest(pixels.subarray(index * size, (index + 1) * size))).toString('hex'),
  )
  const last = digests.toSorted()[DIAGNOSED - 1]
  return new Set(all.filter((index) => digests[index] <= last))
}
