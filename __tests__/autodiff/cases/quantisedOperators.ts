import { makeNode } from '../../../src/onnx/attributes.js'
import { composed, smallIntegers } from '../support.js'
import type { Case } from '../support.js'
import { between, scale, wholes, zero } from './quantised.js'

/** com.microsoft's operators on the steps of their scales: linear there, to the last bit. */
export const LINEAR: readonly Case[] = [
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
  between('com.microsoft.QLinearConcat, batch fixed at 3', {
    shape: [2, 2],
    batch: 3,
    inputs: ['rs', 'rz', 'c', 'cs', 'cz', 'q', 'qs', 'qz'],
    from: [scale(0.5), zero('int8', 7)],
    to: [scale(0.5), zero('int8', -2)],
    constants: { c: wholes('int8', [3, 1, 2], 3, 9), cs: scale(1), cz: zero('int8', 2) },
    attributes: { axis: 1 },
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
  ...[
    { label: 'two groups, dilated', attributes: { group: 2, kernel_shape: [2, 3], dilations: [2, 1] } },
    { label: 'auto_pad', attributes: { group: 2, auto_pad: 'SAME_UPPER', strides: [2, 2] } },
  ].map(({ label, attributes }) =>
    composed(
      `ConvInteger, ${label}`,
      [4, 5, 7],
      [
        makeNode('QuantizeLinear', ['x', 's', 'z'], ['q']),
        makeNode('ConvInteger', ['q', 'w', 'z', 'wz'], ['r'], attributes),
        makeNode('Cast', ['r'], ['y'], { to: 1 }),
      ],
      { s: scale(0.5), z: zero('uint8', 30), w: wholes('uint8', [2, 2, 2, 3], 3, 50, 60), wz: zero('uint8', 61) },
    ),
  ),
  composed(
    'QuantizeLinear and DequantizeLinear, a scale for each column, axes from the back',
    [3, 2],
    [
      makeNode('QuantizeLinear', ['x', 's', 'z'], ['q'], { axis: -1 }),
      makeNode('DequantizeLinear', ['q', 's', 'z'], ['y'], { axis: -1 }),
    ],
    { s: scale(0.25, 0.5), z: zero('int8', 1, -7) },
  ),
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
