import { spread, poolWindow } from '../../.build/autodiff/rules/windows.js'
import { rule } from '../../.build/autodiff/rule.js'
import { makeNode } from '../../.build/onnx/attributes.js'
import { compareRules } from './rules.mjs'

const RESIZE = { mode: 'nearest', nearest_mode: 'floor', coordinate_transformation_mode: 'asymmetric' }

/** The places of the maxima come for nothing with the forward pass; here each way pays for what it reads of it. */
function maxPool(channels, h, k, pad) {
  const large = [32, channels, h, h]
  const count = large.reduce((product, size) => product * size, 1)
  const attributes = { kernel_shape: [k, k], strides: [2, 2], pads: [pad, pad, 0, 0] }
  const scattered = (write) =>
    rule((node, gradient, b) => {
      const [places, gradients] = [b.extraOutput(node, 1), gradient].map((name) => b.reshape(name, [-1]))
      const zeros = b.add('Expand', [b.number(0, node.inputs[0]), b.ints([count])])
      return [b.reshape(write(zeros, places, gradients, b), large)]
    })
  const others = {
    ScatterElements: scattered((zeros, places, gradients, b) =>
      b.add('ScatterElements', [zeros, places, gradients], { reduction: 'add' }),
    ),
    ScatterND: scattered((zeros, places, gradients, b) =>
      b.add('ScatterND', [zeros, b.add('Unsqueeze', [places, b.ints([1])]), gradients], { reduction: 'add' }),
    ),
  }
  const half = h / 2
  const equal = rule((node, gradient, b) => {
    const apart = (name) =>
      b.add('Expand', [b.reshape(name, [32, channels, half, 1, half, 1]), b.ints([32, channels, half, 2, half, 2])])
    const isMaximum = b.add('Equal', [
      b.reshape(node.inputs[0], [32, channels, half, 2, half, 2]),
      apart(node.outputs[0]),
    ])
    return [b.reshape(b.where(isMaximum, apart(gradient), node.inputs[0]), large)]
  })
  return compareRules(
    `MaxPool ${k}×${k}/2, ${channels}, ${h}×${h}`,
    { dims: large, nodes: [makeNode('MaxPool', ['x'], ['z'], attributes, 'tested')] },
    k === 2 ? { ...others, 'pixels equal to their maximum': equal } : others,
  )
}

/** What is averaged, spread over its windows again. */
const average = (title, dims, attributes, others) =>
  compareRules(
    title,
    { dims, nodes: [makeNode('AveragePool', ['x'], ['z'], { ...attributes, count_include_pad: 1 }, 'tested')] },
    others,
  )

const shares = (window, channels, b) => {
  const area = window.kernel.reduce((product, size) => product * size, 1)
  return b.constant('float32', [channels, 1, ...window.kernel], new Float32Array(channels * area).fill(1 / area))
}

const transposed = rule((node, gradient, b) => {
  const window = poolWindow(node, b)
  const [, channels] = b.dims(node.inputs[0])
  return [spread(b, gradient, shares(window, channels, b), channels, window)]
})

function tiledAveragePool(channels, h) {
  const half = h / 2
  return average(
    `AveragePool 2×2/2, ${channels}, ${h}×${h}`,
    [32, channels, h, h],
    { kernel_shape: [2, 2], strides: [2, 2] },
    {
      Expand: rule((node, gradient, b) => {
        const shared = b.mul(gradient, b.number(0.25, node.inputs[0]))
        const apart = b.reshape(shared, [32, channels, half, 1, half, 1])
        return [b.reshape(b.add('Expand', [apart, b.ints([32, channels, half, 2, half, 2])]), [32, channels, h, h])]
      }),
      ConvTranspose: transposed,
    },
  )
}

/** Windows that overlap, at stride 1, as in Inception: the adjoint is an average again. */
const slidingAveragePool = (channels, h) =>
  average(
    `AveragePool 3×3/1, ${channels}, ${h}×${h}`,
    [32, channels, h, h],
    { kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
    {
      ConvTranspose: transposed,
      'depthwise Conv': rule((node, gradient, b) => {
        const weights = shares(poolWindow(node, b), channels, b)
        return [b.add('Conv', [gradient, weights], { group: channels, pads: [1, 1, 1, 1] })]
      }),
    },
  )

/** Of what is no map of whole blocks of channels; featureMaps.mjs has those. */
function globalAveragePool(channels, h) {
  const all = [32, channels, h, h]
  const share = 1 / (h * h)
  const shared = (write) => rule((node, gradient, b) => [write(b.mul(gradient, b.number(share, node.inputs[0])), b)])
  return compareRules(
    `GlobalAveragePool, ${channels}, ${h}×${h}`,
    { dims: all, nodes: [makeNode('GlobalAveragePool', ['x'], ['z'], {}, 'tested')] },
    {
      'Mul, then Expand': shared((value, b) => b.add('Expand', [value, b.ints(all)])),
      'Mul, then Resize': shared((value, b) => {
        const scales = b.constant('float32', [4], Float32Array.of(1, 1, h, h))
        return b.add('Resize', [value, '', scales], RESIZE)
      }),
    },
  )
}

export const poolWays = async () => [
  ...(await maxPool(64, 32, 2, 0)),
  ...(await maxPool(64, 32, 3, 1)),
  ...(await tiledAveragePool(64, 32)),
  ...(await slidingAveragePool(64, 16)),
  ...(await globalAveragePool(100, 4)),
  ...(await globalAveragePool(100, 16)),
]
