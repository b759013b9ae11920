import { makeNode } from '../../../src/onnx/attributes.js'
import type { AttributeValues } from '../../../src/onnx/attributes.js'
import type { Tensor } from '../../../src/onnx/graph.js'
import { composed, count, floating, generator, integers, numbersOf, single, smallIntegers } from '../support.js'
import type { Case } from '../support.js'

type Whole = 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32'

/** Whole numbers of a type. */
export function whole(type: Whole, dims: readonly number[], values: ArrayLike<number>): Tensor {
  const arrays = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array, int32: Int32Array }
  return { type, dims, data: arrays[type].from(values) }
}

/** Whole numbers from −`reach` to `reach`, shifted. */
function wholes(type: Whole, dims: readonly number[], seed: number, reach = 1, shift = 0): Tensor {
  const random = generator(seed)
  const values = Array.from({ length: count(dims) }, () => Math.floor(random() * (2 * reach + 1)) - reach + shift)
  return whole(type, dims, values)
}

const scale = (...values: readonly number[]): Tensor =>
  floating('float32', values.length === 1 ? [] : [values.length], values)
const zero = (type: Whole, ...values: readonly number[]): Tensor =>
  whole(type, values.length === 1 ? [] : [values.length], values)

interface Between {
  readonly shape: readonly number[]
  /** In front of the operator; scale ½ and zero point 128 of uint8 when left out. */
  readonly from?: readonly [Tensor, Tensor]
  /** Behind it; scale ½ and zero point 126 of uint8 when left out, nothing for an operator that gives real numbers. */
  readonly to?: readonly [Tensor, Tensor] | 'real'
  readonly inputs: readonly string[]
  readonly constants?: Readonly<Record<string, Tensor>>
  readonly attributes?: AttributeValues
  readonly batch?: number
}

/**
 * An operator from `q` to `r` between QuantizeLinear and DequantizeLinear. Their names for its parameters are `qs`, `qz`,
 * `rs` and `rz`. All scales are powers of two so fine that small whole numbers fall on steps: quantisation changes nothing.
 */
export function between(name: string, options: Between): Case {
  const {
    shape,
    from = [scale(0.5), zero('uint8', 128)],
    to = [scale(0.5), zero('uint8', 126)],
    inputs,
    batch,
  } = options
  const [domain, op] = name.split(',')[0].startsWith('com.microsoft.')
    ? ['com.microsoft', name.split(',')[0].slice('com.microsoft.'.length)]
    : ['', name.split(',')[0]]
  const real = to === 'real'
  const tested = makeNode(op, inputs, [real ? 'y' : 'r'], options.attributes, 'tested', domain)
  const nodes = [makeNode('QuantizeLinear', ['x', 'qs', 'qz'], ['q']), tested]
  const ends: Readonly<Record<string, Tensor>> = real ? {} : { rs: to[0], rz: to[1] }
  const after = real ? [] : [makeNode('DequantizeLinear', ['r', 'rs', 'rz'], ['y'])]
  const constants = { qs: from[0], qz: from[1], ...ends, ...options.constants }
  return { ...composed(name, shape, [...nodes, ...after], constants), batch }
}

const conv = (label: string, shape: readonly number[], kernel: readonly number[], options: Partial<Between> = {}) =>
  between(`QLinearConv, ${label}`, {
    shape,
    inputs: ['q', 'qs', 'qz', 'w', 'ws', 'wz', 'rs', 'rz', 'bias'],
    to: [scale(0.5), zero('uint8', 126)],
    ...options,
    constants: {
      w: wholes('int8', kernel, 3),
      ws: scale(1),
      wz: zero('int8', 0),
      bias: wholes('int32', [kernel[0]], 5, 8),
      ...options.constants,
    },
  })

