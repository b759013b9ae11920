import { makeNode } from '../attributes.js'
import type { Graph, Node } from '../graph.js'

/**
 * sign(a) · |a| is a; only −0 may lose its sign in the product. PyTorch's newer exporter writes that into every LpPool, as sign(a) · relu(|a|): left as it is,
 * the straight-through gradient of the sign, |a| · 1, would come on top of the true one. The product becomes an Identity, and the sign is left for whoever else reads it.
 */
export function joinSigns(graph: Graph): Graph {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)))
  const inputOf = (name: string, op: string): string | undefined => {
    const node = makers.get(name)
    return node?.op === op && node.domain === '' ? node.inputs[0] : undefined
  }
  const signed = ({ inputs }: Node): readonly string[] =>
    inputs.flatMap((name, place) => {
      const source = inputOf(name, 'Sign')
      const other = inputs[1 - place]
      return source !== undefined && source === inputOf(inputOf(other, 'Relu') ?? other, 'Abs') ? [source] : []
    })
  const nodes = graph.nodes.map((node) => {
    const [source] = node.op === 'Mul' && node.domain === '' ? signed(node) : []
    return source === undefined ? node : makeNode('Identity', [source], node.outputs, {}, node.name)
  })
  return { ...graph, nodes }
}
