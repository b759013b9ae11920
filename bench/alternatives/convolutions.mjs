import { makeNode } from '../../.build/onnx/attributes.js'
import { compare, floats, ints } from './compare.mjs'

function unitStride(channels, h) {
  const pads = [1, 1, 1, 1]
  const w = floats([channels, channels, 3, 3])
  return compare(
    `Conv 3×3/1, ${channels}, ${h}×${h}`,
    { g: floats([32, channels, h, h]) },
    {
      'Conv, kernel turned': [[makeNode('Conv', ['g', 'w'], ['y'], { pads })], { w }],
      ConvTranspose: [[makeNode('ConvTranspose', ['g', 'w'], ['y'], { pads })], { w }],
    },
    { same: false },
  )
}

/** k × k at stride 2 of h × h pixels: where its windows lie. */
function strided(h, k) {
  const [half, pad] = [h / 2, Math.floor((k - 1) / 2)]
  const rest = h + pad - ((half - 1) * 2 + k)
  const [end, beyond] = [Math.max(-rest, 0), Math.max(rest, 0)]
  const transposed = { strides: [2, 2], pads: [pad, pad, end, end], output_padding: [beyond, beyond] }
  return { half, pad, taps: Math.ceil(k / 2), behind: Math.floor((pad + h - 1) / 2) + 1 - half, transposed }
}

/** One Conv makes the pixels of all four phases, each from the taps it has; they are put side by side and cut out. */
function phases({ pad, taps, behind }, h, group) {
  const nodes = [
    makeNode('Conv', ['g', 'w'], ['c'], { group, pads: [taps - 1, taps - 1, behind, behind] }),
    makeNode('DepthToSpace', ['c'], ['d'], { blocksize: 2, mode: 'CRD' }),
    makeNode('Slice', ['d', 'from', 'to', 'axes'], ['y']),
  ]
  return [nodes, { from: ints([pad, pad]), to: ints([pad + h, pad + h]), axes: ints([2, 3]) }]
}

function stridedConv(from, to, h, k) {
  const window = strided(h, k)
  const { half, taps, transposed } = window
  const [nodes, cut] = phases(window, h, 1)
  return compare(
    `Conv ${k}×${k}/2, ${from} → ${to}, ${h}×${h}`,
    { g: floats([32, to, half, half]) },
    {
      ConvTranspose: [[makeNode('ConvTranspose', ['g', 'w'], ['y'], transposed)], { w: floats([to, from, k, k]) }],
      'phases and DepthToSpace': [nodes, { w: floats([4 * from, to, taps, taps]), ...cut }],
    },
    { same: false },
  )
}

function depthwise(channels, h, k) {
  const pad = (k - 1) / 2
  const pads = [pad, pad, pad, pad]
  const w = floats([channels, 1, k, k])
  const turned = floats(
    [channels, 1, k, k],
    w.data.map((_, at) => w.data[at - (at % k ** 2) + k ** 2 - 1 - (at % k ** 2)]),
  )
  return compare(
    `depthwise ${k}×${k}/1, ${channels}, ${h}×${h}`,
    { g: floats([32, channels, h, h]) },
    {
      'Conv, kernel turned': [[makeNode('Conv', ['g', 'w'], ['y'], { group: channels, pads })], { w: turned }],
      ConvTranspose: [[makeNode('ConvTranspose', ['g', 'w'], ['y'], { group: channels, pads })], { w }],
    },
  )
}

function stridedDepthwise(channels, h, k, chosen) {
  const window = strided(h, k)
  const { half, pad, taps, transposed } = window
  const w = floats([channels, 1, k, k])
  const [nodes, cut] = phases(window, h, channels)
  const isPlace = (at) => Math.floor(at / h) % 2 === 0 && (at % h) % 2 === 0
  const mask = floats(
    [1, 1, h, h],
    Float32Array.from({ length: h * h }, (_, at) => (isPlace(at) ? 1 : 0)),
  )
  const stuffed = [
    makeNode('Resize', ['g', '', 'scales'], ['r'], {
      mode: 'nearest',
      nearest_mode: 'floor',
      coordinate_transformation_mode: 'asymmetric',
    }),
    makeNode('Mul', ['r', 'mask'], ['s']),
    makeNode('Conv', ['s', 'w'], ['y'], { group: channels, pads: [k - 1 - pad, k - 1 - pad, pad, pad] }),
  ]
  // Each row times this is two rows, the pixels of the first 2 apart.
  const places = floats(
    [half, 2 * h],
    Float32Array.from({ length: half * 2 * h }, (_, at) => (at % (2 * h) === 2 * Math.floor(at / (2 * h)) ? 1 : 0)),
  )
  const multiplied = [
    makeNode('MatMul', ['g', 'places'], ['r']),
    makeNode('Reshape', ['r', 'whole'], ['s']),
    stuffed[2],
  ]
  const ways = {
    ConvTranspose: [[makeNode('ConvTranspose', ['g', 'w'], ['y'], { group: channels, ...transposed })], { w }],
    'zeros between by a product, then Conv': [multiplied, { w, places, whole: ints([-1, channels, h, h]) }],
    'zeros between, then Conv': [stuffed, { w, mask, scales: floats([4], Float32Array.of(1, 1, 2, 2)) }],
    'phases and DepthToSpace': [nodes, { w: floats([4 * channels, 1, taps, taps]), ...cut }],
  }
  return compare(
    `depthwise ${k}×${k}/2, ${channels}, ${h}×${h}`,
    { g: floats([32, channels, half, half]) },
    { [chosen]: ways[chosen], ...ways },
    { same: false },
  )
}

export const convolutionWays = async () => [
  ...(await unitStride(32, 32)),
  ...(await unitStride(128, 8)),
  ...(await stridedConv(1, 16, 28, 4)),
  ...(await stridedConv(16, 32, 14, 4)),
  ...(await stridedConv(32, 64, 32, 3)),
  ...(await stridedConv(128, 256, 8, 3)),
  ...(await depthwise(96, 16, 3)),
  ...(await depthwise(240, 16, 5)),
  ...(await depthwise(288, 8, 5)),
  ...(await stridedDepthwise(16, 32, 3, 'zeros between by a product, then Conv')),
  ...(await stridedDepthwise(72, 16, 3, 'zeros between by a product, then Conv')),
  ...(await stridedDepthwise(64, 112, 3, 'ConvTranspose')),
  ...(await stridedDepthwise(288, 8, 5, 'zeros between by a product, then Conv')),
]
