import { makeNode } from '../../../src/onnx/attributes.js'
import type { AttributeValues } from '../../../src/onnx/attributes.js'
import type { Tensor } from '../../../src/onnx/graph.js'
import { composed, floating, integers, numbersOf, reals, single, smallIntegers } from '../support.js'
import type { Case, Doubled } from '../support.js'
import { between, scale, wholes, zero } from './quantised.js'
import { dynamicSteps, onSteps } from './quantisedCurves.js'
import type { Quantised } from './quantisedCurves.js'

/** What the attributes of onnxruntime's own operators can say and exports seldom do: coverage.test.ts names those left out. */
function ofOnnxruntime(
  op: string,
  label: string,
  shape: readonly number[],
  constants: Readonly<Record<string, Tensor>>,
  attributes: AttributeValues,
  batch?: number,
): Case {
  const node = makeNode(op, ['x', ...Object.keys(constants)], ['y'], attributes, 'tested', 'com.microsoft')
  return { ...composed(`com.microsoft.${op}, ${label}`, shape, [node], constants), batch }
}

const weights = (...dims: readonly number[]): Tensor => smallIntegers('float32', dims, 3)
/** So much that Relu lets everything through: the operator is affine. */
const above = (size: number): Tensor => floating('float32', [size], new Float32Array(size).fill(4096))

const convolution = (label: string, shape: readonly number[], channels: number, attributes: AttributeValues): Case =>
  between(`com.microsoft.QLinearConv, ${label}`, {
    shape,
    inputs: ['q', 'qs', 'qz', 'w', 'ws', 'wz', 'rs', 'rz', 'c'],
    constants: {
      w: wholes('int8', [4, channels, 2, 3], 3),
      ws: scale(1),
      wz: zero('int8', 0),
      c: wholes('int32', [4], 5, 8),
    },
    attributes: { kernel_shape: [2, 3], ...attributes },
  })

const pooling = (label: string, attributes: AttributeValues): Case =>
  between(`com.microsoft.QLinearAveragePool, ${label}`, {
    shape: [2, 5, 5],
    inputs: ['q', 'qs', 'qz', 'rs', 'rz'],
    to: [scale(0.125), zero('uint8', 128)],
    attributes: { kernel_shape: [2, 2], count_include_pad: 1, ...attributes },
  })

const asBias = (op: string, c: Tensor): Case => ({
  ...composed(
    `com.microsoft.${op}, x as the bias, repeated`,
    [4],
    [makeNode('Squeeze', ['x', 'axes'], ['row']), makeNode(op, ['c', 'row'], ['y'], {}, 'tested', 'com.microsoft')],
    { axes: integers([0]), c },
  ),
  batch: 1,
})

