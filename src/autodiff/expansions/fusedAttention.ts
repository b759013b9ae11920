import { UsageError } from '../../errors.js'
import { floatAttribute, intAttribute, intsAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import type { Expansion } from '../expansion.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { byHeads, sized } from './heads.js'
import type { Projections, Sized } from './heads.js'
import { causal, mergeHeads, scaledDotProduct, withinLength } from './scaledDotProduct.js'

/** What onnxruntime's transformer optimiser writes, in the forms that its CPU kernels run. */
export const fusedAttention: Readonly<Record<string, Expansion>> = {
  /** One matrix projects to queries, keys and values. The past holds keys and values: [2, N, heads, rows, depth]. */
  'com.microsoft.Attention': (node, b) => {
    const [x, weights, bias, mask, past, added] = node.inputs
    const third = b.dims(weights)[1] / 3
    const sizes = intsAttribute(node, 'qkv_hidden_sizes', [third, third, third])
    const project = (place: number): Sized => {
      const start = sizes.slice(0, place).reduce((total, size) => total + size, 0)
      const cut = (value: string, axis: number): string =>
        b.add('Slice', [value, b.ints([start]), b.ints([start + sizes[place]]), b.ints([axis])])
      const product = b.add('MatMul', [x, cut(weights, 1)])
      return {
        name: bias ? b.add('Add', [product, cut(bias, 0)]) : product,
        dims: [...b.dims(x).slice(0, 2), sizes[place]],
      }
    }
    const remembered = (place: number): Sized | undefined =>
      past
        ? {
            name: b.add('Gather', [past, b.constant('int64', [], BigInt64Array.of(BigInt(place)))], { axis: 0 }),
            dims: b.dims(past).slice(1),
          }
        : undefined
    const projections = { query: project(0), key: project(1), value: project(2) }
    const [output, key, value] = attend(
      node,
      { ...projections, pastKey: remembered(0), pastValue: remembered(1) },
      { like: x, mask, added },
      b,
    )
    const apart = (present: string): string => b.add('Unsqueeze', [present, b.ints([0])])
    return [output, node.outputs[1] ? b.add('Concat', [apart(key()), apart(value)], { axis: 0 }) : '']
  },

  'com.microsoft.MultiHeadAttention': (node, b) => {
    const [query, key, value, bias, mask, added, pastKey, pastValue] = node.inputs
    if (!key || !value || b.rank(query) !== 3)
      throw new UsageError(
        `MultiHeadAttention (node "${node.name}") with packed queries, keys and values has no gradient rule; export them apart`,
      )
    let start = 0
    // Keys and values by heads already were projected elsewhere: they have their bias.
    const biased = (name: string): Sized => {
      const dims = b.dims(name)
      const width = dims.length === 3 ? dims[2] : dims[1] * dims[3]
      const from = start
      start += width
      if (!bias || dims.length === 4) return { name, dims }
      const own = b.add('Slice', [bias, b.ints([from]), b.ints([start]), b.ints([0])])
      return { name: b.add('Add', [name, own]), dims }
    }
    // onnxruntime 1.30 forgets the past of a node that does not hand the present on.
    const isKept = Boolean(node.outputs[1])
    const [output, presentKey, presentValue] = attend(
      node,
      {
        query: biased(query),
        key: biased(key),
        value: biased(value),
        pastKey: isKept ? sized(pastKey, b) : undefined,
        pastValue: isKept ? sized(pastValue, b) : undefined,
      },
      { like: query, mask, added },
      b,
    )
    return [output, isKept ? presentKey() : '', presentValue]
  },
}

interface Context {
  readonly like: string
  readonly mask: string | undefined
  readonly added: string | undefined
}

function attend(
  node: Node,
  projections: Projections,
  { like, mask, added }: Context,
  b: GradientBuilder,
): readonly [string, () => string, string] {
  const count = intAttribute(node, 'num_heads', 1)
  const { heads, presentKey, presentValue } = byHeads(
    projections,
    { heads: count, keyHeads: count, scale: floatAttribute(node, 'scale'), like },
    b,
  )
  const before = projections.pastKey?.dims[2] ?? 0
  const isCausal = intAttribute(node, 'unidirectional', 0) === 1
  const { output } = scaledDotProduct(
    heads,
    {
      added: [...(added ? [added] : []), ...(mask ? [padding(node, mask, heads.columns, like, b)] : [])],
      allowed: isCausal ? [causal(heads.rows, heads.columns, before, b)] : [],
    },
    like,
    b,
  )
  return [mergeHeads(output, heads, b), presentKey, presentValue]
}

/**
 * Zero where a column may be seen, `mask_filter_value` where not. The mask is one of [N] (how many columns), [3N + 2] (the
 * same, and what only other processors read), [2N] (ends, then starts), [N, columns] and [N, rows, columns] (1: seen).
 */
function padding(node: Node, mask: string, columns: number, like: string, b: GradientBuilder): string {
  const dims = b.dims(mask)
  const images = b.dims(like)[0]
  const part = (from: number): string =>
    b.add('Slice', [mask, b.ints([from * images]), b.ints([(from + 1) * images]), b.ints([0])])
  const seen = (): string => {
    if (dims.length > 1 && dims.length < 4) {
      const flags = b.add('Cast', [mask], { to: 9 })
      return b.add('Unsqueeze', [flags, b.ints(dims.length === 2 ? [1, 2] : [1])])
    }
    if (dims.length === 1 && dims[0] === images) return withinLength(mask, columns, b)
    if (dims.length === 1 && dims[0] === 3 * images + 2) return withinLength(part(0), columns, b)
    if (dims.length === 1 && dims[0] === 2 * images)
      return b.add('And', [withinLength(part(0), columns, b), b.add('Not', [withinLength(part(1), columns, b)])])
    throw new UsageError(
      `${node.op} (node "${node.name}") with a mask of size [${dims.join(', ')}] has no gradient rule; export it with a mask of size [N, columns]`,
    )
  }
  const hidden = b.number(floatAttribute(node, 'mask_filter_value', -10000), like)
  return b.add('Where', [seen(), b.number(0, like), hidden])
}
