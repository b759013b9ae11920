import { intAttribute, intsAttribute, stringAttribute } from '../../onnx/attributes.js'
import { fromFront, rule } from '../rule.js'
import type { Rule } from '../rule.js'

/** Operators that arrange pixels in blocks, cut them out or put them together again: all linear. */
export const blocks: Readonly<Record<string, Rule>> = {
  DepthToSpace: rule((node, gradient, b) => {
    const blocksize = intAttribute(node, 'blocksize', 1)
    if (stringAttribute(node, 'mode', 'DCR') === 'DCR') return [b.add('SpaceToDepth', [gradient], { blocksize })]
    const [, channels, height, width] = b.dims(node.inputs[0])
    const own = channels / blocksize ** 2
    const apart = b.reshape(gradient, [-1, own, height, blocksize, width, blocksize])
    const turned = b.add('Transpose', [apart], { perm: [0, 1, 3, 5, 2, 4] })
    return [b.reshape(turned, [-1, channels, height, width])]
  }),

  SpaceToDepth: rule((node, gradient, b) => [
    b.add('DepthToSpace', [gradient], { blocksize: intAttribute(node, 'blocksize', 1), mode: 'DCR' }),
  ]),

  /** What was cut off gets zeros and what was padded is cut off: the same operator with the input's sizes. */
  CenterCropPad: rule((node, gradient, b) => {
    const { dims, batchAxis } = b.observed(node.inputs[0])
    const all = intsAttribute(node, 'axes', [...dims.keys()]).map((axis) => fromFront(axis, dims.length))
    const axes = all.filter((axis) => axis !== batchAxis)
    return [b.add('CenterCropPad', [gradient, b.ints(axes.map((axis) => dims[axis]))], { axes })]
  }),

  /** Overlapping blocks were summed, so each gets the gradient it lay on: a Conv that copies, one filter per tap. */
  Col2Im: rule((node, gradient, b) => {
    const [x, , blockShape] = node.inputs
    const block = b.integersOf(blockShape) ?? []
    const taps = block.reduce((total, size) => total * size, 1)
    const channels = b.dims(x)[1] / taps
    const ones = block.map(() => 1)
    const copies = new Float64Array(channels * taps * taps)
    for (let filter = 0; filter < channels * taps; filter++) copies[filter * taps + (filter % taps)] = 1
    const columns = b.add('Conv', [gradient, b.tensor(copies, [channels * taps, 1, ...block], x)], {
      group: channels,
      kernel_shape: block,
      strides: intsAttribute(node, 'strides', ones),
      dilations: intsAttribute(node, 'dilations', ones),
      pads: intsAttribute(node, 'pads', [...ones, ...ones].fill(0)),
    })
    return [b.reshapeLike(columns, x)]
  }),
}
