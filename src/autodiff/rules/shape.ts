import { UsageError } from '../../errors.js'
import { intAttribute, intsAttribute, stringAttribute } from '../../onnx/attributes.js'
import { dependents } from '../../onnx/dependence.js'
import type { Node } from '../../onnx/graph.js'
import { reads } from '../../onnx/subgraphs.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { fromFront, noted, rule } from '../rule.js'
import type { Rule } from '../rule.js'

const reshaped = rule((node, gradient, b) => [b.reshapeLike(gradient, node.inputs[0])])

/** Operators that move, copy or select elements: all linear. */
export const shape: Readonly<Record<string, Rule>> = {
  Identity: rule((_node, gradient) => [gradient]),
  Flatten: reshaped,
  Reshape: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,

  Transpose: rule((node, gradient, b) => {
    const order = intsAttribute(node, 'perm', Array.from({ length: b.rank(node.inputs[0]) }, (_, at) => at).reverse())
    return [b.add('Transpose', [gradient], { perm: order.map((_, axis) => order.indexOf(axis)) })]
  }),

  Concat: rule((node, gradient, b) => {
    const axis = fromFront(intAttribute(node, 'axis', 0), b.rank(node.outputs[0]))
    let start = 0
    return node.inputs.map((input) => {
      const from = start
      start += b.dims(input)[axis]
      return b.isActive(input) ? b.add('Slice', [gradient, b.ints([from]), b.ints([start]), b.ints([axis])]) : undefined
    })
  }),

  Expand: rule((node, gradient, b) => [b.unbroadcast(gradient, node.outputs[0], node.inputs[0])]),

  Where: rule((node, gradient, b) => {
    const [condition, chosen, other] = node.inputs
    const [y] = node.outputs
    const zero = b.number(0, y)
    const select = (inputs: readonly string[], input: string): string | undefined =>
      b.isActive(input) ? b.unbroadcast(b.add('Where', inputs), y, input) : undefined
    return [undefined, select([condition, gradient, zero], chosen), select([condition, zero, gradient], other)]
  }),

  /** Between floating types; a cast to integers ends the path (it has no gradient), unless they become floats: truncation.ts. */
  Cast: noted(
    'straight-through from floats to whole numbers that become floats again, which cuts off fractions',
    rule((node, gradient, b) => [b.add('CastLike', [gradient, node.inputs[0]])]),
  ),

  Slice: rule((node, gradient, b) => {
    const [x] = node.inputs
    const slices = slicesOf(node, b)
    const plain = slices.filter(({ step }) => step === 1)
    const before = Array.from({ length: b.rank(x) }, () => 0)
    const after = [...before]
    const stepped = slices.filter(({ step }) => step !== 1)
    // Steps first: they are scattered one axis at a time into tensors that still lack the plain ends.
    if (stepped.length > 0) return [scatterSlices(gradient, slices, x, b)]
    for (const { axis, start, count } of plain) {
      before[axis] = start
      after[axis] = b.dims(x)[axis] - start - count
    }
    return [b.add('Pad', [gradient, b.ints([...before, ...after])])]
  }),

  Gather: rule((node, gradient, b) => {
    const [x, indices] = node.inputs
    const axis = fromFront(intAttribute(node, 'axis', 0), b.rank(x))
    const size = b.dims(x)[axis]
    const places = b.integersOf(indices)?.map((index) => fromFront(index, size))
    if (places === undefined) return [scatterAtRun(node, gradient, axis, b)]
    const rank = b.dims(indices).length
    const one = rank === 0 ? b.add('Unsqueeze', [gradient, b.ints([axis])]) : mergeIndexAxes(gradient, rank, axis, x, b)
    if (places.length === 1) {
      const before = Array.from({ length: b.rank(x) }, (_, at) => (at === axis ? places[0] : 0))
      const after = before.map((_, at) => (at === axis ? size - 1 - places[0] : 0))
      return [b.add('Pad', [one, b.ints([...before, ...after])])]
    }
    return [b.scatterAlong(one, axis, places, x)]
  }),

  /** Constant: the frame is cut off again (negative pads). The other modes copy pixels: their gradients are summed back. */
  Pad: rule((node, gradient, b) => {
    const [x, pads, , axes] = node.inputs
    const rank = b.rank(x)
    const given = b.integersOf(pads)
    if (given === undefined)
      throw new UsageError(
        `Pad (node "${node.name}") has pads that are computed from the image: there is no gradient rule for that`,
      )
    const along = (b.integersOf(axes) ?? Array.from({ length: rank }, (_, at) => at)).map((axis) =>
      fromFront(axis, rank),
    )
    const before = along.map((_, at) => given[at])
    const after = along.map((_, at) => given[at + along.length])
    const mode = stringAttribute(node, 'mode', 'constant')
    if (mode === 'constant') {
      const full = (side: readonly number[]): readonly number[] =>
        Array.from({ length: rank }, (_, axis) => (along.includes(axis) ? -side[along.indexOf(axis)] : 0))
      return [b.add('Pad', [gradient, b.ints([...full(before), ...full(after)])])]
    }
    return [
      along.reduce((inner, axis, at) => {
        if (before[at] === 0 && after[at] === 0) return inner
        return b.scatterAlong(inner, axis, copiedFrom(mode, before[at], after[at], b.dims(x)[axis]), x)
      }, gradient),
    ]
  }),
}

