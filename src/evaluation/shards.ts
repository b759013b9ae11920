import { UsageError } from '../errors.js'
import { oneLine } from '../text.js'

/** One of `count` parts of an evaluation; `index` from 1. */
export interface Shard {
  readonly index: number
  readonly count: number
}

/** More jobs than a workflow's matrix can have. */
const MOST_SHARDS = 256

/**
 * `3/8`: the third of eight.
 *
 * @param place - Where it was written, for messages.
 * @throws UsageError for anything else
 */
export function parseShard(written: string, place = '--shard'): Shard {
  const [, index, count] = (/^\s*(\d{1,9})\s*\/\s*(\d{1,9})\s*$/.exec(written) ?? []).map(Number)
  if (index === undefined || index < 1 || index > count || count > MOST_SHARDS)
    throw new UsageError(
      `${place}: "${oneLine(written, 40)}" is no part of a whole; write I/N with 1 ≤ I ≤ N ≤ ${MOST_SHARDS}, like 1/8`,
    )
  return { index, count }
}

/**
 * Indices of a shard's images, every N-th from the I-th on: data that are sorted by class are spread evenly, and the
 * shards' sizes differ by at most one.
 *
 * @throws UsageError when there are not enough images for all
 */
export function imagesOfShard({ index, count }: Shard, samples: number): readonly number[] {
  if (count > samples)
    throw new UsageError(`${count} shards of ${samples} images leave some without any; take at most ${samples}`)
  return Array.from({ length: Math.ceil((samples - index + 1) / count) }, (_, place) => index - 1 + place * count)
}

/** Says which of its images a shard does not have, or has though it is another's; or nothing. */
export function contradictionInShard(shard: Shard, samples: number, present: readonly number[]): string | undefined {
  const { index, count } = shard
  if (index > count || count > samples) return `there is no shard ${index}/${count} of ${samples} images`
  const foreign = present.find((image) => image % count !== index - 1)
  if (foreign !== undefined) return `image ${foreign} is not of shard ${index}/${count}`
  const due = imagesOfShard(shard, samples).length
  return present.length === due ? undefined : `${present.length} of the ${due} images of shard ${index}/${count}`
}
