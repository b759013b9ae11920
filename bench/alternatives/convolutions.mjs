import { stuffZeros } from '../../.build/autodiff/rules/convolution.js'
import { RULES } from '../../.build/autodiff/rules/index.js'
import { affine, isFeatureMap } from '../../.build/autodiff/rules/featureMaps.js'
import { gatherPhases } from '../../.build/autodiff/rules/phases.js'
import { spread, windowOf } from '../../.build/autodiff/rules/windows.js'
import { rule } from '../../.build/autodiff/rule.js'
import { makeNode } from '../../.build/onnx/attributes.js'
import { filled, floats } from './compare.mjs'
import { compareRules } from './rules.mjs'

/** In the layout that convolutions run in: both sides of what is compared are depthwise Convs. */
export const depthwise = (from, to, channels, scale) =>
  makeNode('Conv', [from, scale], [to], { group: channels, kernel_shape: [1, 1] })
export const perChannel = (channels, value) => filled([channels, 1, 1, 1], value)

/** Gradient of a Conv by its parts: its weights, its groups, its window. */
const adjoint = (write) =>
  rule((node, gradient, b) => {
    const [x, name] = node.inputs
    const weights = b.constantOf(name)
    const group = node.attributes.has('group') ? Number(node.attributes.get('group').i) : 1
    return [write({ b, gradient, x, name, weights, group, window: windowOf(node, weights.dims.slice(2), b) })]
  })

const transposed = adjoint(({ b, gradient, name, group, window }) => spread(b, gradient, name, group, window))
const phases = adjoint(({ b, gradient, x, weights, group, window }) => {
  const pixels = gatherPhases(b, { gradient, weights, group, window })
  const isInterleaved = window.strides.some((stride) => stride > 1)
  return isInterleaved && isFeatureMap(x, b) ? affine(pixels, 1, 0, x, b) : pixels
})
const stuffed = adjoint(({ b, gradient, weights, group, window }) =>
  stuffZeros(b, { gradient, weights, group, window }),
)

/** The same phases, interleaved by DepthToSpace. */
const depthToSpace = adjoint(({ b, gradient, weights, group, window }) => {
  const before = b.nodes.length
  gatherPhases(b, { gradient, weights, group, window })
  const convs = b.nodes.splice(before).filter(({ op }) => op === 'Conv')
  b.nodes.push(...convs)
  const all = b.add(
    'Concat',
    convs.map(({ outputs }) => outputs[0]),
    { axis: 1 },
  )
  return b.add('DepthToSpace', [all], { blocksize: 2, mode: 'DCR' })
})

/** One Conv makes the pixels of all four phases, with as many taps as the largest has; what is beyond the image is cut off. */
const oneConv = adjoint(({ b, gradient, weights, group, window }) => {
  const { kernel, begin, input, output } = window
  const taps = kernel.map((size) => Math.ceil(size / 2))
  const behind = input.map((size, axis) => Math.floor((begin[axis] + size - 1) / 2) + 1 - output[axis])
  const pixels = b.add('Conv', [gradient, inPhases(weights, group, taps, b)], {
    group,
    kernel_shape: taps,
    pads: [...taps.map((size) => size - 1), ...behind],
  })
  const all = b.add('DepthToSpace', [pixels], { blocksize: 2, mode: 'CRD' })
  const ends = input.map((size, axis) => begin[axis] + size)
  return b.add('Slice', [all, b.ints(begin), b.ints(ends), b.ints([2, 3])])
})

/** [M, C / group, k, k] → [4 · C, M / group, …taps]: what pixel (2i + row, 2j + column) gets of the filters, turned round. */
function inPhases({ dims: [filters, channels, height, width], data }, group, [down, right], b) {
  const perGroup = filters / group
  const sizes = [4 * group * channels, perGroup, down, right]
  const result = new Float32Array(sizes.reduce((product, size) => product * size, 1))
  for (let filter = 0; filter < filters; filter++)
    for (let channel = 0; channel < channels; channel++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const first = (Math.floor(filter / perGroup) * channels + channel) * 4 + (y % 2) * 2 + (x % 2)
          const tap = (down - 1 - Math.floor(y / 2)) * right + right - 1 - Math.floor(x / 2)
          const from = ((filter * channels + channel) * height + y) * width + x
          result[(first * perGroup + (filter % perGroup)) * down * right + tap] = data[from]
        }
  return b.constant('float32', sizes, result)
}

/** Each gradient repeated over 2 × 2 pixels, three of them multiplied by 0, then Conv. */
const masked = adjoint(({ b, gradient, weights, group, window }) => {
  const { output } = window
  const [height, width] = output.map((size) => 2 * size)
  const repeated = b.add('Resize', [gradient, '', b.constant('float32', [4], Float32Array.of(1, 1, 2, 2))], {
    mode: 'nearest',
    nearest_mode: 'floor',
    coordinate_transformation_mode: 'asymmetric',
  })
  const isPlace = (_, at) => (Math.floor(at / width) % 2 === 0 && (at % width) % 2 === 0 ? 1 : 0)
  const mask = Float32Array.from({ length: height * width }, isPlace)
  const apart = b.mul(repeated, b.constant('float32', [1, 1, height, width], mask))
  const before = b.nodes.length
  stuffZeros(b, { gradient, weights, group, window })
  const conv = b.nodes.splice(before).find(({ op }) => op === 'Conv')
  b.nodes.push({ ...conv, inputs: [apart, conv.inputs[1]] })
  return conv.outputs[0]
})

