import { intsAttribute, makeNode } from '../onnx/attributes.js'
import { prune } from '../onnx/canonical/cleanup.js'
import type { Graph, Node } from '../onnx/graph.js'

const CONTRIB = 'com.microsoft'

/**
 * Products with a matrix turned round become onnxruntime's operator that reads it so: A·Bᵀ without Bᵀ. onnxruntime would do
 * the same, but before it does it merges the Transpose with the one that the model has in front: queries, keys and values of
 * an attention, split into heads that way, are then copied once more for each of its four products backwards.
 *
 * @param isFloat32 whether a value is known to be float32: that operator takes nothing else.
 * @param rankOf undefined where that is not known. No rule writes a product with a vector: one is the model's own.
 */
export function fuseTransposes(
  graph: Graph,
  isFloat32: (name: string) => boolean,
  rankOf: (name: string) => number | undefined,
): Graph {
  const turns = new Map(graph.nodes.filter(isTurn).map((node) => [node.outputs[0], node.inputs[0]]))
  const nodes = graph.nodes.map((node) => {
    if (node.op !== 'MatMul' || node.domain !== '') return node
    const operands = node.inputs.map((name) => untwisted(name, turns))
    const isTurned = operands.some(({ turned }) => turned)
    const hasVector = operands.some(({ name }) => rankOf(name) === 1) // the operator takes it for a matrix
    if (!isTurned || hasVector || !operands.some(({ name }) => isFloat32(name))) return node
    const [left, right] = operands
    const attributes = { transA: Number(left.turned), transB: Number(right.turned) }
    return makeNode('FusedMatMul', [left.name, right.name], node.outputs, attributes, node.name, CONTRIB)
  })
  if (nodes.every((node, at) => node === graph.nodes[at])) return graph
  return prune({ ...graph, nodes, opsets: new Map([...graph.opsets, [CONTRIB, 1]]) })
}

/** Whether it swaps the last two axes and no others. */
function isTurn(node: Node): boolean {
  const order = node.op === 'Transpose' ? intsAttribute(node, 'perm') : undefined
  if (order === undefined || order.length < 2) return false
  const { length } = order
  const swapped = [...order.keys()].map((axis) => (axis < length - 2 ? axis : 2 * length - 3 - axis))
  return order.every((axis, at) => axis === swapped[at])
}

/** What a value is made of by turning matrices round, once or several times. */
function untwisted(
  name: string,
  turns: ReadonlyMap<string, string>,
): { readonly name: string; readonly turned: boolean } {
  const source = turns.get(name)
  if (source === undefined) return { name, turned: false }
  const inner = untwisted(source, turns)
  return { name: inner.name, turned: !inner.turned }
}
