import { makeNode } from '../../../src/onnx/attributes.js'
import type { AttributeValues } from '../../../src/onnx/attributes.js'
import type { Tensor } from '../../../src/onnx/graph.js'
import { composed, floating, integers, reals, single } from '../support.js'
import type { Case, Doubled } from '../support.js'
import { between, scale, whole, wholes, zero } from './quantised.js'
import type { Between } from './quantised.js'
import { onSteps } from './quantisedCurves.js'
import type { Quantised } from './quantisedCurves.js'

/** One node of com.microsoft on `x` and the constants. */
function contributed(
  op: string,
  shape: readonly number[],
  label: string,
  constants: Readonly<Record<string, Tensor>> = {},
  attributes: AttributeValues = {},
  inputs = ['x', ...Object.keys(constants)],
): Case {
  return composed(
    `com.microsoft.${op}, ${label}`,
    shape,
    [makeNode(op, inputs, ['y'], attributes, 'tested', 'com.microsoft')],
    constants,
  )
}

const scalar = (value: number): Tensor => floating('float32', [], [value])
const NHWC = [4, 6, 3]
const old = (op: string, attributes: AttributeValues): Case =>
  single(op, [3, 4, 5], { label: 'opset 9', attributes, opset: 9 })

function convolution(label: string, options: Partial<Between>): Case {
  return between(`com.microsoft.QLinearConv, ${label}`, {
    shape: NHWC,
    inputs: ['q', 'qs', 'qz', 'w', 'ws', 'wz', 'rs', 'rz', 'c'],
    constants: {
      w: wholes('int8', [2, 3, 2, 3], 3),
      ws: scale(0.5, 1),
      wz: zero('int8', 0, 0),
      c: wholes('int32', [2], 5, 8),
    },
    ...options,
  })
}

export const LINEAR: readonly Case[] = [
  contributed('Trilu', [4, 3], 'upper'),
  contributed('Trilu', [4, 3], 'lower, below the diagonal', { k: integers([-1], []) }, { upper: 0 }),
  contributed('Pad', [3, 4], 'constant', { pads: integers([0, 1, 2, 0, 0, 3]), value: scalar(2) }),
  contributed('Pad', [3, 4], 'reflected', { pads: integers([0, 2, 1, 0, 1, 3], [1, 6]) }, { mode: 'reflect' }),
  contributed('ExpandDims', [3, 4], 'in the middle', { axis: whole('int32', [], [2]) }),
  contributed('ExpandDims', [3, 4], 'behind', { axis: whole('int32', [], [-1]) }),
  contributed('UnfoldTensor', [3, 7], 'overlapping, the last axis', {}, { size: 3, step: 2 }),
  contributed('UnfoldTensor', [5, 2], 'an axis in between, a rest nobody sees', {}, { dim: 1, size: 2, step: 2 }),
  ...[1, 3].map((batch) => ({
    ...contributed('GatherND', [4, 3], `batch fixed at ${batch}`, {
      i: whole('int32', [3, 2], [0, 3, batch - 1, 0, 0, 3]),
    }),
    batch,
  })),
  contributed(
    'GridSample',
    [2, 4, 5],
    'halves, batch fixed at 1',
    { grid: floating('float32', [1, 1, 3, 2], [-0.5, 0, 0.25, 0.5, 0, -0.75]) },
    { mode: 'bilinear', align_corners: 1 },
  ),
  convolution('pads that differ, strides', {
    attributes: { channels_last: 1, kernel_shape: [2, 3], pads: [1, 0, 0, 2], strides: [2, 1] },
  }),
  convolution('channels first', { shape: [3, 4, 6] }),
  old('Affine', { alpha: { float: 2 }, beta: { float: -3 } }),
  old('ImageScaler', { scale: { float: 0.5 }, bias: { floats: [1, -2, 3] } }),
  old('Crop', { border: [1, 0, 2, 1] }),
  old('Crop', { border: [1, 2, 0, 0], scale: [2, 3] }),
].map((tested) => (tested.name.includes('GridSample') ? { ...tested, batch: 1 } : tested))

export const SMOOTH: readonly Case[] = [
  composed(
    'com.microsoft.Inverse, of matrices that are far from singular',
    [2, 3, 3],
    [makeNode('Add', ['x', 'c'], ['far']), makeNode('Inverse', ['far'], ['y'], {}, 'tested', 'com.microsoft')],
    { c: floating('float64', [3, 3], [6, 0, 0, 0, -6, 0, 0, 0, 6]) },
    'float64',
  ),
]

export const DOUBLED: readonly Doubled[] = [
  { tested: old('ScaledTanh', { alpha: { float: 1.5 }, beta: { float: 0.75 } }) },
  ...(
    [
      ['nearest', 'zeros'],
      ['bicubic', 'border'],
      ['bilinear', 'reflection'],
    ] as const
  ).map(([mode, padding_mode]) => ({
    tested: {
      ...contributed(
        'GridSample',
        [2, 4, 5],
        `${mode}, ${padding_mode}`,
        { grid: reals('float32', [3, 2, 3, 2], 5, -1.2, 1.2) },
        { mode, padding_mode },
      ),
      batch: 3,
    },
  })),
]

const pooled = { kernel_shape: [2, 2], strides: [2, 2], pads: [1, 0, 0, 0], ceil_mode: 1 }

export const QUANTISED: readonly Quantised[] = [
  {
    tested: between('com.microsoft.NhwcMaxPool', {
      shape: [5, 4, 3],
      from: [scale(0.125), zero('uint8', 100)],
      to: [scale(0.125), zero('uint8', 100)],
      inputs: ['q'],
      attributes: pooled,
    }),
    twin: composed(
      'MaxPool',
      [5, 4, 3],
      [
        makeNode('Transpose', ['x'], ['first'], { perm: [0, 3, 1, 2] }),
        makeNode('MaxPool', ['first'], ['m'], pooled),
        makeNode('Transpose', ['m'], ['y'], { perm: [0, 2, 3, 1] }),
      ],
      {},
      'float64',
    ),
    points: onSteps(0.125, 60),
  },
]
