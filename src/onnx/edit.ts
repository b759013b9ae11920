import type { Graph } from './graph.js'
import { renameReads } from './subgraphs.js'

/** Every value's name behind a prefix, so that nothing added later can meet one of the model's own. */
export function withPrefix(graph: Graph, prefix: string): Graph {
  const rename = (name: string): string => (name === '' ? '' : `${prefix}${name}`)
  return {
    ...graph,
    inputs: graph.inputs.map((input) => ({ ...input, name: rename(input.name) })),
    outputs: graph.outputs.map((output) => ({ ...output, name: rename(output.name) })),
    nodes: graph.nodes.map((node) => ({ ...renameReads(node, rename), outputs: node.outputs.map(rename) })),
    constants: new Map([...graph.constants].map(([name, tensor]) => [rename(name), tensor])),
  }
}
