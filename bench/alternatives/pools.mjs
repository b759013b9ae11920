import { makeNode } from '../../.build/onnx/attributes.js'
import { compare, filled, floats, ints } from './compare.mjs'

/** The places of the maxima come for nothing with the forward pass; here each way pays for what it reads of it. */
function maxPool(channels, h, k, pad) {
  const half = h / 2
  const pool = { kernel_shape: [k, k], strides: [2, 2], pads: [pad, pad, 0, 0] }
  const [small, large] = [
    [32, channels, half, half],
    [32, channels, h, h],
  ]
  const places = makeNode('MaxPool', ['x'], ['p', 'i'], pool)
  const shape = ints(large)
  const flat = [makeNode('Reshape', ['i', 'all'], ['fi']), makeNode('Reshape', ['g', 'all'], ['fg'])]
  const scatter = [
    places,
    ...flat,
    makeNode('Expand', ['zero', 'count'], ['z']),
    makeNode('ScatterElements', ['z', 'fi', 'fg'], ['s'], { reduction: 'add' }),
    makeNode('Reshape', ['s', 'shape'], ['y']),
  ]
  const scatterND = [
    places,
    ...flat,
    makeNode('Expand', ['zero', 'count'], ['z']),
    makeNode('Unsqueeze', ['fi', 'last'], ['ui']),
    makeNode('ScatterND', ['z', 'ui', 'fg'], ['s'], { reduction: 'add' }),
    makeNode('Reshape', ['s', 'shape'], ['y']),
  ]
  const constants = {
    all: ints([-1]),
    last: ints([1]),
    zero: filled([], 0),
    count: ints([large.reduce((product, size) => product * size, 1)]),
    shape,
  }
  const ways = { ScatterElements: [scatter, constants], ScatterND: [scatterND, constants] }
  // Windows side by side: nothing to add up.
  const unpool = [places, makeNode('MaxUnpool', ['g', 'i', 'shape'], ['y'], { kernel_shape: [k, k], strides: [2, 2] })]
  const apart = (name, to) => [
    makeNode('Reshape', [name, 'apart'], [`${to}a`]),
    makeNode('Expand', [`${to}a`, 'windows'], [to]),
  ]
  const equal = [
    makeNode('MaxPool', ['x'], ['p'], pool),
    ...apart('p', 'pr'),
    ...apart('g', 'gr'),
    makeNode('Reshape', ['x', 'split'], ['xs']),
    makeNode('Equal', ['xs', 'pr'], ['e']),
    makeNode('Where', ['e', 'gr', 'zero'], ['w']),
    makeNode('Reshape', ['w', 'shape'], ['y']),
  ]
  const split = [32, channels, half, 2, half, 2]
  const windows = { apart: ints([32, channels, half, 1, half, 1]), windows: ints(split), split: ints(split) }
  const tiled = {
    MaxUnpool: [unpool, { shape }],
    'pixels equal to their maximum': [equal, { zero: constants.zero, shape, ...windows }],
  }
  return compare(
    `MaxPool ${k}×${k}/2, ${channels}, ${h}×${h}`,
    { x: floats(large), g: floats(small) },
    k === 2 ? { ...tiled, ...ways } : ways,
  )
}

function tiledAveragePool(channels, h) {
  const half = h / 2
  const constants = {
    apart: ints([32, channels, half, 1, half, 1]),
    windows: ints([32, channels, half, 2, half, 2]),
    shape: ints([32, channels, h, h]),
    quarter: filled([], 0.25),
  }
  const resize = { mode: 'nearest', nearest_mode: 'floor', coordinate_transformation_mode: 'asymmetric' }
  return compare(
    `AveragePool 2×2/2, ${channels}, ${h}×${h}`,
    { g: floats([32, channels, half, half]) },
    {
      Resize: [
        [makeNode('Mul', ['g', 'quarter'], ['m']), makeNode('Resize', ['m', '', 'scales'], ['y'], resize)],
        { ...constants, scales: floats([4], Float32Array.of(1, 1, 2, 2)) },
      ],
      Expand: [
        [
          makeNode('Mul', ['g', 'quarter'], ['m']),
          makeNode('Reshape', ['m', 'apart'], ['a']),
          makeNode('Expand', ['a', 'windows'], ['w']),
          makeNode('Reshape', ['w', 'shape'], ['y']),
        ],
        constants,
      ],
      ConvTranspose: [
        [makeNode('ConvTranspose', ['g', 'w'], ['y'], { group: channels, strides: [2, 2] })],
        { w: filled([channels, 1, 2, 2], 0.25) },
      ],
    },
  )
}

/** Windows that overlap, at stride 1, as in Inception: the adjoint is an average again. */
function slidingAveragePool(channels, h) {
  const window = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }
  const g = floats([32, channels, h, h])
  const ninth = filled([channels, 1, 3, 3], 1 / 9)
  return compare(
    `AveragePool 3×3/1, ${channels}, ${h}×${h}`,
    { g },
    {
      AveragePool: [[makeNode('AveragePool', ['g'], ['y'], { ...window, count_include_pad: 1 })]],
      ConvTranspose: [
        [makeNode('ConvTranspose', ['g', 'w'], ['y'], { group: channels, pads: [1, 1, 1, 1] })],
        { w: ninth },
      ],
      'depthwise Conv': [[makeNode('Conv', ['g', 'w'], ['y'], { group: channels, pads: [1, 1, 1, 1] })], { w: ninth }],
    },
  )
}

function globalAveragePool(channels, h) {
  const [ninth, shape] = [filled([], 1 / h ** 2), ints([32, channels, h, h])]
  return compare(
    `GlobalAveragePool, ${channels}, ${h}×${h}`,
    { g: floats([32, channels, 1, 1]) },
    {
      'Mul with shares': [[makeNode('Mul', ['g', 'shares'], ['y'])], { shares: filled([1, 1, h, h], 1 / h ** 2) }],
      'Mul, then Expand': [
        [makeNode('Mul', ['g', 'share'], ['m']), makeNode('Expand', ['m', 'shape'], ['y'])],
        { share: ninth, shape },
      ],
      ConvTranspose: [
        [makeNode('ConvTranspose', ['g', 'w'], ['y'], { group: channels })],
        { w: filled([channels, 1, h, h], 1 / h ** 2) },
      ],
    },
  )
}

export const poolWays = async () => [
  ...(await maxPool(64, 32, 2, 0)),
  ...(await maxPool(64, 32, 3, 1)),
  ...(await tiledAveragePool(64, 32)),
  ...(await slidingAveragePool(64, 16)),
  ...(await globalAveragePool(256, 4)),
  ...(await globalAveragePool(64, 16)),
]
