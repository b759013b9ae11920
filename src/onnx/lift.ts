import { intAttribute, intsAttribute } from './attributes.js'
import { RESHAPES, placeAfter } from './batchPlace.js'
import type { Place } from './batchPlace.js'
import { GraphBuilder } from './builder.js'
import { dependents } from './dependence.js'
import { dependentValues } from './fold.js'
import type { Graph, Node, Tensor, ValueInfo } from './graph.js'
import { liftCoordinates, namesImages } from './liftCoordinates.js'
import { bodies } from './subgraphs.js'

/** The same graph with a symbolic batch in front, whatever the export declared. Nothing else is changed. */
export function freeBatch(graph: Graph): Graph {
  const free = (value: ValueInfo): ValueInfo => ({ ...value, dims: value.dims && ['batch', ...value.dims.slice(1)] })
  return { ...graph, inputs: graph.inputs.map(free), outputs: graph.outputs.map(({ name, type }) => ({ name, type })) }
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
  const images = graph.inputs.map(({ name }) => name)
  // What is drawn without the images is one draw for all of them, and stays as it is.
  const ofImages = dependents(graph.nodes, images, undefined, () => false)
  const lifted = new GraphBuilder({ ...graph, nodes: [] }, 'lifted')
  const places = new Map<string, Place>(graph.inputs.map((input) => [input.name, { axis: 0, before: 1 }]))
  const dimsOf = (name: string): readonly number[] => values.get(name)?.dims ?? []

  for (const node of graph.nodes) {
    if (bodies(node.attributes.values()).length > 0) return undefined
    const image = node.inputs.find((name) => dependent.has(name) && places.has(name))
    if (image === undefined) {
      lifted.nodes.push(node)
      if (node.inputs.some((name) => ofImages.has(name))) return undefined
      continue
    }
    if (namesImages(node, { dependent, places, values })) {
      if (!liftCoordinates(node, { dependent, places, values }, lifted)) return undefined
      places.set(node.outputs[0], { axis: 0, before: 1 })
      continue
    }
    if (isTheWholeBatch(node, places.get(image)?.axis, values)) {
      lifted.addNamed(node.outputs[0], 'Identity', [image])
      places.set(node.outputs[0], places.get(image) ?? { axis: 0, before: 1 })
      continue
    }
    for (const output of node.outputs) {
      const place = output === '' ? undefined : placeAfter(node, output, places, values)
      if (output !== '' && place === undefined) return undefined
      if (place !== undefined) places.set(output, place)
    }
    const axis = places.get(node.outputs[0])?.axis ?? 0
    if (RESHAPES.has(node.op)) {
      const target = dimsOf(node.outputs[0]).map((size, at) => (at === axis ? -1 : size))
      lifted.addNamed(node.outputs[0], 'Reshape', [image, lifted.ints(target)])
    } else if (Object.hasOwn(ROWS_OF_IMAGES, node.op)) {
      const own = places.get(image)?.axis ?? 0
      const inputs = node.inputs.map((name, at) => {
        const along = ROWS_OF_IMAGES[node.op](at, own)
        if (name === '' || dependent.has(name) || along === undefined) return name
        const [rows, imageRows] = [dimsOf(name)[along], dimsOf(image)[own]]
        if (rows === 1) return repeated(lifted, name, dimsOf(name), along, image, own)
        return rows === imageRows ? tiled(lifted, name, dimsOf(name), along, image, own) : name
      })
      lifted.nodes.push({ ...node, inputs })
    } else if (node.op === 'Expand') lifted.nodes.push(expandedWithImages(lifted, node, image, axis, values))
    else lifted.nodes.push(withFreeShape(lifted, node, image, places.get(image)?.axis ?? 0, values))
  }
  return lifted.build(graph, { outputs: graph.outputs })
}

/** A Gather of the 0th of one image: of every image, when there are more. */
function isTheWholeBatch(node: Node, batchAxis: number | undefined, values: ReadonlyMap<string, Tensor>): boolean {
  if (node.op !== 'Gather') return false
  const [data, indices] = node.inputs.map((name) => values.get(name))
  const axis = intAttribute(node, 'axis', 0)
  const place = axis < 0 ? axis + (data?.dims.length ?? 0) : axis
  return (
    place === batchAxis &&
    indices?.dims.join() === '1' &&
    (Number(indices.data[0]) === 0 || Number(indices.data[0]) === -1)
  )
}

const recurrent = (input: number): number | undefined => ({ 4: 0, 5: 1, 6: 1 })[input]

/**
 * Operators that do not broadcast: for each input the axis on which a constant has one row per image, given the axis on
 * which the images are. A class token beside the patches, the first state of an LSTM, how long each sequence is.
 */
const ROWS_OF_IMAGES: Readonly<Record<string, (input: number, own: number) => number | undefined>> = {
  Concat: (_input, own) => own,
  GRU: recurrent,
  GatherElements: (_input, own) => own,
  GatherND: (_input, own) => own,
  LSTM: recurrent,
  RNN: recurrent,
  ReverseSequence: (input) => (input === 1 ? 0 : undefined),
  ScatterElements: (_input, own) => own,
}

/** A constant of one row on `axis`, repeated for as many images as `like` has on its batch axis. */
function repeated(
  b: GraphBuilder,
  name: string,
  dims: readonly number[],
  axis: number,
  like: string,
  batchAxis: number,
): string {
  return b.add('Expand', [name, shapeWithBatch(b, dims, axis, like, batchAxis)])
}

/** A constant that has on `axis` as many rows as one image on its batch axis: again for every image in `like`. */
function tiled(
  b: GraphBuilder,
  name: string,
  dims: readonly number[],
  axis: number,
  like: string,
  batchAxis: number,
): string {
  const rows = b.add('Shape', [like], { start: batchAxis, end: batchAxis + 1 })
  const repeats = dims.map((size, at) => (at === axis ? b.add('Div', [rows, b.ints([size])]) : b.ints([1])))
  return b.add('Tile', [name, b.add('Concat', repeats, { axis: 0 })])
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

/** An Expand that leaves the rows of the images, on `axis` of its output, as many as they are. */
function expandedWithImages(
  b: GraphBuilder,
  node: Node,
  image: string,
  axis: number,
  values: ReadonlyMap<string, Tensor>,
): Node {
  const shape = Array.from(values.get(node.inputs[1])?.data ?? [], Number)
  const [from, to] = [values.get(image)?.dims ?? [], values.get(node.outputs[0])?.dims ?? []]
  const place = axis - (to.length - shape.length)
  if (image !== node.inputs[0] || place < 0 || from[axis - (to.length - from.length)] !== to[axis]) return node
  return { ...node, inputs: [image, b.ints(shape.with(place, 1))] }
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