/** Whole numbers on the steps of the scales: the quantised operators themselves are linear there, to the last bit. */
export const LINEAR: readonly Case[] = [
  composed(
    'QuantizeLinear and DequantizeLinear, int16',
    [2, 3],
    [makeNode('QuantizeLinear', ['x', 's', 'z'], ['q']), makeNode('DequantizeLinear', ['q', 's', 'z'], ['y'])],
    { s: scale(0.25), z: zero('int16', 1000) },
  ),
  composed(
    'QuantizeLinear and DequantizeLinear, uint16, no zero point',
    [2, 3],
    [
      makeNode('Add', ['x', 'up'], ['positive']),
      makeNode('QuantizeLinear', ['positive', 's'], ['q'], { output_dtype: 4 }),
      makeNode('DequantizeLinear', ['q', 's'], ['y']),
    ],
    { s: scale(0.25), up: scale(5) },
  ),
  composed(
    'QuantizeLinear and DequantizeLinear, a scale for each channel',
    [3, 2],
    [
      makeNode('QuantizeLinear', ['x', 's', 'z'], ['q'], { axis: -2 }),
      makeNode('DequantizeLinear', ['q', 's', 'z'], ['y'], { axis: 1 }),
    ],
    { s: scale(0.25, 0.5, 1), z: zero('int8', 1, 0, -7) },
  ),
  {
    ...composed(
      'QuantizeLinear and DequantizeLinear, blocks, batch fixed at 1',
      [5, 2],
      [
        makeNode('QuantizeLinear', ['x', 's', 'z'], ['q'], { axis: 1, block_size: 2 }),
        makeNode('DequantizeLinear', ['q', 's', 'z'], ['y'], { axis: 1, block_size: 2 }),
      ],
      {
        s: floating('float32', [1, 3, 2], [0.5, 1, 0.25, 0.125, 1, 0.5]),
        z: whole('int8', [1, 3, 2], [0, 1, -2, 3, -4, 5]),
      },
    ),
    batch: 1,
  },
  composed(
    'QuantizeLinear and DequantizeLinear of com.microsoft',
    [2, 3],
    [
      makeNode('QuantizeLinear', ['x', 's', 'z'], ['q'], {}, '', 'com.microsoft'),
      makeNode('DequantizeLinear', ['q', 's', 'z'], ['y'], {}, '', 'com.microsoft'),
    ],
    { s: scale(0.25), z: zero('uint8', 40) },
  ),

  conv('padded, a zero point', [2, 5, 4], [3, 2, 3, 3], { attributes: { pads: [1, 1, 0, 2] } }),
  conv('no bias, stride 2', [2, 6, 7], [3, 2, 3, 3], {
    inputs: ['q', 'qs', 'qz', 'w', 'ws', 'wz', 'rs', 'rz'],
    attributes: { strides: [2, 2], dilations: [1, 2], pads: [1, 1, 1, 1] },
  }),
  conv('a scale and zero point for each filter', [2, 5, 5], [3, 2, 3, 3], {
    to: [scale(0.25), zero('uint8', 126)],
    constants: { ws: scale(0.5, 1, 0.5), wz: zero('int8', 0, 0, 0) },
    attributes: { pads: [1, 1, 1, 1] },
  }),
  conv('depthwise, uint8 weights', [3, 5, 5], [3, 1, 3, 3], {
    attributes: { group: 3, auto_pad: 'SAME_UPPER' },
    constants: { w: wholes('uint8', [3, 1, 3, 3], 7, 1, 9), wz: zero('uint8', 9) },
  }),
  conv('one axis, batch fixed at 1', [2, 7], [3, 2, 3], { batch: 1 }),

  between('QLinearMatMul', {
    shape: [3, 4],
    inputs: ['q', 'qs', 'qz', 'w', 'ws', 'wz', 'rs', 'rz'],
    constants: { w: wholes('int8', [4, 5], 3, 2), ws: scale(1), wz: zero('int8', 1) },
  }),
  between('QLinearMatMul, a scale for each column', {
    shape: [4],
    inputs: ['q', 'qs', 'qz', 'w', 'ws', 'wz', 'rs', 'rz'],
    from: [scale(1), zero('int8', 4)],
    to: [scale(0.5), zero('int8', -2)],
    constants: { w: wholes('int8', [4, 3], 3, 2), ws: scale(0.5, 1, 2), wz: zero('int8', 0, 0, 0) },
  }),
  between('QLinearMatMul, x on the right', {
    shape: [4, 3],
    inputs: ['w', 'ws', 'wz', 'q', 'qs', 'qz', 'rs', 'rz'],
    constants: { w: wholes('uint8', [2, 4], 3, 2, 8), ws: scale(1), wz: zero('uint8', 8) },
  }),
  composed(
    'MatMulInteger',
    [3, 4],
    [
      makeNode('QuantizeLinear', ['x', 's', 'z'], ['q']),
      makeNode('MatMulInteger', ['q', 'w', 'z', 'wz'], ['r']),
      makeNode('Add', ['r', 'bias'], ['sum']),
      makeNode('Cast', ['sum'], ['y'], { to: 1 }),
    ],
    {
      s: scale(0.5),
      z: zero('uint8', 30),
      w: wholes('int8', [4, 5], 3, 50),
      wz: zero('int8', 1, 2, 3, 4, 5),
      bias: wholes('int32', [5], 4, 9999),
    },
  ),
  composed(
    'MatMulInteger, x on the right, no zero points',
    [4, 3],
    [
      makeNode('QuantizeLinear', ['x', 's', 'z'], ['q']),
      makeNode('MatMulInteger', ['w', 'q'], ['r']),
      makeNode('Cast', ['r'], ['y'], { to: 1 }),
    ],
    { s: scale(0.5), z: zero('uint8', 30), w: wholes('uint8', [2, 4], 3, 50, 60) },
  ),
  composed(
    'ConvInteger',
    [2, 5, 5],
    [
      makeNode('QuantizeLinear', ['x', 's', 'z'], ['q']),
      makeNode('ConvInteger', ['q', 'w', 'z', 'wz'], ['r'], { pads: [1, 0, 1, 1], strides: [1, 2] }),
      makeNode('Cast', ['r'], ['y'], { to: 1 }),
    ],
    { s: scale(0.5), z: zero('uint8', 30), w: wholes('uint8', [3, 2, 3, 3], 3, 50, 60), wz: zero('uint8', 61) },
  ),
  composed(
    'ConvInteger, no zero points',
    [2, 5, 5],
    [
      makeNode('QuantizeLinear', ['x', 's', 'z'], ['q']),
      makeNode('ConvInteger', ['q', 'w'], ['r']),
      makeNode('Cast', ['r'], ['y'], { to: 1 }),
    ],
    { s: scale(0.5), z: zero('uint8', 30), w: wholes('uint8', [3, 2, 3, 3], 3, 50, 60) },
  ),

  // Operators with rules, on whole numbers in between.
  composed(
    'QuantizeLinear, Transpose, Pad, Concat, Reshape and Slice on int8',
    [2, 3],
    [
      makeNode('QuantizeLinear', ['x', 's', 'z'], ['q']),
      makeNode('Transpose', ['q'], ['t'], { perm: [0, 2, 1] }),
      makeNode('Pad', ['t', 'pads', 'z'], ['p']),
      makeNode('Concat', ['p', 'p'], ['c'], { axis: 2 }),
      makeNode('Slice', ['c', 'from', 'to', 'axes'], ['cut']),
      makeNode('DequantizeLinear', ['cut', 's', 'z'], ['y']),
    ],
    {
      s: scale(0.5),
      z: zero('int8', 3),
      pads: { type: 'int64', dims: [6], data: BigInt64Array.of(0n, 1n, 0n, 0n, 0n, 2n) },
      from: { type: 'int64', dims: [1], data: BigInt64Array.of(1n) },
      to: { type: 'int64', dims: [1], data: BigInt64Array.of(7n) },
      axes: { type: 'int64', dims: [1], data: BigInt64Array.of(2n) },
    },
  ),
  composed(
    'QuantizeLinear and casts between whole numbers',
    [2, 3],
    [
      makeNode('QuantizeLinear', ['x', 's', 'z'], ['q']),
      makeNode('Cast', ['q'], ['wide'], { to: 6 }),
      makeNode('Sub', ['wide', 'origin'], ['counted']),
      makeNode('Cast', ['counted'], ['y'], { to: 1 }),
    ],
    { s: scale(0.5), z: zero('int8', 3), origin: zero('int32', 3) },
  ),

  between('com.microsoft.QGemm', {
    shape: [4],
    inputs: ['q', 'qs', 'qz', 'w', 'ws', 'wz', 'c', 'rs', 'rz'],
    constants: {
      w: wholes('int8', [3, 4], 3, 2),
      ws: scale(0.5, 1, 1),
      wz: zero('int8', 0, 0, 0),
      c: wholes('int32', [3], 5, 9),
    },
    attributes: { transB: 1, alpha: { float: 2 } },
  }),
  between('com.microsoft.QGemm, real output, no bias', {
    shape: [4],
    to: 'real',
    inputs: ['q', 'qs', 'qz', 'w', 'ws', 'wz'],
    constants: { w: wholes('int8', [4, 3], 3, 40), ws: scale(0.5), wz: zero('int8', 7) },
  }),
  between('com.microsoft.QLinearAdd, broadcast', {
    shape: [2, 3],
    inputs: ['q', 'qs', 'qz', 'c', 'cs', 'cz', 'rs', 'rz'],
    constants: { c: wholes('uint8', [2, 1], 3, 9, 20), cs: scale(1), cz: zero('uint8', 22) },
    to: [scale(0.5), zero('uint8', 100)],
  }),
  between('com.microsoft.QLinearAdd, x broadcast, on the right', {
    shape: [2, 1],
    from: [scale(0.5), zero('int8', 7)],
    to: [scale(0.5), zero('int8', -2)],
    inputs: ['c', 'cs', 'cz', 'q', 'qs', 'qz', 'rs', 'rz'],
    constants: { c: wholes('int8', [3], 3, 9), cs: scale(1), cz: zero('int8', 2) },
  }),
  between('com.microsoft.QLinearMul, by constants', {
    shape: [2, 3],
    from: [scale(0.5), zero('int8', 7)],
    to: [scale(0.5), zero('int8', -2)],
    inputs: ['q', 'qs', 'qz', 'c', 'cs', 'cz', 'rs', 'rz'],
    constants: { c: wholes('int8', [3], 3, 9), cs: scale(0.5), cz: zero('int8', 2) },
  }),
  between('com.microsoft.QLinearConcat, with other scales and a constant, negative axis', {
    shape: [2, 2],
    batch: 1,
    inputs: ['rs', 'rz', 'q', 'qs', 'qz', 'c', 'cs', 'cz', 'q', 'qs', 'qz'],
    from: [scale(0.5), zero('int8', 7)],
    to: [scale(0.5), zero('int8', -2)],
    constants: { c: wholes('int8', [1, 2, 3], 3, 9), cs: scale(1), cz: zero('int8', 2) },
    attributes: { axis: -1 },
  }),
  between('com.microsoft.QLinearWhere', {
    shape: [2, 3],
    inputs: ['if', 'q', 'qs', 'qz', 'c', 'cs', 'cz', 'rs', 'rz'],
    from: [scale(0.5), zero('uint8', 27)],
    to: [scale(0.5), zero('uint8', 90)],
    constants: {
      if: { type: 'bool', dims: [3], data: Uint8Array.of(1, 0, 1) },
      c: wholes('uint8', [2, 1], 3, 9, 30),
      cs: scale(1),
      cz: zero('uint8', 31),
    },
  }),
  between('com.microsoft.QLinearAveragePool, tiles', {
    shape: [2, 4, 4],
    inputs: ['q', 'qs', 'qz', 'rs', 'rz'],
    to: [scale(0.125), zero('uint8', 128)],
    attributes: { kernel_shape: [2, 2], strides: [2, 2] },
  }),
  between('com.microsoft.QLinearAveragePool, padded, pads counted', {
    shape: [2, 5, 5],
    inputs: ['q', 'qs', 'qz', 'rs', 'rz'],
    to: [scale(0.125), zero('uint8', 128)],
    attributes: { kernel_shape: [2, 2], pads: [1, 0, 0, 1], count_include_pad: 1 },
  }),
  between('com.microsoft.QLinearAveragePool, channels last', {
    shape: [4, 6, 3],
    inputs: ['q', 'qs', 'qz', 'rs', 'rz'],
    to: [scale(0.125), zero('uint8', 128)],
    attributes: { kernel_shape: [2, 2], strides: [2, 2], channels_last: 1 },
  }),
  between('com.microsoft.QLinearGlobalAveragePool', {
    shape: [3, 2, 4],
    inputs: ['q', 'qs', 'qz', 'rs', 'rz'],
    to: [scale(0.0625), zero('uint8', 128)],
    attributes: { channels_last: 0 },
  }),
  between('com.microsoft.QLinearGlobalAveragePool, channels last', {
    shape: [2, 4, 3],
    inputs: ['q', 'qs', 'qz', 'rs', 'rz'],
    to: [scale(0.0625), zero('uint8', 128)],
    attributes: { channels_last: 1 },
  }),
  composed(
    'com.microsoft.MatMulIntegerToFloat',
    [3, 4],
    [
      makeNode('QuantizeLinear', ['x', 's', 'z'], ['q']),
      makeNode('MatMulIntegerToFloat', ['q', 'w', 's', 'ws', 'z', 'wz', 'c'], ['y'], {}, 'tested', 'com.microsoft'),
    ],
    {
      s: scale(0.5),
      z: zero('uint8', 30),
      w: wholes('int8', [4, 3], 3, 50),
      ws: scale(0.5, 1, 2),
      wz: zero('int8', 1, 2, 3),
      c: smallIntegers('float32', [3], 4),
    },
  ),
  composed(
    'com.microsoft.MatMulIntegerToFloat, one scale, nothing else',
    [3, 4],
    [
      makeNode('QuantizeLinear', ['x', 's', 'z'], ['q']),
      makeNode('MatMulIntegerToFloat', ['q', 'w', 's', 'ws'], ['y'], {}, 'tested', 'com.microsoft'),
    ],
    { s: scale(0.5), z: zero('uint8', 30), w: wholes('uint8', [4, 3], 3, 50, 60), ws: scale(0.5) },
  ),
]

