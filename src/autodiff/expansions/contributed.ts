import { intAttribute, stringAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import { dataType } from '../../onnx/tensor.js'
import { expansion } from '../expansion.js'
import type { Expansion } from '../expansion.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { noRule } from '../noRule.js'
import { fromFront, subgradient } from '../rule.js'
import { channelsFirst } from './channelsFirst.js'
import { real, withAttributesOf } from './wholeNumbers.js'

/** The standard's names for what com.microsoft.GridSample does between pixels. */
const MODES: Readonly<Record<string, string>> = { bilinear: 'linear', nearest: 'nearest', bicubic: 'cubic' }

/**
 * Operators that onnxruntime had before the standard, or has beside it, and that exporters write for it: PyTorch's
 * `register_custom_op` for Trilu, Inverse and GridSample, its own tools the others.
 */
export const contributed: Readonly<Record<string, Expansion>> = {
  'com.microsoft.Trilu': expansion((node, b) => withAttributesOf(node, 'Trilu', node.inputs, b)),

  'com.microsoft.GridSample': subgradient(
    'as GridSample',
    expansion((node, b) => {
      const [x, grid] = node.inputs
      const mode = MODES[stringAttribute(node, 'mode', 'bilinear')]
      return b.add('GridSample', [x, grid], {
        mode,
        padding_mode: stringAttribute(node, 'padding_mode', 'zeros'),
        align_corners: intAttribute(node, 'align_corners', 0),
      })
    }),
  ),

  'com.microsoft.Pad': expansion((node, b) => {
    const [x, pads, value = ''] = node.inputs
    return withAttributesOf(node, 'Pad', [x, b.ints(constants(node, pads, b)), value], b)
  }),

  'com.microsoft.GatherND': expansion((node, b) => {
    const [x, indices] = node.inputs
    return b.add('GatherND', [x, b.add('Cast', [indices], { to: dataType('int64') })])
  }),

  'com.microsoft.ExpandDims': expansion((node, b) => {
    const [x, axis] = node.inputs
    return b.add('Unsqueeze', [x, b.ints(constants(node, axis, b))])
  }),

  /** Windows along an axis; what is in one becomes the last axis. */
  'com.microsoft.UnfoldTensor': expansion((node, b) => {
    const [x] = node.inputs
    const rank = b.rank(x)
    const axis = fromFront(intAttribute(node, 'dim', -1), rank)
    if (b.observed(x).batchAxis === axis) throw noRule(node, 'windows over the images of a batch')
    const [size, step] = [intAttribute(node, 'size', 1), intAttribute(node, 'step', 1)]
    const count = Math.floor((b.dims(x)[axis] - size) / step) + 1
    const places = Array.from({ length: count * size }, (_, at) => Math.floor(at / size) * step + (at % size))
    const windows = b.add('Gather', [x, b.constant('int64', [count, size], BigInt64Array.from(places, BigInt))], {
      axis,
    })
    const others = Array.from({ length: rank + 1 }, (_, at) => at).filter((at) => at !== axis + 1)
    return b.add('Transpose', [windows], { perm: [...others, axis + 1] })
  }),

  'com.microsoft.NhwcMaxPool': subgradient(
    'as MaxPool',
    expansion((node, b) => {
      const [x] = node.inputs
      return channelsFirst(real(x, b), b.rank(x), b, (first) => withAttributesOf(node, 'MaxPool', [first], b))
    }),
  ),
}

function constants(node: Node, input: string, b: GradientBuilder): readonly number[] {
  const values = b.integersOf(input)
  if (values === undefined) throw noRule(node, `a computed "${input}"`)
  return values
}
