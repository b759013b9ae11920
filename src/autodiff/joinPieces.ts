import { intAttribute, makeNode, operatorOf } from '../onnx/attributes.js'
import type { Graph, Node } from '../onnx/graph.js'
import type { Observation } from '../onnx/observe.js'
import { int64Tensor } from '../onnx/tensor.js'
import { fromFront } from './rule.js'

/** A part [start, end) of `source` along one axis, which is gone where the node is a Gather at one index. */
interface Piece {
  readonly node: Node
  readonly source: string
  readonly axis: number
  readonly start: number
  readonly end: number
}

/**
 * Gathers and Slices that together take a value apart, as exporters write queries, keys and values, become one Split: its
 * gradient is one Concat, where each of theirs is padded with zeros to the whole and all are added.
 *
 * @returns the graph, and what is to be known of the values that are new in it.
 */
export function joinPieces(
  graph: Graph,
  observation: Observation,
): { readonly graph: Graph; readonly observation: Observation } {
  const pieces = graph.nodes.flatMap(
    (node) => gathered(node, graph, observation) ?? sliced(node, graph, observation) ?? [],
  )
  const groups = new Map<string, Piece[]>()
  for (const piece of pieces) {
    const key = `${piece.axis}:${piece.source}`
    groups.set(key, [...(groups.get(key) ?? []), piece])
  }
  const replacements = new Map<Node, readonly Node[]>()
  const constants = new Map(graph.constants)
  const known = new Map(observation)
  for (const group of groups.values()) {
    const [{ source, axis, node: first }] = group
    const whole = observation.get(source)
    const ordered = group.toSorted((a, b) => a.start - b.start)
    if (whole === undefined || !covers(ordered, whole.dims[axis])) continue
    const parts = ordered.map(partName)
    const sizes = `${parts[0]}/sizes`
    constants.set(sizes, int64Tensor(ordered.map(({ start, end }) => end - start)))
    const split = makeNode('Split', [source, sizes], parts, { axis }, sizes)
    const axes = `${parts[0]}/axes`
    constants.set(axes, int64Tensor([axis]))
    ordered.forEach(({ node, start, end }, at) => {
      known.set(parts[at], { ...whole, dims: whole.dims.with(axis, end - start) })
      const squeeze = makeNode('Squeeze', [parts[at], axes], node.outputs, {}, node.name)
      const own = node.op === 'Gather' ? [squeeze] : []
      replacements.set(node, node === first ? [split, ...own] : own)
    })
  }
  if (replacements.size === 0) return { graph, observation }
  return {
    graph: { ...graph, nodes: graph.nodes.flatMap((node) => replacements.get(node) ?? [node]), constants },
    observation: known,
  }
}

/** What the Split calls it: a Slice's output is the part itself. */
function partName({ node }: Piece): string {
  return node.op === 'Gather' ? `${node.outputs[0]}/part` : node.outputs[0]
}

/** Whether pieces are two or more, lie side by side and leave nothing out. */
function covers(ordered: readonly Piece[], size: number): boolean {
  const isNext = ({ start, end }: Piece, at: number): boolean => end > start && start === (ordered[at - 1]?.end ?? 0)
  return ordered.length > 1 && ordered.every(isNext) && ordered.at(-1)?.end === size
}

function gathered(node: Node, graph: Graph, observation: Observation): Piece | undefined {
  const [source, indices] = node.inputs
  const [whole, index] = [observation.get(source), graph.constants.get(indices)]
  if (operatorOf(node) !== 'Gather' || whole === undefined || index === undefined || index.dims.length > 0)
    return undefined
  const axis = fromFront(intAttribute(node, 'axis', 0), whole.dims.length)
  if (axis === whole.batchAxis) return undefined
  const start = fromFront(Number(index.data[0]), whole.dims[axis])
  return { node, source, axis, start, end: start + 1 }
}

function sliced(node: Node, graph: Graph, observation: Observation): Piece | undefined {
  const [source, ...bounds] = node.inputs
  const [whole, part] = [observation.get(source), observation.get(node.outputs[0])]
  if (operatorOf(node) !== 'Slice' || whole === undefined || part === undefined) return undefined
  const [starts, , axes, steps] = bounds.map((name) => graph.constants.get(name)?.data)
  const isOne = (data: ArrayLike<unknown> | undefined): boolean => data?.length === 1
  if (!isOne(starts) || !isOne(axes) || (steps && Number(steps[0]) !== 1)) return undefined
  const axis = fromFront(Number(axes?.[0]), whole.dims.length)
  if (axis === whole.batchAxis) return undefined
  const start = fromFront(Number(starts?.[0]), whole.dims[axis])
  return { node, source, axis, start, end: start + part.dims[axis] }
}