/** A quantised operator that is not linear, next to the real one in double. */
export interface Quantised {
  readonly tested: Case
  readonly twin: Case
  /** Where both agree in front of the operator: on the steps. */
  readonly points: (dims: readonly number[]) => Tensor
}

const onSteps =
  (step: number, reach: number) =>
  (dims: readonly number[]): Tensor => {
    const random = generator(41)
    const values = Array.from({ length: count(dims) }, () => step * (Math.floor(random() * (2 * reach + 1)) - reach))
    return floating('float32', dims, values)
  }

/** Whole numbers from −127 to 128, both ends in every image: one dynamic step is 1. */
function dynamicSteps(dims: readonly number[]): Tensor {
  const size = count(dims.slice(1))
  const random = generator(43)
  const values = Array.from({ length: count(dims) }, (_, at) =>
    at % size === 0 ? -127 : at % size === 1 ? 128 : Math.floor(random() * 256) - 127,
  )
  return floating('float32', dims, values)
}

const around = (name: string, twin: Case, options: Partial<Between> & Pick<Between, 'to'>): Quantised => ({
  tested: between(name, {
    shape: twin.shape,
    from: [scale(0.125), zero('uint8', 100)],
    inputs: ['q', 'qs', 'qz', 'rs', 'rz'],
    ...options,
  }),
  twin,
  points: onSteps(0.125, 8),
})

