import { floatAttribute, intAttribute } from './attributes.js'
import type { GraphBuilder } from './builder.js'
import type { Node } from './graph.js'

/**
 * A node of the newest opset as nodes that opset 21 has, too, where a gradient rule would have kept it as it is: only the
 * graphs of models that draw numbers go back so far. Others stay.
 */
export function rewrittenForOlderOpset(node: Node, b: GraphBuilder): readonly Node[] {
  if (node.op !== 'RMSNormalization' || node.domain !== '') return [node]
  addRootMeanSquare(node, b)
  return []
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
