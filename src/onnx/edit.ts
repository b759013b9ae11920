import type { Graph } from './graph.js'
import { renameReads } from './subgraphs.js'

/** What stands in front of the names of a model's own values, so that nothing added later can meet one of them. */
export const MODEL_PREFIX = 'model/'

/** The model with the prefix in front of every value's name. */
export function withPrefix(graph: Graph): Graph {
  const rename = (name: string): string => (name === '' ? '' : `${MODEL_PREFIX}${name}`)
  return {
    ...graph,
    inputs: graph.inputs.map((input) => ({ ...input, name: rename(input.name) })),
    outputs: graph.outputs.map((output) => ({ ...output, name: rename(output.name) })),
    nodes: graph.nodes.map((node) => ({
      ...renameReads(node, rename),
      outputs: node.outputs.map(rename),
      name: node.name || node.outputs[0], // what messages call it, as its author does
    })),
    constants: new Map([...graph.constants].map(([name, tensor]) => [rename(name), tensor])),
  }
}

/** The same graph without the empty names at the ends of lists of inputs: what is left out is left out without them, too. */
export function withoutBlanks(graph: Graph): Graph {
  const trimmed = (inputs: readonly string[]): readonly string[] =>
    inputs.slice(0, inputs.findLastIndex((name) => name !== '') + 1)
  return { ...graph, nodes: graph.nodes.map((node) => ({ ...node, inputs: trimmed(node.inputs) })) }
}