const double = (name: string, options: Parameters<typeof single>[2] = {}): Case =>
  single(name, [2, 3, 4], { ...options, type: 'float64' })

const matrix = wholes('int8', [4, 3], 3, 50)
const columns = floating('float64', [3], [0.5, 1, 2])
const origins = [1, 2, 3]
const wholeMatrix = (of: readonly number[] = [0, 0, 0]): Tensor =>
  floating(
    'float64',
    [4, 3],
    Array.from(matrix.data as Int8Array, (value, at) => (value - of[at % 3]) * Number(columns.data[at % 3])),
  )

export const QUANTISED: readonly Quantised[] = [
  around('com.microsoft.QLinearSigmoid', double('Sigmoid'), { to: [scale(1 / 256), zero('uint8', 0)] }),
  around('com.microsoft.QLinearSigmoid, int8', double('Sigmoid'), {
    from: [scale(0.125), zero('int8', 10)],
    to: [scale(1 / 200), zero('int8', -100)],
  }),
  {
    ...around(
      'com.microsoft.QLinearLeakyRelu',
      composed(
        'LeakyRelu',
        [2, 3, 4],
        [
          makeNode('Relu', ['x'], ['up']),
          makeNode('Mul', ['x', 'slope'], ['part']),
          makeNode('Mul', ['up', 'rest'], ['whole']),
          makeNode('Add', ['part', 'whole'], ['y']),
        ],
        { slope: floating('float64', [], [0.25]), rest: floating('float64', [], [0.75]) },
        'float64',
      ),
      { to: [scale(0.1), zero('uint8', 90)], attributes: { alpha: { float: 0.25 } } },
    ),
  },
  around('com.microsoft.QLinearSoftmax', double('Softmax', { attributes: { axis: 1 } }), {
    to: [scale(1 / 256), zero('uint8', 0)],
    attributes: { axis: 1, opset: 13 },
  }),
  around('com.microsoft.QLinearSoftmax, int8, last axis', double('Softmax'), {
    from: [scale(0.125), zero('int8', 10)],
    to: [scale(1 / 256), zero('int8', -128)],
    attributes: { opset: 15 },
  }),
  around(
    'com.microsoft.QLinearSoftmax, all axes behind the second as one, as before opset 13',
    composed(
      'Softmax of a matrix',
      [2, 3, 4],
      [
        makeNode('Reshape', ['x', 'flat'], ['f']),
        makeNode('Softmax', ['f'], ['s']),
        makeNode('Reshape', ['s', 'back'], ['y']),
      ],
      { flat: integers([-1, 12]), back: integers([-1, 2, 3, 4]) },
      'float64',
    ),
    { to: [scale(1 / 256), zero('uint8', 0)], attributes: { axis: 2, opset: 12 } },
  ),
  around('com.microsoft.QLinearMul, x with itself', double('Mul', { inputs: ['x', 'x'] }), {
    inputs: ['q', 'qs', 'qz', 'q', 'qs', 'qz', 'rs', 'rz'],
    to: [scale(0.1), zero('uint8', 4)],
  }),
  {
    tested: composed(
      'DynamicQuantizeLinear',
      [2, 3],
      [makeNode('DynamicQuantizeLinear', ['x'], ['q', 's', 'z']), makeNode('DequantizeLinear', ['q', 's', 'z'], ['y'])],
    ),
    twin: composed('identity', [2, 3], [makeNode('Neg', ['x'], ['n']), makeNode('Neg', ['n'], ['y'])], {}, 'float64'),
    points: dynamicSteps,
  },
  {
    tested: composed(
      'DynamicQuantizeLinear, then MatMulInteger',
      [2, 4],
      [
        makeNode('DynamicQuantizeLinear', ['x'], ['q', 's', 'z']),
        makeNode('MatMulInteger', ['q', 'w', 'z'], ['sums']),
        makeNode('Cast', ['sums'], ['real'], { to: 1 }),
        makeNode('Mul', ['s', 'ws'], ['scales']),
        makeNode('Mul', ['real', 'scales'], ['y']),
      ],
      { w: matrix, ws: floating('float32', [3], numbersOf(columns)) },
    ),
    twin: single('MatMul', [2, 4], { type: 'float64', constants: { w: wholeMatrix() } }),
    points: dynamicSteps,
  },
  {
    tested: composed(
      'com.microsoft.DynamicQuantizeMatMul',
      [2, 4],
      [makeNode('DynamicQuantizeMatMul', ['x', 'w', 'ws', 'wz', 'c'], ['y'], {}, '', 'com.microsoft')],
      {
        w: matrix,
        ws: floating('float32', [3], numbersOf(columns)),
        wz: zero('int8', ...origins),
        c: smallIntegers('float32', [3], 4),
      },
    ),
    twin: single('MatMul', [2, 4], { type: 'float64', constants: { w: wholeMatrix(origins) } }),
    points: dynamicSteps,
  },
  {
    tested: composed(
      'com.microsoft.DynamicQuantizeMatMul, one scale, nothing else',
      [4],
      [makeNode('DynamicQuantizeMatMul', ['x', 'w', 'ws'], ['y'], {}, '', 'com.microsoft')],
      { w: matrix, ws: scale(0.5) },
    ),
    twin: single('MatMul', [4], {
      type: 'float64',
      constants: {
        w: floating(
          'float64',
          [4, 3],
          Array.from(matrix.data as Int8Array, (value) => value / 2),
        ),
      },
    }),
    points: dynamicSteps,
  },
]
