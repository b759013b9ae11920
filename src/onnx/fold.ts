import { dependents } from './dependence.js'
import type { Graph, Tensor } from './graph.js'
import { reads } from './subgraphs.js'

/** The values that depend on what is in the graph's inputs (not only on their shapes), or on chance. */
export function dependentValues(graph: Graph): ReadonlySet<string> {
  return dependents(graph.nodes, [...graph.inputs.map((input) => input.name), ...(graph.unfolded ?? [])])
}

/**
 * Replaces what does not depend on the input by the constant it was seen to be.
 *
 * @param runs values of every intermediate of one or more runs; what is not the same in all of them (a shape that holds
 *   the batch) stays computed.
 * @param most numbers of a constant that takes the place of what computes it
 */
export function foldConstants(
  graph: Graph,
  runs: readonly ReadonlyMap<string, Tensor>[],
  most = Number.POSITIVE_INFINITY,
): Graph {
  const dependent = dependentValues(graph)
  const wanted = new Set(graph.outputs.map((output) => output.name))
  const constants = new Map(graph.constants)
  const isSmall = (name: string): boolean => (runs[0].get(name)?.data.length ?? 0) <= most
  const isFixed = (name: string): boolean => runs.every((run) => same(run.get(name), runs[0].get(name)))
  const fixed = (name: string): boolean =>
    name === '' || (!dependent.has(name) && !wanted.has(name) && isSmall(name) && isFixed(name))
  const nodes = graph.nodes.filter((node) => {
    if (!node.outputs.every(fixed)) return true
    for (const name of node.outputs) {
      const value = runs[0].get(name)
      if (value !== undefined) constants.set(name, value)
    }
    return false
  })
  const used = new Set([...nodes.flatMap(reads), ...wanted])
  return { ...graph, nodes, constants: new Map([...constants].filter(([name]) => used.has(name))) }
}

function same(a: Tensor | undefined, b: Tensor | undefined): boolean {
  if (a === undefined || b === undefined || a.type !== b.type) return false
  if (a.dims.join() !== b.dims.join()) return false
  if (a === b) return true
  for (let at = 0; at < a.data.length; at++) if (!Object.is(a.data[at], b.data[at])) return false
  return true
}