/** k × k between convolutions of maps; an image, of few channels, is the input itself. */
function convolution(title, { from, to, h, k, stride, group = 1 }, others) {
  const pad = Math.floor((k - 1) / 2)
  const half = h / stride
  const end = Math.max((half - 1) * stride + k - pad - h, 0)
  const isImage = from % 8 !== 0
  const attributes = { group, kernel_shape: [k, k], strides: [stride, stride], pads: [pad, pad, end, end] }
  return compareRules(
    title,
    {
      dims: [32, from, h, h],
      nodes: [
        ...(isImage ? [] : [depthwise('x', 'map', from, 'before')]),
        makeNode('Conv', [isImage ? 'x' : 'map', 'w'], ['c'], attributes, 'tested'),
        depthwise('c', 'z', to, 'behind'),
      ],
      constants: {
        w: floats([to, from / group, k, k]),
        ...(isImage ? {} : { before: perChannel(from, 1) }),
        behind: perChannel(to, 1),
      },
    },
    others,
  )
}

const unitStride = (from, to, h, k) =>
  convolution(
    `Conv ${k}×${k}/1, ${from} → ${to}, ${h}×${h}`,
    { from, to, h, k, stride: 1 },
    { 'Conv, kernel turned': phases, ConvTranspose: transposed },
  )

const strided = (from, to, h, k) =>
  convolution(
    `Conv ${k}×${k}/2, ${from} → ${to}, ${h}×${h}`,
    { from, to, h, k, stride: 2 },
    {
      ConvTranspose: transposed,
      'four Convs, Concat': phases,
      'four Convs, DepthToSpace': depthToSpace,
      'one Conv, DepthToSpace': oneConv,
    },
  )

/** Where a stage of a residual network begins: 3×3/2 and 1×1/2 of one map. */
function stage(from, to, h) {
  const strides = [2, 2]
  return compareRules(
    `Conv 3×3/2 and 1×1/2, ${from} → ${to}, ${h}×${h}`,
    {
      dims: [32, from, h, h],
      nodes: [
        depthwise('x', 'map', from, 'before'),
        makeNode('Conv', ['map', 'w'], ['a'], { kernel_shape: [3, 3], strides, pads: [1, 1, 1, 1] }, 'tested'),
        makeNode('Conv', ['map', 'v'], ['b'], { kernel_shape: [1, 1], strides }),
        makeNode('Add', ['a', 'b'], ['c']),
        depthwise('c', 'z', to, 'behind'),
      ],
      constants: {
        w: floats([to, from, 3, 3]),
        v: floats([to, from, 1, 1]),
        before: perChannel(from, 1),
        behind: perChannel(to, 1),
      },
    },
    { 'phases of both together': RULES.get('Conv'), 'ConvTranspose for each': transposed },
  )
}

const depthwiseOf = (channels, h, k) =>
  convolution(
    `depthwise ${k}×${k}/1, ${channels}, ${h}×${h}`,
    { from: channels, to: channels, h, k, stride: 1, group: channels },
    { 'Conv, kernel turned': phases, ConvTranspose: transposed },
  )

const stridedDepthwise = (channels, h, k) =>
  convolution(
    `depthwise ${k}×${k}/2, ${channels}, ${h}×${h}`,
    { from: channels, to: channels, h, k, stride: 2, group: channels },
    {
      ConvTranspose: transposed,
      'four Convs, Concat': phases,
      'zeros between by a product, then Conv': stuffed,
      'zeros between by Resize and Mul, then Conv': masked,
      'one Conv, DepthToSpace': oneConv,
    },
  )

export const convolutionWays = async () => [
  ...(await unitStride(32, 32, 32, 3)),
  ...(await unitStride(128, 128, 8, 3)),
  ...(await unitStride(3, 32, 32, 3)),
  ...(await unitStride(1, 32, 28, 5)),
  ...(await strided(1, 16, 28, 4)),
  ...(await strided(32, 64, 8, 4)),
  ...(await strided(16, 32, 14, 4)),
  ...(await strided(32, 64, 16, 4)),
  ...(await strided(32, 64, 32, 4)),
  ...(await strided(128, 256, 8, 3)),
  ...(await strided(32, 64, 16, 3)),
  ...(await strided(32, 64, 32, 3)),
  ...(await strided(256, 512, 14, 3)),
  ...(await strided(64, 128, 56, 3)),
  ...(await strided(24, 40, 16, 3)),
  ...(await strided(8, 8, 64, 3)),
  ...(await stage(32, 64, 32)),
  ...(await stage(128, 256, 8)),
  ...(await depthwiseOf(96, 16, 3)),
  ...(await depthwiseOf(240, 16, 5)),
  ...(await depthwiseOf(288, 8, 5)),
  ...(await stridedDepthwise(16, 32, 3)),
  ...(await stridedDepthwise(72, 16, 3)),
  ...(await stridedDepthwise(64, 112, 3)),
  ...(await stridedDepthwise(288, 8, 5)),
]