interface AxisSlice {
  readonly axis: number
  readonly start: number
  readonly step: number
  readonly count: number
}

/** What is taken of which axes, as it was seen for one image: of the others, the images among them, all is. */
function slicesOf(node: Node, b: GradientBuilder): readonly AxisSlice[] {
  const [x, starts, ends, axes, steps] = node.inputs
  const [dims, taken] = [b.dims(x), b.dims(node.outputs[0])]
  const begin = b.integersOf(starts)
  if (begin === undefined || (b.integersOf(ends) === undefined && !followsFromShapes(ends, node, b)))
    throw new UsageError(
      `Slice (node "${node.name}") has bounds that are computed from the image: there is no gradient rule for that`,
    )
  const along = (b.integersOf(axes) ?? begin.map((_, at) => at)).map((axis) => fromFront(axis, dims.length))
  const stride = b.integersOf(steps) ?? begin.map(() => 1)
  const slices = along.map((axis, at) => {
    const size = dims[axis]
    const step = stride[at]
    const from = begin[at] < 0 ? begin[at] + size : begin[at]
    return { axis, start: Math.min(Math.max(from, 0), step > 0 ? size : size - 1), step, count: taken[axis] }
  })
  return slices.filter(({ axis, step, count }) => step !== 1 || count !== dims[axis])
}

/** Whether ends hold nothing of the images but their number, all of whose rows are left: there is one gradient for each. */
function followsFromShapes(ends: string, node: Node, b: GradientBuilder): boolean {
  const [from, to] = [b.observed(node.inputs[0]), b.observed(node.outputs[0])]
  const made = new Set(b.nodes.flatMap(({ outputs }) => outputs))
  const given = b.nodes.flatMap(reads).filter((name) => !made.has(name) && !b.constants.has(name))
  const keepsImages =
    from.batchAxis === to.batchAxis &&
    (from.batchAxis === undefined || from.dims[from.batchAxis] === to.dims[from.batchAxis])
  return keepsImages && !dependents(b.nodes, given).has(ends)
}

/** Slices with steps: each axis in turn gets its rows put back where they were taken. */
function scatterSlices(gradient: string, slices: readonly AxisSlice[], x: string, b: GradientBuilder): string {
  return slices.reduce((inner, { axis, start, step, count }) => {
    const places = Array.from({ length: count }, (_, at) => start + at * step)
    return b.scatterAlong(inner, axis, places, x)
  }, gradient)
}

/** Several index axes become one: [.., i, j, ..] → [.., i·j, ..]. */
function mergeIndexAxes(gradient: string, rank: number, axis: number, x: string, b: GradientBuilder): string {
  if (rank === 1) return gradient
  const { dims, batchAxis } = b.observed(x)
  const count = -1
  if (batchAxis === undefined || batchAxis === axis)
    return b.reshape(
      gradient,
      dims.map((size, at) => (at === axis ? count : size)),
    )
  const front = b.add('Shape', [gradient], { start: 0, end: axis })
  const back = b.add('Shape', [gradient], { start: axis + rank })
  return b.add('Reshape', [gradient, b.add('Concat', [front, b.ints([count]), back], { axis: 0 })])
}

/** Indices that are computed: along the first axis of a transposed view. */
function scatterAtRun(node: Node, gradient: string, axis: number, b: GradientBuilder): string {
  const [x, indices] = node.inputs
  const rank = b.rank(x)
  const indexRank = b.rank(indices)
  const outRank = rank - 1 + indexRank
  const range = (length: number, from = 0): readonly number[] => Array.from({ length }, (_, at) => at + from)
  const forward = [...range(indexRank, axis), ...range(outRank).filter((at) => at < axis || at >= axis + indexRank)]
  const rows = b.add('Transpose', [gradient], { perm: forward })
  const moved = [axis, ...range(rank).filter((at) => at !== axis)]
  const shapeOfMoved = b.add('Gather', [b.add('Shape', [x]), b.ints(moved)])
  const zeros = b.add('Expand', [b.number(0, x), shapeOfMoved])
  const scattered = b.add('ScatterND', [zeros, b.add('Unsqueeze', [indices, b.ints([-1])]), rows], { reduction: 'add' })
  return b.add('Transpose', [scattered], { perm: moved.map((_, at) => moved.indexOf(at)) })
}

/** For each place of the padded axis the pixel it copies. */
function copiedFrom(mode: string, before: number, after: number, size: number): readonly number[] {
  const place: Readonly<Record<string, (at: number) => number>> = {
    edge: (at) => Math.min(Math.max(at, 0), size - 1),
    wrap: (at) => ((at % size) + size) % size,
    reflect: (at) => {
      const period = Math.max(2 * (size - 1), 1)
      const folded = ((at % period) + period) % period
      return folded < size ? folded : period - folded
    },
  }
  const from = place[mode]
  if (from === undefined) throw new UsageError(`Pad with mode "${mode}" has no gradient rule`)
  return Array.from({ length: before + size + after }, (_, at) => from(at - before))
}
