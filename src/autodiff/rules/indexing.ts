import { UsageError } from '../../errors.js'
import { intAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { fromFront, noted, rule, subgradient } from '../rule.js'
import type { Rule } from '../rule.js'
import { zerosLike } from './scatter.js'

/** Operators that cut, repeat, reorder or pick elements. */
export const indexing: Readonly<Record<string, Rule>> = {
  Split: (node, gradients, b) => {
    const parts = node.outputs.map((_, place) => gradients[place] ?? zerosLike(node.outputs[place], b))
    return [b.add('Concat', parts, { axis: intAttribute(node, 'axis', 0) })]
  },

  /** Each copy stands on an axis of its own, over which the gradient is summed. */
  Tile: rule((node, gradient, b) => {
    const [x] = node.inputs
    const repeats = b.integersOf(node.inputs[1])
    if (repeats === undefined) throw computed(node, 'repeats')
    if (repeats.every((count) => count === 1)) return [gradient]
    const shape = b
      .shapeFor(b.observed(x))
      .flatMap((size, axis) => (repeats[axis] === 1 ? [size] : [repeats[axis], size]))
    const copies: number[] = []
    for (const [axis, count] of repeats.entries()) if (count !== 1) copies.push(axis + copies.length)
    return [b.sum(b.reshape(gradient, shape), copies, false)]
  }),

  TopK: subgradient('of equal elements those that onnxruntime took, with the lower index', (node, [gradient], b) => {
    if (gradient === undefined) return []
    const [x] = node.inputs
    const axis = intAttribute(node, 'axis', -1)
    return [b.add('ScatterElements', [zerosLike(x, b), b.extraOutput(node, 1), gradient], { axis })]
  }),

  Compress: noted(
    'of a fixed condition',
    rule((node, gradient, b) => {
      const [x, condition] = node.inputs
      const axis = intAttribute(node, 'axis')
      const kept = b.integersOf(condition)?.flatMap((keep, place) => (keep === 0 ? [] : [place]))
      if (kept === undefined) throw computed(node, 'a condition')
      if (axis !== undefined) return [b.scatterAlong(gradient, fromFront(axis, b.rank(x)), kept, x)]
      return [scatterFlat(gradient, b.ints(kept), x, b)]
    }),
  ),

  GatherElements: rule((node, gradient, b) => {
    const [x, indices] = node.inputs
    const axis = intAttribute(node, 'axis', 0)
    return [b.add('ScatterElements', [zerosLike(x, b), indices, gradient], { axis, reduction: 'add' })]
  }),

  GatherND: rule((node, gradient, b) => {
    const [x, indices] = node.inputs
    const places = fullIndices(indices, intAttribute(node, 'batch_dims', 0), b)
    return [b.add('ScatterND', [zerosLike(x, b), places, gradient], { reduction: 'add' })]
  }),

  /** A permutation that is its own inverse. */
  ReverseSequence: rule((node, gradient, b) => {
    const axes = { batch_axis: intAttribute(node, 'batch_axis', 1), time_axis: intAttribute(node, 'time_axis', 0) }
    return [b.add('ReverseSequence', [gradient, node.inputs[1]], axes)]
  }),

  /** Nothing flows to the indices, whatever their type. Of the two values each has the gradients of where it stands. */
  OneHot: rule((node, gradient, b) => {
    const [indices, depth, values] = node.inputs
    if (!b.isActive(values)) return []
    const axis = intAttribute(node, 'axis', -1)
    const isOn = b.add('OneHot', [indices, depth, b.tensor([0, 1], [2], values)], { axis })
    const total = (share: string): string => b.add('ReduceSum', [share], { keepdims: 0 })
    const on = b.mul(gradient, isOn)
    const both = [b.add('Sub', [gradient, on]), on].map((share) => b.reshape(total(share), [1]))
    return [undefined, undefined, b.add('Concat', both, { axis: 0 })]
  }),

  Unique: subgradient('of equal elements the first takes all', (node, [gradient], b) => {
    if (gradient === undefined) return []
    const [x] = node.inputs
    const axis = intAttribute(node, 'axis')
    const places = b.extraOutput(node, 1)
    if (axis === undefined) return [scatterFlat(gradient, places, x, b)]
    // The axis in front, and back again: a transposition of two axes is its own inverse.
    const along = fromFront(axis, b.rank(x))
    const perm = Array.from({ length: b.rank(x) }, (_, at) => (at === 0 ? along : at === along ? 0 : at))
    const turned = (value: string): string => (along === 0 ? value : b.add('Transpose', [value], { perm }))
    const rows = [zerosLike(turned(x), b, x), b.add('Unsqueeze', [places, b.ints([-1])]), turned(gradient)]
    return [turned(b.add('ScatterND', rows))]
  }),
}

function computed(node: Node, what: string): UsageError {
  return new UsageError(
    `${node.op} (node "${node.name || node.outputs[0]}") has ${what} computed from the image: there is no gradient rule for that; export the model with constant ones`,
  )
}

/** Zeros in the shape of `x` but for `gradient` at places of the flattened tensor. */
function scatterFlat(gradient: string, places: string, x: string, b: GradientBuilder): string {
  const zeros = b.reshape(zerosLike(x, b), [-1])
  return b.reshapeLike(b.add('ScatterElements', [zeros, places, gradient]), x)
}

/** GatherND's indices behind the coordinates of the batch dimensions that they leave out. */
function fullIndices(indices: string, batchDims: number, b: GradientBuilder): string {
  if (batchDims === 0) return indices
  const int = (value: number): string => b.constant('int64', [], BigInt64Array.of(BigInt(value)))
  const rank = b.rank(indices)
  const shape = b.add('Shape', [indices])
  const column = b.add('Concat', [b.add('Shape', [indices], { end: -1 }), b.ints([1])], { axis: 0 })
  const coordinates = Array.from({ length: batchDims }, (_, axis) => {
    const range = b.add('Range', [int(0), b.add('Gather', [shape, int(axis)]), int(1)])
    const along = b.reshape(
      range,
      Array.from({ length: rank }, (__, at) => (at === axis ? -1 : 1)),
    )
    return b.add('Expand', [along, column])
  })
  return b.add('Concat', [...coordinates, indices], { axis: -1 })
}
