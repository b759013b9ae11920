import { intAttribute, makeNode } from '../attributes.js'
import type { ElementType, Graph, Node, Tensor } from '../graph.js'
import { dataType, elementType } from '../tensor.js'
import { withAttribute } from './edit.js'

/** What holds the numbers of a type of four bits, and their range. */
const WIDER: Readonly<Partial<Record<ElementType, readonly ['int8' | 'uint8', number, number]>>> = {
  int4: ['int8', -8, 7],
  uint4: ['uint8', 0, 15],
}

/**
 * Whole numbers of four bits in eight: few operators take the former, and onnxruntime's binding for Node.js hands none of them
 * over. Where a QuantizeLinear stopped at the end of four bits, a Clip does.
 */
export function widenNibbles(graph: Graph, fresh: (stem: string) => string): Graph {
  const narrow = [...graph.constants.values()].some(({ type }) => WIDER[type] !== undefined)
  if (!narrow && !graph.nodes.some((node) => quantisedType(node, graph) !== undefined)) return graph
  const constants = new Map(Array.from(graph.constants, ([name, tensor]) => [name, inEightBits(tensor)]))
  const nodes = graph.nodes.flatMap((node) => {
    const type = quantisedType(node, graph)
    const [eight, low, high] = (type && WIDER[type]) ?? []
    if (eight === undefined || low === undefined || high === undefined) return [node]
    const [output] = node.outputs
    const [rounded, lowest, highest] = ['rounded', 'lowest', 'highest'].map((stem) => fresh(`${output}/${stem}`))
    constants.set(lowest, scalar(eight, low))
    constants.set(highest, scalar(eight, high))
    const isSaid = intAttribute(node, 'output_dtype', 0) !== 0
    const wider = isSaid ? withAttribute(node, 'output_dtype', dataType(eight)) : node
    return [{ ...wider, outputs: [rounded] }, makeNode('Clip', [rounded, lowest, highest], [output])]
  })
  return { ...graph, nodes, constants }
}

function quantisedType(node: Node, graph: Graph): ElementType | undefined {
  if (node.op !== 'QuantizeLinear') return undefined
  const type = graph.constants.get(node.inputs[2] ?? '')?.type ?? elementType(intAttribute(node, 'output_dtype', 0))
  return type !== undefined && WIDER[type] !== undefined ? type : undefined
}

function inEightBits(tensor: Tensor): Tensor {
  const [eight] = WIDER[tensor.type] ?? []
  return eight === undefined ? tensor : { ...tensor, type: eight }
}

function scalar(type: 'int8' | 'uint8', value: number): Tensor {
  return { type, dims: [], data: type === 'int8' ? Int8Array.of(value) : Uint8Array.of(value) }
}
