import type { Graph, Node } from '../graph.js'
import { reads, renameReads } from '../subgraphs.js'
import { scopeOf, trains } from '../training.js'
import type { Scope } from '../training.js'

/**
 * Drops Identity and inference-mode Dropout: who read their output reads their input. An output of the graph keeps its
 * name: the node that makes the value is renamed instead.
 */
export function dropPassThroughs(graph: Graph): Graph {
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  const aliases = new Map<string, string>()
  const follow = (name: string): string => aliases.get(name) ?? name
  const used = new Set(graph.nodes.flatMap(reads).concat([...outputs]))
  const scope = scopeOf(graph)
  const nodes: Node[] = []
  for (const original of graph.nodes) {
    const node = renameReads(original, follow)
    const [source] = node.inputs
    const [target] = node.outputs
    if (!isPassThrough(node, scope, used)) nodes.push(node)
    else if (!outputs.has(target)) aliases.set(target, source)
    else nodes.push({ ...node, op: 'Identity', inputs: [source], outputs: [target], attributes: new Map() })
  }
  return claimOutputs({ ...graph, nodes })
}

/** Removes what no output of the graph needs. Inputs stay: they are the model's interface. */
export function prune(graph: Graph): Graph {
  const needed = new Set(graph.outputs.map(({ name }) => name))
  const kept: Node[] = []
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output))) continue
    for (const name of reads(node)) needed.add(name)
    kept.push(node)
  }
  const constants = new Map([...graph.constants].filter(([name]) => needed.has(name)))
  return { ...graph, nodes: kept.reverse(), constants }
}

function isPassThrough(node: Node, scope: Scope, used: ReadonlySet<string>): boolean {
  if (node.domain !== '') return false
  if (node.op === 'Identity') return true
  return node.op === 'Dropout' && !used.has(node.outputs[1] ?? '') && !trains(node, scope)
}

/** `y = Identity(x)`, y an output of the graph: let the node that makes x call it y, where that is possible. */
function claimOutputs(graph: Graph): Graph {
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  const produced = new Set(graph.nodes.flatMap((node) => node.outputs))
  const names = new Map<string, string>()
  const nodes = graph.nodes.filter((node) => {
    const [source] = node.inputs
    const claims =
      node.op === 'Identity' && node.domain === '' && produced.has(source) && !outputs.has(source) && !names.has(source)
    if (claims) names.set(source, node.outputs[0])
    return !claims
  })
  if (names.size === 0) return graph
  const rename = (name: string): string => names.get(name) ?? name
  return { ...graph, nodes: nodes.map((node) => ({ ...renameReads(node, rename), outputs: node.outputs.map(rename) })) }
}
