import { intAttribute, intsAttribute } from './attributes.js'
import { GraphBuilder } from './builder.js'
import { equationOf } from './einsum.js'
import { dependentValues } from './fold.js'
import type { Graph, Node, Tensor, ValueInfo } from './graph.js'

/** The same graph with a symbolic batch in front, whatever the export declared. Nothing else is changed. */
export function freeBatch(graph: Graph): Graph {
  const free = (value: ValueInfo): ValueInfo => ({ ...value, dims: value.dims && ['batch', ...value.dims.slice(1)] })
  return { ...graph, inputs: graph.inputs.map(free), outputs: graph.outputs.map(({ name, type }) => ({ name, type })) }
}

/** Operators that move no element: the batch survives them as a part of some axis. */
const RESHAPES = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'])

/** Where the batch stands: on `axis`, and on it behind `before` rows of each image (17 where [17, N] became [17·N]). */
interface Place {
  readonly axis: number
  readonly before: number
}

/**
 * Rewrites an export with a batch of 1 baked in so that any batch runs through it: every reshape gets −1 where the batch
 * is, and constants that are concatenated with images are repeated.
 *
 * The caller must still compare a batch with single images: this follows where the batch goes, it proves nothing.
 *
 * @param graph folded; its input's first axis is the batch.
 * @param values every intermediate of a run on one image.
 * @returns undefined when the batch cannot be followed through some operator.
 */
export function liftBatch(graph: Graph, values: ReadonlyMap<string, Tensor>): Graph | undefined {
  const dependent = dependentValues(graph)
  const lifted = new GraphBuilder({ ...graph, nodes: [] }, 'lifted')
  const places = new Map<string, Place>(graph.inputs.map((input) => [input.name, { axis: 0, before: 1 }]))
  const dimsOf = (name: string): readonly number[] => values.get(name)?.dims ?? []

  for (const node of graph.nodes) {
    const image = node.inputs.find((name) => dependent.has(name) && places.has(name))
    if (image === undefined) {
      lifted.nodes.push(node)
      if (node.inputs.some((name) => dependent.has(name))) return undefined
      continue
    }
    for (const output of node.outputs) {
      const place = output === '' ? undefined : placeAfter(node, output, places, dimsOf)
      if (output !== '' && place === undefined) return undefined
      if (place !== undefined) places.set(output, place)
    }
    const axis = places.get(node.outputs[0])?.axis ?? 0
    if (RESHAPES.has(node.op)) {
      const target = dimsOf(node.outputs[0]).map((size, at) => (at === axis ? -1 : size))
      lifted.addNamed(node.outputs[0], 'Reshape', [image, lifted.ints(target)])
    } else if (node.op === 'Concat') {
      const inputs = node.inputs.map((name) =>
        dependent.has(name) ? name : repeated(lifted, name, dimsOf(name), image, places.get(image)?.axis ?? 0),
      )
      lifted.nodes.push({ ...node, inputs })
    } else lifted.nodes.push(withFreeShape(lifted, node, image, places.get(image)?.axis ?? 0, values))
  }
  return lifted.build(graph, { outputs: graph.outputs })
}

/** A constant of one row on the batch axis, repeated for as many rows as `like` has there. */
function repeated(b: GraphBuilder, name: string, dims: readonly number[], like: string, axis: number): string {
  return b.add('Expand', [name, shapeWithBatch(b, dims, axis, like, axis)])
}

/** `dims` with what `like` has on its batch axis in place of the entry at `place`. */
function shapeWithBatch(
  b: GraphBuilder,
  dims: readonly number[],
  place: number,
  like: string,
  batchAxis: number,
): string {
  const rows = b.add('Shape', [like], { start: batchAxis, end: batchAxis + 1 })
  const part = (values: readonly number[]): readonly string[] => (values.length === 0 ? [] : [b.ints(values)])
  return b.add('Concat', [...part(dims.slice(0, place)), rows, ...part(dims.slice(place + 1))], { axis: 0 })
}

/** Operators that take the shape of their output, and at which input. */
const SHAPE_INPUTS: Readonly<Record<string, number>> = { AffineGrid: 1, CenterCropPad: 1, MaxUnpool: 2, Resize: 3 }

