import type { GradientBuilder } from '../gradientBuilder.js'

/** Queries, keys and values by heads, and how many of what there are. */
export interface Heads {
  /** [N, heads, rows, depth], scaled. */
  readonly query: string
  /** [N, keyHeads, depth, columns]: turned. */
  readonly key: string
  /** [N, keyHeads, columns, valueDepth] */
  readonly value: string
  readonly heads: number
  /** Fewer than `heads`: several query heads look at the same keys (Ainslie et al. 2023). */
  readonly keyHeads: number
  readonly rows: number
  readonly columns: number
  readonly depth: number
  readonly valueDepth: number
  /** −1, or the batch where it is fixed. */
  readonly batch: number
}

export interface Masking {
  /** Scores become c·tanh(score / c). */
  readonly softcap?: number
  /** Added to the scores; each broadcasts to [N, heads, rows, columns]. */
  readonly added: readonly string[]
  /** Truth values that broadcast likewise: false is never looked at. */
  readonly allowed: readonly string[]
  /** Whether rows that may look at nothing are 0; else they look at everything alike. */
  readonly emptyRowsAreZero?: boolean
}

/** What attention computes on the way: all [N, heads, rows, columns], but for the output, [N, heads, rows, valueDepth]. */
export interface Attended {
  readonly scores: string
  readonly capped: string
  readonly masked: string
  readonly probabilities: string
  readonly output: string
}

/** The lowest float32, not −∞: a row that sees nothing stays a number, and so does its gradient. */
const NOTHING = -3.4028234663852886e38

/**
 * softmax(Q·Kᵀ + mask)·V (Vaswani et al. 2017, eq. 1), Q scaled already.
 *
 * @param like a value of the type to compute in.
 */
export function scaledDotProduct(
  heads: Heads,
  { softcap, added, allowed, emptyRowsAreZero = false }: Masking,
  like: string,
  b: GradientBuilder,
): Attended {
  const { batch, keyHeads, rows, columns, depth, valueDepth } = heads
  const shares = heads.heads / keyHeads
  // Heads that share their keys are so many more rows for them: nothing is repeated.
  const gathered = (value: string, width: number): string =>
    shares === 1 ? value : b.reshape(value, [batch, keyHeads, shares * rows, width])
  const apart = (value: string, width: number): string =>
    shares === 1 ? value : b.reshape(value, [batch, heads.heads, rows, width])
  const scores = apart(b.add('MatMul', [gathered(heads.query, depth), heads.key]), columns)
  const capped = softcap ? softlyCapped(scores, softcap, like, b) : scores
  const shifted = added.reduce((total, value) => b.add('Add', [total, value]), capped)
  const hidden = (value: string): string =>
    allowed.reduce((total, mask) => b.add('Where', [mask, total, b.number(NOTHING, like)]), value)
  const masked = hidden(shifted)
  const softmax = (value: string): string => b.add('Softmax', [value], { axis: -1 })
  const probabilities = (): string => {
    if (!emptyRowsAreZero) return softmax(masked)
    const zero = b.number(0, like)
    const open = b.add('ReduceMax', [hidden(added.reduce((a, c) => b.add('Add', [a, c]), zero)), b.ints([-1])])
    const isSeen = b.add('Greater', [open, b.number(NOTHING, like)])
    // Before Softmax, too: of nothing but −∞ it is no number, and its gradient is none either way.
    return b.where(isSeen, softmax(b.where(isSeen, masked, like)), like)
  }
  const shown = probabilities()
  const output = apart(b.add('MatMul', [gathered(shown, columns), heads.value]), valueDepth)
  return { scores, capped, masked, probabilities: shown, output }
}

function softlyCapped(scores: string, cap: number, like: string, b: GradientBuilder): string {
  const limit = b.number(cap, like)
  return b.mul(limit, b.add('Tanh', [b.add('Div', [scores, limit])]))
}

/** [rows, columns]: whether row r may look at column c, which is where c ≤ r + `before`. */
export function causal(rows: number, columns: number, before: number, b: GradientBuilder): string {
  const bits = Uint8Array.from({ length: rows * columns }, (_, at) =>
    at % columns <= Math.floor(at / columns) + before ? 1 : 0,
  )
  return b.constant('bool', [rows, columns], bits)
}

/** [N] → [N, 1, 1, columns]: whether a column is among the first so many. */
export function withinLength(lengths: string, columns: number, b: GradientBuilder): string {
  return b.add('Less', [b.ints(places(columns)), perImage(lengths, b)])
}

/** [N] → [N, 1, rows, columns]: the same for the last row; each row before it sees one column less. */
export function causalWithin(lengths: string, rows: number, columns: number, b: GradientBuilder): string {
  const behind = places(rows).map((row) => BigInt(row - rows))
  const last = b.add('Add', [perImage(lengths, b), b.constant('int64', [rows, 1], BigInt64Array.from(behind))])
  return b.add('LessOrEqual', [b.ints(places(columns)), last])
}

function places(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at)
}

/** [N] → [N, 1, 1, 1] */
function perImage(lengths: string, b: GradientBuilder): string {
  return b.add('Cast', [b.add('Unsqueeze', [lengths, b.ints([1, 2, 3])])], { to: 7 })
}

/** [N, rows, heads · depth] → [N, heads, rows, depth], or with rows and depth turned. */
export function splitHeads(
  value: string,
  [batch, rows, heads, depth]: readonly [number, number, number, number],
  perm: readonly number[],
  b: GradientBuilder,
): string {
  return b.add('Transpose', [b.reshape(value, [batch, rows, heads, depth])], { perm })
}

/** [N, heads, rows, depth] → [N, rows, heads · depth] */
export function mergeHeads(value: string, { batch, heads, rows, valueDepth }: Heads, b: GradientBuilder): string {
  return b.reshape(b.add('Transpose', [value], { perm: [0, 2, 1, 3] }), [batch, rows, heads * valueDepth])
}
