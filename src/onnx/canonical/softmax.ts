import { intAttribute, makeNode } from '../attributes.js'
import type { Node } from '../graph.js'
import type { Context, Upgrade, Upgrades } from './context.js'
import { withAttribute } from './edit.js'

/**
 * Before opset 13 the input was taken as a matrix, every dimension from `axis` (default 1) on in its columns, and a
 * whole row normalised at once; since then only along `axis`. The two agree when `axis` is the last one. Where that is
 * not plain the matrix is made: right for any rank.
 */
function throughMatrix(node: Node, context: Context): Node | readonly Node[] {
  const [input] = node.inputs
  const [output] = node.outputs
  const axis = intAttribute(node, 'axis', 1)
  const rank = context.rankOf(input) ?? context.rankOf(output)
  if (axis === -1 || axis + 1 === rank) return withAttribute(node, 'axis', -1)
  const shape = context.fresh(`${output}/shape`)
  const matrix = context.fresh(`${output}/matrix`)
  const normalised = context.fresh(`${output}/normalised`)
  return [
    makeNode('Shape', [input], [shape]),
    makeNode('Flatten', [input], [matrix], { axis }),
    withAttribute({ ...node, inputs: [matrix], outputs: [normalised] }, 'axis', -1),
    makeNode('Reshape', [normalised, shape], [output]),
  ]
}

const MATRIX_UNTIL_13: readonly Upgrade[] = [{ since: 13, upgrade: throughMatrix }]

export const SOFTMAX: Upgrades = { Softmax: MATRIX_UNTIL_13, LogSoftmax: MATRIX_UNTIL_13, Hardmax: MATRIX_UNTIL_13 }
