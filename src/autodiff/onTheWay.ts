import type { GraphProto } from 'onnx-buf'
import { describe } from '../onnx/attributes.js'
import { readNode } from '../onnx/codec.js'
import type { Graph, Node } from '../onnx/graph.js'
import { bodies, reads } from '../onnx/subgraphs.js'

/** The nodes between a graph's inputs and outputs, those in bodies of If, Loop and Scan as well, each once. */
export function nodesOnTheWay(graph: Graph): readonly Node[] {
  return walk(graph.nodes, new Set(graph.inputs.map(({ name }) => name))).found
}

interface Walked {
  readonly found: readonly Node[]
  readonly reached: ReadonlySet<string>
}

function walk(nodes: readonly Node[], seeds: ReadonlySet<string>): Walked {
  const reached = new Set(seeds)
  const found: Node[] = []
  for (const node of nodes) {
    if (!reads(node).some((name) => reached.has(name))) continue
    found.push(node, ...bodies(node.attributes.values()).flatMap((body) => within(node, body, reached)))
    for (const output of node.outputs) if (output !== '') reached.add(output)
  }
  return { found, reached }
}

/**
 * The nodes of a body on the way. Its inputs stand for the node's, place by place, and what a Loop or Scan carries comes
 * back: again until nothing is added.
 */
function within(node: Node, body: GraphProto, outside: ReadonlySet<string>): readonly Node[] {
  const nodes = body.node.map((proto) => readNode(proto, { name: describe(node), external: {} }))
  const inputs = body.input.map(({ name }) => name)
  // A Loop's body has the counter in front of its inputs, and its condition in front of its outputs.
  const behind = node.op === 'Loop' ? 1 : 0
  let seeds = new Set(inputs.filter((_, place) => outside.has(node.inputs[place] ?? '')))
  for (;;) {
    const { found, reached } = walk(nodes, new Set([...outside, ...seeds]))
    const back = body.output.flatMap(({ name }, place) => (reached.has(name) ? [inputs[place + behind]] : []))
    const next = new Set([...seeds, ...back.filter((name) => name !== undefined)])
    if (next.size === seeds.size) return found
    seeds = next
  }
}
