import { floatAttribute, intAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import type { Expansion } from '../expansion.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { causal, mergeHeads, scaledDotProduct, splitHeads, withinLength } from './scaledDotProduct.js'
import type { Heads } from './scaledDotProduct.js'

const BY_HEADS = [0, 2, 1, 3]

/** Attention as the standard has it since opset 23, [N, rows, heads · depth] or [N, heads, rows, depth]. */
export const attention: Readonly<Record<string, Expansion>> = {
  Attention: (node, b) => {
    const [query, , , mask, pastKey, , lengths] = node.inputs
    const { heads, key, value } = headsOf(node, b)
    const past = pastKey ? b.dims(pastKey)[2] : 0
    const isTruth = mask ? b.observed(mask).type === 'bool' : false
    const attended = scaledDotProduct(
      heads,
      {
        softcap: floatAttribute(node, 'softcap', 0),
        added: mask && !isTruth ? [mask] : [],
        allowed: [
          ...(mask && isTruth ? [mask] : []),
          ...(intAttribute(node, 'is_causal', 0) === 1 ? [causal(heads.rows, heads.columns, past, b)] : []),
          ...(lengths ? [withinLength(lengths, heads.columns, b)] : []),
        ],
      },
      query,
      b,
    )
    const stages = [attended.scores, attended.capped, attended.masked, attended.probabilities]
    return [
      b.rank(query) === 3 ? mergeHeads(attended.output, heads, b) : attended.output,
      key,
      value,
      stages[intAttribute(node, 'qk_matmul_output_mode', 0)],
    ]
  },
}

/** Keys and values behind those of the past, and everything by heads. */
function headsOf(
  node: Node,
  b: GradientBuilder,
): { readonly heads: Heads; readonly key: string; readonly value: string } {
  const [query, key, value, , pastKey, pastValue] = node.inputs
  const batch = b.observed(query).batchAxis === 0 ? -1 : b.dims(query)[0]
  const queries = sizesOf(query, intAttribute(node, 'q_num_heads', 1), b)
  const keys = sizesOf(key, intAttribute(node, 'kv_num_heads', 1), b)
  const values = sizesOf(value, keys.heads, b)
  const byHeads = (from: string, { rows, heads, depth }: Sizes, perm: readonly number[]): string =>
    b.rank(from) === 3 ? splitHeads(from, [batch, rows, heads, depth], perm, b) : from
  const behind = (past: string | undefined, now: string): string =>
    past ? b.add('Concat', [past, now], { axis: 2 }) : now
  const isOwn = !pastKey && !node.outputs[1]
  const allKeys = isOwn ? '' : behind(pastKey, byHeads(key, keys, BY_HEADS))
  const allValues = behind(pastValue, byHeads(value, values, BY_HEADS))
  const turned =
    isOwn && b.rank(key) === 3
      ? byHeads(key, keys, [0, 2, 3, 1])
      : b.add('Transpose', [isOwn ? key : allKeys], { perm: [0, 1, 3, 2] })
  const scale = b.number(floatAttribute(node, 'scale', 1 / Math.sqrt(queries.depth)), query)
  return {
    key: allKeys,
    value: allValues,
    heads: {
      batch,
      query: b.mul(byHeads(query, queries, BY_HEADS), scale),
      key: turned,
      value: allValues,
      heads: queries.heads,
      keyHeads: keys.heads,
      rows: queries.rows,
      columns: keys.rows + (pastKey ? b.dims(pastKey)[2] : 0),
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

function sizesOf(value: string, heads: number, b: GradientBuilder): Sizes {
  const dims = b.dims(value)
  if (dims.length === 4) return { heads: dims[1], rows: dims[2], depth: dims[3] }
  return { heads, rows: dims[1], depth: dims[2] / heads }
}
