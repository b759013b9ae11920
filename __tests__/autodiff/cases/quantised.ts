import { makeNode } from '../../../src/onnx/attributes.js'
import type { AttributeValues } from '../../../src/onnx/attributes.js'
import type { Tensor } from '../../../src/onnx/graph.js'
import { composed, count, floating, generator } from '../support.js'
import type { Case } from '../support.js'

type Whole = 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32'

/** Whole numbers of a type. */
export function whole(type: Whole, dims: readonly number[], values: ArrayLike<number>): Tensor {
  const arrays = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array, int32: Int32Array }
  return { type, dims, data: arrays[type].from(values) }
}

/** Whole numbers from −`reach` to `reach`, shifted. */
export function wholes(type: Whole, dims: readonly number[], seed: number, reach = 1, shift = 0): Tensor {
  const random = generator(seed)
  const values = Array.from({ length: count(dims) }, () => Math.floor(random() * (2 * reach + 1)) - reach + shift)
  return whole(type, dims, values)
}

export const scale = (...values: readonly number[]): Tensor =>
  floating('float32', values.length === 1 ? [] : [values.length], values)
export const zero = (type: Whole, ...values: readonly number[]): Tensor =>
  whole(type, values.length === 1 ? [] : [values.length], values)

export interface Between {
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

  conv('padded, a zero point', [2, 5, 4], [3, 2, 3, 3], { attributes: { kernel_shape: [3, 3], pads: [1, 1, 0, 2] } }),
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
]
