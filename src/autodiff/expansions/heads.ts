import type { GradientBuilder } from '../gradientBuilder.js'
import { splitHeads } from './scaledDotProduct.js'
import type { Heads } from './scaledDotProduct.js'

/** A value of the expansion with its size: [N, rows, heads · depth] or [N, heads, rows, depth]. */
export interface Sized {
  readonly name: string
  readonly dims: readonly number[]
}

export interface Projections {
  readonly query: Sized
  readonly key: Sized
  readonly value: Sized
  /** [N, heads, rows, depth] */
  readonly pastKey?: Sized
  readonly pastValue?: Sized
}

/** What a value of the model was seen to be; undefined for an optional input left out. */
export function sized(name: string | undefined, b: GradientBuilder): Sized | undefined {
  return name ? { name, dims: b.dims(name) } : undefined
}

const BY_HEADS = [0, 2, 1, 3]

/**
 * Everything by heads, keys and values behind those of the past.
 *
 * @param like the input of the model that the batch is read from.
 * @returns the heads, and keys and values as the present that a decoder would hand on.
 */
export function byHeads(
  { query, key, value, pastKey, pastValue }: Projections,
  { heads, keyHeads, scale, like }: { heads: number; keyHeads: number; scale: number | undefined; like: string },
  b: GradientBuilder,
): { readonly heads: Heads; readonly presentKey: () => string; readonly presentValue: string } {
  const batch = b.observed(like).batchAxis === 0 ? -1 : b.dims(like)[0]
  const queries = sizesOf(query, heads)
  const keys = sizesOf(key, keyHeads)
  const values = sizesOf(value, keyHeads)
  const split = ({ name, dims }: Sized, { heads: parts, rows, depth }: Sizes, perm = BY_HEADS): string =>
    dims.length === 3 ? splitHeads(name, [batch, rows, parts, depth], perm, b) : name
  const behind = (past: Sized | undefined, now: string): string =>
    past ? b.add('Concat', [past.name, now], { axis: 2 }) : now
  const presentKey = (): string => behind(pastKey, split(key, keys))
  const presentValue = behind(pastValue, split(value, values))
  const isOneTurn = pastKey === undefined && key.dims.length === 3
  const factor = b.number(scale ?? 1 / Math.sqrt(queries.depth), like)
  return {
    presentKey,
    presentValue,
    heads: {
      batch,
      query: b.mul(split(query, queries), factor),
      key: isOneTurn ? split(key, keys, [0, 2, 3, 1]) : b.add('Transpose', [presentKey()], { perm: [0, 1, 3, 2] }),
      value: presentValue,
      heads: queries.heads,
      keyHeads: keys.heads,
      rows: queries.rows,
      columns: keys.rows + (pastKey ? pastKey.dims[2] : 0),
      depth: queries.depth,
      valueDepth: values.depth,
    },
  }
}

interface Sizes {
  readonly heads: number
  readonly rows: number
  readonly depth: number
}

function sizesOf({ dims }: Sized, heads: number): Sizes {
  if (dims.length === 4) return { heads: dims[1], rows: dims[2], depth: dims[3] }
  return { heads, rows: dims[1], depth: dims[2] / heads }
}
