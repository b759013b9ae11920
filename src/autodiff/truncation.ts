import { intAttribute, operatorOf } from '../onnx/attributes.js'
import type { Node } from '../onnx/graph.js'
import { reads } from '../onnx/subgraphs.js'
import { elementType } from '../onnx/tensor.js'
import { expansion } from './expansion.js'
import type { Expansion } from './expansion.js'
import { straightThrough } from './rule.js'
import { WITHOUT_GRADIENT } from './rules/index.js'

const isFloat = (type: string | undefined): boolean => type?.startsWith('float') === true

/** What a Cast makes. */
function target(node: Node): string | undefined {
  return elementType(intAttribute(node, 'to', 0))
}

/**
 * Finds the casts that cut off fractions: from floats to whole numbers that are used as floats again, and as nothing else
 * (an index, say). To the mathematics they are steps without a slope, and an attacker would not stop at them.
 *
 * @param typeOf what a value holds.
 * @returns whether a node is one.
 */
export function truncations(
  nodes: readonly Node[],
  typeOf: (name: string) => string | undefined,
): (node: Node) => boolean {
  const readers = new Map<string, Node[]>()
  for (const node of nodes) for (const name of reads(node)) readers.set(name, [...(readers.get(name) ?? []), node])
  return (node) => {
    if (node.op !== 'Cast' || node.domain !== '' || !isFloat(typeOf(node.inputs[0]))) return false
    if (target(node)?.includes('int') !== true) return false
    const after = readers.get(node.outputs[0]) ?? []
    return after.length > 0 && after.every((reader) => reader.op === 'Cast' && isFloat(target(reader)))
  }
}

/**
 * The same before anything has run. What is made from images is taken for floats, unless a cast or an operator whose output
 * no gradient passes made it something else.
 *
 * @param nodes on the way from the image, in order.
 */
export function truncationsByName(nodes: readonly Node[]): (node: Node) => boolean {
  const others = new Map<string, string | undefined>()
  for (const node of nodes) {
    const type = node.op === 'Cast' && node.domain === '' ? target(node) : 'float32'
    const isOther = WITHOUT_GRADIENT.has(operatorOf(node))
    for (const output of node.outputs) others.set(output, isOther ? undefined : type)
  }
  return truncations(nodes, (name) => (others.has(name) ? others.get(name) : 'float32'))
}

/** Towards zero, as a cast does, by operators whose gradient is the identity. */
export const truncation: Expansion = straightThrough(
  'the identity, where whole numbers become floats again',
  expansion((node, b) => {
    const [x] = node.inputs
    const isPositive = b.add('Greater', [x, b.number(0, node.inputs[0])])
    return b.add('Where', [isPositive, b.add('Floor', [x]), b.add('Ceil', [x])])
  }),
)