/** The same node with the batch taken out of the shape it is given. */
function withFreeShape(
  b: GraphBuilder,
  node: Node,
  image: string,
  batchAxis: number,
  values: ReadonlyMap<string, Tensor>,
): Node {
  const at = Object.hasOwn(SHAPE_INPUTS, node.op) ? SHAPE_INPUTS[node.op] : undefined
  const shape = at === undefined || !node.inputs[at] ? undefined : values.get(node.inputs[at])
  const rank = values.get(image)?.dims.length ?? 0
  const place =
    intsAttribute(node, 'axes')?.findIndex((axis) => (axis < 0 ? axis + rank : axis) === batchAxis) ?? batchAxis
  if (shape === undefined || place < 0) return node
  const free = shapeWithBatch(b, Array.from(shape.data, Number), place, image, batchAxis)
  return { ...node, inputs: node.inputs.map((input, index) => (index === at ? free : input)) }
}

/** Where the batch stands in `output`. */
function placeAfter(
  node: Node,
  output: string,
  places: ReadonlyMap<string, Place>,
  dimsOf: (name: string) => readonly number[],
): Place | undefined {
  const after = dimsOf(output)
  const candidates = node.inputs.flatMap((name, at) => {
    const place = places.get(name)
    if (place === undefined) return []
    if (node.op === 'Einsum') return [placeAfterEinsum(node, at, place, dimsOf)]
    if (RESHAPES.has(node.op)) return [placeAfterReshape(place, dimsOf(name), after)]
    const axis = axisAfter(node, place.axis, dimsOf(name), after)
    return [axis === undefined ? undefined : { ...place, axis }]
  })
  const [first] = candidates
  const agree = candidates.every((place) => place?.axis === first?.axis && place?.before === first?.before)
  return agree ? first : undefined
}

/** Where the batch's label stands in the output. */
function placeAfterEinsum(
  node: Node,
  operand: number,
  place: Place,
  dimsOf: (name: string) => readonly number[],
): Place | undefined {
  const ranks = node.inputs.map((name) => dimsOf(name).length)
  const { operands, output } = equationOf(node, ranks)
  const axis = output.indexOf(operands[operand][place.axis])
  return axis < 0 ? undefined : { ...place, axis }
}

function axisAfter(node: Node, axis: number, before: readonly number[], after: readonly number[]): number | undefined {
  const normal = (of: number): number => (of < 0 ? of + before.length : of)
  if (node.op === 'Transpose') {
    const order = intsAttribute(
      node,
      'perm',
      before.map((_, at) => before.length - 1 - at),
    )
    return order.indexOf(axis)
  }
  if (node.op === 'Gather') {
    const along = normal(intAttribute(node, 'axis', 0))
    if (along === axis) return undefined
    return axis + (along < axis ? after.length - before.length : 0)
  }
  if (node.op === 'Gemm' || node.op === 'AffineGrid') return 0
  if (after.length >= before.length) return axis + after.length - before.length // broadcasting aligns to the right
  if (node.op === 'MatMul') return axis // a vector on the right
  return reducedAxis(axis, before, after)
}

/** Reductions without keepdims: the batch moves left by the axes that vanished before it. */
function reducedAxis(axis: number, before: readonly number[], after: readonly number[]): number | undefined {
  for (let at = Math.min(axis, after.length - 1); at >= 0; at--)
    if (axis - at <= before.length - after.length && after[at] === before[axis]) return axis === 0 ? 0 : at
  return undefined
}

/**
 * Row-major order is kept, so the batch is where the same number of elements stands in front of it. Between two axes that
 * may be the end of the one or the start of the other: [17, N, 2, 8] → [17·N, 16] as attention is written, not [17, N·16],
 * since the last axis holds the features that a matrix multiplies.
 */
function placeAfterReshape(place: Place, before: readonly number[], after: readonly number[]): Place | undefined {
  const product = (dims: readonly number[]): number => dims.reduce((total, size) => total * size, 1)
  const inFront = product(before.slice(0, place.axis)) * place.before
  const start = after.findIndex((_, at) => product(after.slice(0, at)) === inFront)
  if (start >= 0 && after[start] === 1) return { axis: start, before: 1 }
  const upTo = (dims: readonly number[]): string => dims.slice(0, place.axis + 1).join()
  if (place.before > 1 && upTo(before) === upTo(after)) return place
  if (start === 0 || (start > 0 && start < after.length - 1)) return { axis: start, before: 1 }
  const axis = after.findIndex((_, at) => product(after.slice(0, at + 1)) % inFront === 0)
  const ahead = product(after.slice(0, axis))
  return axis >= 0 && inFront % ahead === 0 ? { axis, before: inFront / ahead } : undefined
}
