import { floatAttribute, intAttribute } from './attributes.js'
import type { GraphBuilder } from './builder.js'
import { readNode } from './codec.js'
import type { Node } from './graph.js'
import { bodies } from './subgraphs.js'

/** onnxruntime 1.30 has no kernels for the random operators of opset 22. */
export const OLDER_OPSET = 21

/** Operators that came since, up to opset 24. */
const NEW_SINCE: ReadonlySet<string> = new Set([
  'Attention',
  'RMSNormalization',
  'RotaryEmbedding',
  'Swish',
  'TensorScatter',
])

/** Attributes that came since. Besides, operators took more types. */
const NEW_ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ['Cast', 'round_mode'],
  ['CastLike', 'round_mode'],
  ['DequantizeLinear', 'output_dtype'],
  ['QuantizeLinear', 'precision'],
])

/** Whether a node, or one in its bodies, is of an opset that is newer. */
export function isNewer({ op, domain, attributes }: Node): boolean {
  if (domain === '' && (NEW_SINCE.has(op) || attributes.has(NEW_ATTRIBUTES.get(op) ?? ''))) return true
  return bodies(attributes.values()).some((body) =>
    body.node.some((proto) => isNewer(readNode(proto, { name: proto.name || proto.opType, external: {} }))),
  )
}

/**
 * A node of the newest opset as nodes that opset 21 has, too, where a gradient rule would have kept it as it is: only the
 * graphs of models that draw numbers go back so far. Others stay.
 */
export function rewrittenForOlderOpset(node: Node, b: GraphBuilder): readonly Node[] {
  if (node.domain !== '') return [node]
  // How numbers are rounded to float8, which no value of a classifier is.
  if (node.op === 'Cast' || node.op === 'CastLike') return [without(node, 'round_mode')]
  if (node.op !== 'RMSNormalization') return [node]
  addRootMeanSquare(node, b)
  return []
}

function without(node: Node, attribute: string): Node {
  return { ...node, attributes: new Map([...node.attributes].filter(([name]) => name !== attribute)) }
}

/** x / √(mean(x²) + ε) · scale, with the mean over the axes from `axis` on. */
function addRootMeanSquare(node: Node, b: GraphBuilder): void {
  const [x, scale] = node.inputs
  const squares = b.add('ReduceMean', [b.add('Mul', [x, x]), axesFrom(intAttribute(node, 'axis', -1), x, b)], {
    keepdims: 1,
  })
  const epsilon = b.add('CastLike', [b.scalar(floatAttribute(node, 'epsilon', 1e-5)), x])
  const root = b.add('Sqrt', [b.add('Add', [squares, epsilon])])
  b.addNamed(node.outputs[0], 'Mul', [b.add('Div', [x, root]), scale])
}

/** Counted from the front they end with a rank that is not known yet. */
function axesFrom(axis: number, x: string, b: GraphBuilder): string {
  if (axis < 0) return b.ints(Array.from({ length: -axis }, (_, at) => axis + at))
  const whole = (value: number): string => b.constant('int64', [], BigInt64Array.of(BigInt(value)))
  return b.add('Range', [whole(axis), b.add('Size', [b.add('Shape', [x])]), whole(1)])
}
