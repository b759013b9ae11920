import type { Graph, Node } from '../onnx/graph.js'

/**
 * Biases behind products of three and more axes get as many axes: [K] → [1, 1, K]. onnxruntime otherwise makes one Gemm of
 * product and bias where it knows every size, which first writes the bias and then reads it back: that takes longer
 * (`node bench/alternatives.mjs attention`).
 *
 * @param rankOf of a value of the model; undefined for what nobody observed.
 */
export function separateBiases(graph: Graph, rankOf: (name: string) => number | undefined): Graph {
  const products = new Set(graph.nodes.filter(({ op }) => op === 'MatMul').map(({ outputs }) => outputs[0]))
  const constants = new Map(graph.constants)
  const spread = (bias: string, rank: number): string => {
    const name = `${bias}/${rank}`
    const tensor = graph.constants.get(bias)
    if (tensor) constants.set(name, { ...tensor, dims: [...Array.from({ length: rank - 1 }, () => 1), ...tensor.dims] })
    return name
  }
  const nodes = graph.nodes.map((node): Node => {
    const rank = rankOf(node.outputs[0]) ?? 0
    if (node.op !== 'Add' || rank < 3 || !node.inputs.some((name) => products.has(name))) return node
    const isBias = (name: string): boolean => graph.constants.get(name)?.dims.length === 1
    return { ...node, inputs: node.inputs.map((name) => (isBias(name) ? spread(name, rank) : name)) }
  })
  return { ...graph, nodes, constants }
}
