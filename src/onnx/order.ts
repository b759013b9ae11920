import { UsageError } from '../errors.js'
import { describe } from './attributes.js'
import type { Graph, Node } from './graph.js'
import { reads } from './subgraphs.js'

/**
 * The nodes in topological order; those that are in order already keep their places.
 *
 * @param name of the model, for messages.
 * @throws UsageError when a value has two producers or none, or nodes wait for each other.
 */
export function topologicalOrder(graph: Graph, name: string): readonly Node[] {
  const known = new Set([...graph.constants.keys(), ...graph.inputs.map((input) => input.name)])
  const producers = findProducers(graph, known, name)
  const waiting = new Map<Node, number>()
  const readers = new Map<Node, Node[]>()
  for (const node of graph.nodes) {
    const needed = new Set<Node>()
    for (const input of reads(node)) {
      if (known.has(input)) continue
      const producer = producers.get(input)
      if (producer === undefined)
        throw new UsageError(
          `${name}: ${describe(node)} reads "${input}", which nothing produces; export the model again`,
        )
      needed.add(producer)
    }
    waiting.set(node, needed.size)
    for (const producer of needed) {
      const others = readers.get(producer)
      if (others) others.push(node)
      else readers.set(producer, [node])
    }
  }
  const missing = graph.outputs.find((output) => !known.has(output.name) && !producers.has(output.name))
  if (missing) throw new UsageError(`${name}: nothing produces the output "${missing.name}"; export the model again`)
  return sort(graph.nodes, waiting, readers, name)
}

function findProducers(graph: Graph, known: ReadonlySet<string>, name: string): ReadonlyMap<string, Node> {
  const producers = new Map<string, Node>()
  for (const node of graph.nodes)
    for (const output of node.outputs) {
      if (output === '') continue
      if (known.has(output) || producers.has(output))
        throw new UsageError(
          `${name}: two things are called "${output}" (one is the output of ${describe(node)}); export the model again`,
        )
      producers.set(output, node)
    }
  return producers
}

function sort(
  nodes: readonly Node[],
  waiting: Map<Node, number>,
  readers: ReadonlyMap<Node, readonly Node[]>,
  name: string,
): readonly Node[] {
  const place = new Map(nodes.map((node, index) => [node, index]))
  const sorted: Node[] = []
  nodes.forEach((start, position) => {
    const ready = waiting.get(start) === 0 ? [start] : []
    for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
      sorted.push(node)
      for (const reader of readers.get(node) ?? []) {
        const left = (waiting.get(reader) ?? 0) - 1
        waiting.set(reader, left)
        // A reader further down has its turn later; one that stood too early follows at once.
        if (left === 0 && (place.get(reader) ?? 0) < position) ready.push(reader)
      }
    }
  })
  if (sorted.length < nodes.length) {
    const stuck = nodes.find((node) => waiting.get(node) !== 0)
    throw new UsageError(
      `${name}: ${stuck ? describe(stuck) : 'a node'} waits for its own output; export the model again`,
    )
  }
  return sorted
}
