import { makeNode } from '../../.build/onnx/attributes.js'
import { compare, filled, floats, ints } from './compare.mjs'

/** In the layout that convolutions run in: both sides of what is compared are depthwise Convs. */
const depthwise = (from, to, channels, scale) =>
  makeNode('Conv', [from, scale], [to], { group: channels, kernel_shape: [1, 1] })
const perChannel = (channels, value) => filled([channels, 1, 1, 1], value)

/** d HardSwish, times the gradient, between two convolutions. */
function hardSwishSlope(channels, h) {
  const dims = [32, channels, h, h]
  const among = (...nodes) => [
    depthwise('x', 'u', channels, 'eight'),
    ...nodes,
    makeNode('Mul', ['g1', 'f'], ['p']),
    depthwise('g', 'g1', channels, 'one'),
    depthwise('p', 'y', channels, 'one'),
  ]
  const constants = {
    one: perChannel(channels, 1),
    eight: perChannel(channels, 8),
    minus: perChannel(channels, -1),
    third: perChannel(channels, 1 / 3),
    low: filled([], -3),
    high: filled([], 3),
    sixth: filled([], 1 / 6),
  }
  const steep = (alpha, beta) => ({ alpha: { float: alpha }, beta: { float: beta } })
  return compare(
    `HardSwish, ${channels} channels, ${h}×${h}`,
    { x: floats(dims), g: floats(dims) },
    {
      'in the layout of convolutions': [
        among(
          depthwise('u', 'c1', channels, 'one'),
          makeNode('Clip', ['c1', 'low', 'high'], ['c']),
          depthwise('c', 'n', channels, 'minus'),
          makeNode('Add', ['n', 'u'], ['beyond']),
          makeNode('HardSigmoid', ['beyond'], ['side'], steep(-1e30, 0.5)),
          depthwise('c', 't', channels, 'third'),
          makeNode('Add', ['t', 'side'], ['f']),
        ),
        constants,
      ],
      'a scalar among the factors': [
        among(
          makeNode('HardSigmoid', ['u'], ['h'], steep(1 / 6, 0.5)),
          makeNode('Mul', ['u', 'u'], ['q']),
          makeNode('HardSigmoid', ['q'], ['inside'], steep(-1e30, 9e30)),
          makeNode('Mul', ['u', 'sixth'], ['v']),
          makeNode('Mul', ['v', 'inside'], ['t']),
          makeNode('Add', ['h', 't'], ['f']),
        ),
        constants,
      ],
    },
  )
}

/** The gradient of a global average, over the pixels again. */
function overPixels(channels, h) {
  const resize = { mode: 'nearest', nearest_mode: 'floor', coordinate_transformation_mode: 'asymmetric' }
  const share = 1 / (h * h)
  return compare(
    `GlobalAveragePool, ${channels} channels, ${h}×${h}`,
    { g: floats([32, channels, 1, 1]) },
    {
      'Conv and Resize': [
        [
          depthwise('g', 's', channels, 'share'),
          makeNode('Resize', ['s', '', 'scales'], ['e'], resize),
          depthwise('e', 'y', channels, 'one'),
        ],
        {
          share: perChannel(channels, share),
          one: perChannel(channels, 1),
          scales: floats([4], Float32Array.of(1, 1, h, h)),
        },
      ],
      'Mul and Expand': [
        [
          makeNode('Mul', ['g', 'share'], ['s']),
          makeNode('Expand', ['s', 'shape'], ['e']),
          depthwise('e', 'y', channels, 'one'),
        ],
        { share: filled([], share), one: perChannel(channels, 1), shape: ints([1, channels, h, h]) },
      ],
    },
  )
}

/** The pixels of four maps between each other. */
function interleave(channels, h) {
  const dims = [32, channels, h, h]
  const pixels = (name) => makeNode('Reshape', [name, 'apart'], [`${name}1`])
  const row = (left, right, to) => [
    makeNode('Concat', [`${left}1`, `${right}1`], [`${to}0`], { axis: 4 }),
    makeNode('Reshape', [`${to}0`, 'lines'], [to]),
  ]
  return compare(
    `four phases, ${channels} channels, ${h}×${h}`,
    { a: floats(dims), b: floats(dims), c: floats(dims), d: floats(dims) },
    {
      Concat: [
        [
          ...['a', 'b', 'c', 'd'].map(pixels),
          ...row('a', 'b', 'even'),
          ...row('c', 'd', 'odd'),
          makeNode('Concat', ['even', 'odd'], ['all'], { axis: 2 }),
          makeNode('Reshape', ['all', 'whole'], ['y']),
        ],
        {
          apart: ints([-1, channels, h, h, 1]),
          lines: ints([-1, channels * h, 2 * h]),
          whole: ints([-1, channels, 2 * h, 2 * h]),
        },
      ],
      DepthToSpace: [
        [
          makeNode('Concat', ['a', 'b', 'c', 'd'], ['all'], { axis: 1 }),
          makeNode('DepthToSpace', ['all'], ['y'], { blocksize: 2, mode: 'DCR' }),
        ],
      ],
    },
  )
}

/** To the few channels of an image. */
function narrow(from, to, h, k) {
  const pad = (k - 1) / 2
  const pads = [pad, pad, pad, pad]
  return compare(
    `Conv ${k}×${k}/1, ${to} → ${from}, ${h}×${h}`,
    { x: floats([32, from, h, h]) },
    {
      ConvTranspose: [
        [depthwise('x', 'g', from, 'one'), makeNode('ConvTranspose', ['g', 'w'], ['y'], { pads })],
        { one: perChannel(from, 1), w: floats([from, to, k, k]) },
      ],
      'Conv, kernel turned': [
        [depthwise('x', 'g', from, 'one'), makeNode('Conv', ['g', 'w'], ['y'], { pads })],
        { one: perChannel(from, 1), w: floats([to, from, k, k]) },
      ],
    },
    { same: false },
  )
}

export const featureMapWays = async () => [
  ...(await hardSwishSlope(240, 8)),
  ...(await overPixels(240, 8)),
  ...(await interleave(16, 7)),
  ...(await interleave(64, 8)),
  ...(await narrow(32, 3, 32, 3)),
  ...(await narrow(32, 1, 28, 5)),
]
