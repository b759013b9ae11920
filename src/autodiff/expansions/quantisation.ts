import { UsageError } from '../../errors.js'
import { intAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import { expansion } from '../expansion.js'
import type { Expansion } from '../expansion.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { fromFront, straightThrough } from '../rule.js'
import { along, dequantised, quantised, real, rounded } from './wholeNumbers.js'
import type { Placed } from './wholeNumbers.js'

const QuantizeLinear = straightThrough(
  'rounding passes the gradient on; 0 outside the range of the type',
  expansion((node, b) => {
    const [x, scale, zeroPoint] = node.inputs
    return quantised(node, real(x, b), { scale, zeroPoint }, b, placedBy(node, b))
  }),
)

const DequantizeLinear = expansion((node, b) => {
  const [value, scale, zeroPoint] = node.inputs
  return dequantised({ value, scale, zeroPoint }, b, placedBy(node, b))
})

/** Between real values and whole numbers. */
export const quantisation: Readonly<Record<string, Expansion>> = {
  QuantizeLinear,
  DequantizeLinear,
  'com.microsoft.QuantizeLinear': QuantizeLinear,
  'com.microsoft.DequantizeLinear': DequantizeLinear,

  DynamicQuantizeLinear: straightThrough(
    'rounding passes the gradient on; the scale has its own, the zero point none',
    (node, b) => {
      const { value, scale, zeroPoint } = dynamicallyQuantised(node.inputs[0], b)
      return [value, scale, zeroPoint]
    },
  ),
}

/** A tensor of whole numbers from 0 to 255, the size of a step and the zero point, all float32. */
export interface Dynamic {
  readonly value: string
  readonly scale: string
  readonly zeroPoint: string
}

/**
 * A tensor as uint8 with a scale that fits it. A batch of one is quantised image by image in the surrogate, which is the
 * same there and lets the batch grow.
 */
export function dynamicallyQuantised(x: string, b: GradientBuilder): Dynamic {
  const { dims, batchAxis = dims[0] === 1 ? 0 : undefined } = b.observed(x)
  return quantisedWithin(
    x,
    dims.flatMap((_, axis) => (axis === batchAxis ? [] : [axis])),
    b,
  )
}

/** The same with one scale for what lies along these axes together. */
export function quantisedWithin(x: string, axes: readonly number[], b: GradientBuilder): Dynamic {
  const within = b.ints(axes)
  const greatest = (value: string): string =>
    b.add('Relu', [b.add('ReduceMax', [value, within], { keepdims: 1, noop_with_empty_axes: 1 })])
  const below = greatest(b.add('Neg', [x]))
  const range = b.add('Add', [greatest(x), below])
  const nonzero = b.add('Greater', [range, b.scalar(0)])
  const scale = b.add('Where', [nonzero, b.add('Div', [range, b.scalar(255)]), b.scalar(1)])
  // Whole numbers of a type carry no gradient, so the way over int32 keeps it from the zero point.
  const steps = b.add('Cast', [rounded(b.add('Div', [below, scale]), undefined, 'uint8', b)], { to: 6 })
  const zeroPoint = b.add('Cast', [steps], { to: 1 })
  const counted = b.add('Add', [b.add('Round', [b.add('Div', [x, scale])]), zeroPoint])
  return { value: b.add('Clip', [counted, b.scalar(0), b.scalar(255)]), scale, zeroPoint }
}

/** One scale for the tensor, one for each place along an axis, or one for each block along it. */
function placedBy(node: Node, b: GradientBuilder): Placed {
  const [x] = node.inputs
  const rank = b.rank(x)
  const axis = rank === 0 ? 0 : fromFront(intAttribute(node, 'axis', 1), rank)
  const block = intAttribute(node, 'block_size', 0)
  if (block === 0) return along(axis, rank)
  if (b.observed(x).batchAxis === axis)
    throw new UsageError(
      `${node.op} (node "${node.name}") with blocks along the batch has no gradient rule; quantise along another axis`,
    )
  return (parameter) => repeatedBlocks(parameter, axis, block, b.dims(x)[axis], b)
}

/** [.., n, ..] → [.., size, ..], each element `block` times side by side. */
function repeatedBlocks(parameter: string, axis: number, block: number, size: number, b: GradientBuilder): string {
  const dims = b.dims(parameter)
  const apart = b.add('Unsqueeze', [real(parameter, b), b.ints([axis + 1])])
  const wide = dims.map(() => 1)
  const copies = b.add('Expand', [apart, b.ints([...wide.slice(0, axis + 1), block, ...wide.slice(axis + 1)])])
  const merged = b.reshape(
    copies,
    dims.map((length, at) => (at === axis ? length * block : length)),
  )
  return b.add('Slice', [merged, b.ints([0]), b.ints([size]), b.ints([axis])])
}
