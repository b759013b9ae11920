import { floatAttribute, floatsAttribute, intsAttribute, stringAttribute, tensorAttribute } from '../attributes.js'
import type { Graph, Node, Tensor } from '../graph.js'
import { densify } from '../sparse.js'
import { reads, renameReads } from '../subgraphs.js'
import { int64Tensor } from '../tensor.js'
import { trains } from '../training.js'

/** The value of a Constant node, in any of the forms the standard gives it; undefined when it has none we know. */
export function constantValue(node: Node): Tensor | undefined {
  const tensor = tensorAttribute(node, 'value')
  if (tensor) return tensor
  const float = floatAttribute(node, 'value_float')
  if (float !== undefined) return { type: 'float32', dims: [], data: Float32Array.of(float) }
  const floats = floatsAttribute(node, 'value_floats')
  if (floats) return { type: 'float32', dims: [floats.length], data: Float32Array.from(floats) }
  // Straight from the message: the whole range of int64 counts here.
  const int = node.attributes.get('value_int')
  if (int) return { type: 'int64', dims: [], data: BigInt64Array.of(int.i) }
  const ints = intsAttribute(node, 'value_ints')
  if (ints) return int64Tensor(ints)
  const text = stringAttribute(node, 'value_string')
  if (text !== undefined) return { type: 'string', dims: [], data: [text] }
  const texts = node.attributes.get('value_strings')?.strings.map((bytes) => new TextDecoder().decode(bytes))
  if (texts) return { type: 'string', dims: [texts.length], data: texts }
  const sparse = node.attributes.get('sparse_value')?.sparseTensor
  return sparse && densify(sparse, { name: 'the model', external: {} })
}

/**
 * Drops Identity and inference-mode Dropout: who read their output reads their input. An output of the graph keeps its
 * name: the node that makes the value is renamed instead.
 */
export function dropPassThroughs(graph: Graph): Graph {
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  const aliases = new Map<string, string>()
  const follow = (name: string): string => aliases.get(name) ?? name
  const used = new Set(graph.nodes.flatMap(reads).concat([...outputs]))
  const nodes: Node[] = []
  for (const original of graph.nodes) {
    const node = renameReads(original, follow)
    const [source] = node.inputs
    const [target] = node.outputs
    if (!isPassThrough(node, graph, used)) nodes.push(node)
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

function isPassThrough(node: Node, graph: Graph, used: ReadonlySet<string>): boolean {
  if (node.domain !== '') return false
  if (node.op === 'Identity') return true
  return node.op === 'Dropout' && !used.has(node.outputs[1] ?? '') && !trains(node, graph)
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