export const LINEAR: readonly Case[] = [
  ofOnnxruntime(
    'FusedConv',
    'two groups, dilated',
    [4, 5, 6],
    { w: weights(2, 2, 2, 3), c: above(2) },
    { activation: 'Relu', group: 2, dilations: [2, 1], kernel_shape: [2, 3] },
  ),
  ofOnnxruntime(
    'FusedConv',
    'auto_pad',
    [2, 5, 6],
    { w: weights(3, 2, 2, 3), c: above(3) },
    { activation: 'Relu', auto_pad: 'SAME_UPPER', strides: [2, 2] },
  ),
  ofOnnxruntime(
    'FusedGemm',
    'transA and beta, batch fixed at 2',
    [3],
    { w: weights(2, 4), c: above(4) },
    { activation: 'Relu', transA: 1, beta: { float: 0.5 } },
    2,
  ),
  // Between its ends HardSigmoid is x/1024 + ½.
  ofOnnxruntime(
    'FusedGemm',
    'HardSigmoid, both parameters',
    [3],
    { w: weights(3, 4), c: weights(4) },
    { activation: 'HardSigmoid', activation_alpha: { float: 1 / 1024 }, activation_beta: { float: 0.5 } },
  ),
  ofOnnxruntime('TransposeMatMul', 'transB', [3, 4], { w: weights(5, 4) }, { transB: 1 }),
  ofOnnxruntime('UnfoldTensor', 'an axis from the back', [5, 3, 2], {}, { dim: -2, size: 2, step: 1 }),
  ofOnnxruntime('Pad', 'the edge, repeated', [3, 4], { pads: integers([0, 1, 2, 0, 0, 3]) }, { mode: 'edge' }),
  // So far to the right Gelu is the identity.
  asBias('BiasGelu', floating('float32', [3, 4], new Float32Array(12).fill(4096))),
  convolution('two groups, dilated', [4, 5, 6], 2, { group: 2, dilations: [2, 1] }),
  convolution('channels last, two groups, dilated', [5, 6, 4], 2, { channels_last: 1, group: 2, dilations: [1, 2] }),
  convolution('auto_pad', [2, 5, 6], 2, { auto_pad: 'SAME_UPPER', strides: [2, 2] }),
  pooling('auto_pad', { auto_pad: 'SAME_UPPER' }),
  pooling('a last window beyond the edge', { ceil_mode: 1, strides: [2, 2], pads: [1, 1, 0, 0] }),
  between('com.microsoft.QGemm, transA, batch fixed at 3', {
    shape: [2],
    batch: 3,
    inputs: ['q', 'qs', 'qz', 'w', 'ws', 'wz', 'c', 'rs', 'rz'],
    constants: { w: wholes('int8', [3, 4], 3, 2), ws: scale(1), wz: zero('int8', 0), c: wholes('int32', [4], 5, 9) },
    attributes: { transA: 1 },
  }),
  composed(
    'com.microsoft.QuantizeLinear and DequantizeLinear, a scale for each column, axes from the back',
    [3, 2],
    [
      makeNode('QuantizeLinear', ['x', 's', 'z'], ['q'], { axis: -1 }, '', 'com.microsoft'),
      makeNode('DequantizeLinear', ['q', 's', 'z'], ['y'], { axis: -1 }, '', 'com.microsoft'),
    ],
    { s: scale(0.25, 0.5), z: zero('int8', 1, -7) },
  ),
]

const pooled = (label: string, attributes: AttributeValues): Quantised => ({
  tested: between(`com.microsoft.NhwcMaxPool, ${label}`, {
    shape: [5, 4, 3],
    from: [scale(0.125), zero('int8', 10)],
    to: [scale(0.125), zero('int8', 10)],
    inputs: ['q'],
    attributes: { kernel_shape: [2, 2], ...attributes },
  }),
  twin: composed(
    `MaxPool, ${label}`,
    [5, 4, 3],
    [
      makeNode('Transpose', ['x'], ['first'], { perm: [0, 3, 1, 2] }),
      makeNode('MaxPool', ['first'], ['m'], { kernel_shape: [2, 2], ...attributes }),
      makeNode('Transpose', ['m'], ['y'], { perm: [0, 2, 3, 1] }),
    ],
    {},
    'float64',
  ),
  points: onSteps(0.125, 60),
})

const matrices = wholes('int8', [2, 4, 3], 3, 50)

export const QUANTISED: readonly Quantised[] = [
  {
    tested: ofOnnxruntime('DynamicQuantizeMatMul', 'x repeated', [1, 2, 4], { w: matrices, ws: scale(0.5) }, {}),
    twin: single('MatMul', [1, 2, 4], {
      type: 'float64',
      constants: {
        w: floating(
          'float64',
          [2, 4, 3],
          numbersOf(matrices).map((value) => value / 2),
        ),
      },
    }),
    points: dynamicSteps,
  },
  pooled('int8, dilated', { dilations: [2, 2], strides: [1, 1] }),
  pooled('int8, auto_pad', { auto_pad: 'SAME_LOWER', strides: [2, 2] }),
]

export const DOUBLED: readonly Doubled[] = [{ tested: asBias('FastGelu', reals('float32', [3, 4], 3)) }]
