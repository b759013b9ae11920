import { makeNode } from '../../../src/onnx/attributes.js'
import type { AttributeValues } from '../../../src/onnx/attributes.js'
import { composed, floating, integers, single } from '../support.js'
import type { Case } from '../support.js'
import { between, scale, zero } from './quantised.js'

export interface Kink {
  readonly op: string
  readonly x: readonly number[]
  /** d Σy / dx: PyTorch's answer where PyTorch has the operator. */
  readonly slopes: readonly number[]
  readonly others?: Readonly<Record<string, readonly number[]>>
  readonly attributes?: AttributeValues
  /** Axis 1 is reduced. */
  readonly reduces?: boolean
  /** The same in each of so many channels of a map, which is differentiated in operators of its own. */
  readonly channels?: number
}

export const KINKS: readonly Kink[] = [
  { op: 'Abs', x: [0, -2], slopes: [0, -1] },
  { op: 'Relu', x: [0, 2], slopes: [0, 1] },
  { op: 'LeakyRelu', x: [0, 1], attributes: { alpha: { float: 0.25 } }, slopes: [0.25, 1] },
  { op: 'Elu', x: [0, 1], attributes: { alpha: { float: 0.5 } }, slopes: [0.5, 1] },
  { op: 'LeakyRelu', x: [0, 1], attributes: { alpha: { float: 0.25 } }, slopes: [0.25, 1], channels: 16 },
  { op: 'HardSigmoid', x: [-2.5, 0, 2.5], slopes: [0, Math.fround(0.2), 0] },
  { op: 'HardSigmoid', x: [-2.5, 0, 2.5], slopes: [0, Math.fround(0.2), 0], channels: 16 },
  { op: 'HardSwish', x: [-4, -3, 0, 3, 4], slopes: [0, 0, 0.5, 1, 1] },
  { op: 'HardSwish', x: [-4, -3, 0, 3, 4], slopes: [0, 0, 0.5, 1, 1], channels: 16 },
  { op: 'Clip', x: [-1, 0, 1, 2], others: { low: [-1], high: [1] }, slopes: [1, 1, 1, 0] },
  { op: 'Celu', x: [0, 1], attributes: { alpha: { float: 0.5 } }, slopes: [1, 1] },
  { op: 'Selu', x: [0, 1], attributes: { alpha: { float: 0.5 }, gamma: { float: 1.25 } }, slopes: [0.625, 1.25] },
  { op: 'PRelu', x: [0, 1], others: { slope: [0.25, 0.25] }, slopes: [0.25, 1] },
  { op: 'ThresholdedRelu', x: [1, 2], slopes: [0, 1] },
  { op: 'Shrink', x: [-0.5, 0.5, 0.75], slopes: [0, 0, 1] },
  // A jump is not seen.
  { op: 'Mod', x: [3, -3], others: { c: [1.5] }, attributes: { fmod: 1 }, slopes: [1, 1] },
  { op: 'Sign', x: [-1.5, -1, 0, 1], slopes: [0, 1, 1, 1] },
  { op: 'Max', x: [0, 1, -1], others: { c: [0, 0, 0] }, slopes: [0.5, 1, 0] },
  { op: 'Min', x: [0, 1, -1], others: { c: [0, 0, 0] }, slopes: [0.5, 0, 1] },
  { op: 'Max', x: [0, 1, -1], others: { a: [0, 1, 1], c: [-1, 1, 1] }, slopes: [0.5, Math.fround(1 / 3), 0] },
  { op: 'ReduceMax', x: [2, 1, 2, 0], slopes: [0.5, 0, 0.5, 0], reduces: true },
  { op: 'ReduceMin', x: [2, 0, 0, 0.5], slopes: [0, 0.5, 0.5, 0], reduces: true },
  { op: 'ReduceL1', x: [0, -3, 2], slopes: [0, -1, 1], reduces: true },
  { op: 'ReduceL2', x: [0, 0], slopes: [0, 0], reduces: true },
  { op: 'ReduceL2', x: [3, -4], slopes: [Math.fround(0.6), Math.fround(-0.8)], reduces: true },
  { op: 'ReduceProd', x: [2, -3, 4], slopes: [-12, 8, -6], reduces: true },
  { op: 'ReduceProd', x: [2, 0, 3], slopes: [0, 6, 0], reduces: true },
  { op: 'ReduceProd', x: [2, 0, 0], slopes: [0, 0, 0], reduces: true },
]

/** d Σy / dx on 2×3 pixels, by hand; of equal maxima PyTorch takes the first. */
export const POOL_KINKS: readonly (readonly [string, AttributeValues, readonly number[], readonly number[]])[] = [
  ['MaxPool', { kernel_shape: [2, 3] }, [1, 2, 2, 2, 0, 1], [0, 1, 0, 0, 0, 0]],
  ['MaxPool', { kernel_shape: [2, 3], storage_order: 1 }, [1, 2, 2, 2, 0, 1], [0, 1, 0, 0, 0, 0]],
  ['MaxPool', { kernel_shape: [2, 3], strides: [2, 3] }, [1, 2, 2, 2, 0, 1], [0, 1, 0, 0, 0, 0]],
  ['GlobalMaxPool', {}, [1, 0, 2, 2, 2, 1], [0, 0, 1, 0, 0, 0]],
  ['LpPool', { kernel_shape: [2, 3] }, [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]],
  ['LpPool', { kernel_shape: [2, 3], p: 3 }, [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]],
  ['LpPool', { kernel_shape: [2, 1], p: 3 }, [0, 0, -2, -3, 0, 0], [0, 0, -1, -1, 0, 0]],
  ['GlobalLpPool', {}, [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]],
  ['GlobalLpPool', { p: 3 }, [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]],
  ['GlobalLpPool', { p: 3 }, [0, 0, -1, 0, 0, 0], [0, 0, -1, 0, 0, 0]],
  ['LpPool', { kernel_shape: [2, 3], p: 1 }, [0, 1, -2, 0, 0, 3], [0, 1, -1, 0, 0, 1]],
]

/** Where a kink or a tie takes more than one row to show. */
export interface Tie {
  readonly tested: Case
  /** One image. */
  readonly x: readonly number[]
  /** d Σ(weights · y) / dx, by hand. */
  readonly slopes: readonly number[]
  /** 1 where left out. */
  readonly weights?: readonly number[]
}

const scatter = (op: string, reduction: string, inputs: readonly string[], constants: Case['constants']): Case => ({
  ...single(op, [2], {
    label: `${reduction}, x as ${inputs[0] === 'x' ? 'data' : 'updates'}`,
    inputs,
    constants,
    attributes: { reduction, ...(op === 'ScatterElements' && { axis: 1 }) },
  }),
  batch: 1,
})
const pair = floating('float32', [1, 2], [5, 6])
const two = floating('float32', [1, 1], [2])
const line = floating('float32', [1, 1, 1, 3], [0, 1, 3])

export const TIES: readonly Tie[] = [
  // On a pixel, between its neighbours on both sides: that on the right, 3 − 1, half a width of 3 pixels being one.
  {
    tested: single('GridSample', [1, 1, 2], {
      inputs: ['image', 'x'],
      constants: { image: line },
      attributes: { align_corners: 1 },
      batch: 1,
    }),
    x: [0, 0],
    slopes: [2, 0],
  },
  {
    tested: {
      ...composed(
        'com.microsoft.GridSample',
        [1, 1, 2],
        [makeNode('GridSample', ['image', 'x'], ['y'], { align_corners: 1 }, '', 'com.microsoft')],
        { image: line },
      ),
      batch: 1,
    },
    x: [0, 0],
    slopes: [2, 0],
  },
  // Each of four pixels moved down, where nothing is, and to the right; shares of four are exact.
  {
    tested: single('DeformConv', [2, 1, 4], {
      inputs: ['image', 'w', 'x'],
      constants: {
        image: floating('float32', [1, 1, 1, 4], [0, 1, 3, 4]),
        w: floating('float32', [1, 1, 1, 1], [1]),
      },
      batch: 1,
    }),
    x: [0, 0, 0, 0, 0, 0, 0, 0],
    slopes: [0, -1, -3, -4, 1, 2, 1, -4],
  },
  // Two maxima in each of the two channels: the first takes all. All on steps, so that rounding changes nothing.
  {
    tested: between('com.microsoft.NhwcMaxPool', {
      shape: [2, 2, 2],
      to: [scale(0.5), zero('uint8', 128)],
      inputs: ['q'],
      attributes: { kernel_shape: [2, 2] },
    }),
    x: [1, 4, 3, 2, 3, 4, 2, 0],
    slopes: [0, 1, 1, 0, 0, 0, 0, 0],
  },
  ...['L1', 'L2'].map((norm) => ({
    tested: composed(
      `ai.onnx.ml.Normalizer, ${norm}`,
      [2],
      [makeNode('Normalizer', ['x'], ['y'], { norm }, '', 'ai.onnx.ml')],
    ),
    x: [0, 0],
    slopes: [0, 0],
  })),
  { tested: single('LpNormalization', [2]), x: [0, 0], slopes: [0, 0] },
  // Σ x/(|x₁| + |x₂|): 1/3 for the first, whose |x| is flat; 1/3 − 3/9 for the second.
  { tested: single('LpNormalization', [2], { label: 'p 1', attributes: { p: 1 } }), x: [0, -3], slopes: [1 / 3, 0] },
  // (x₁ − mean) / 10⁻⁹, what the standard adds to a deviation of 0; that it counts as 10⁻¹⁵ takes a millionth off.
  {
    tested: single('MeanVarianceNormalization', [1, 1, 2], { batch: 1 }),
    x: [2, 2],
    weights: [1, 0],
    slopes: [0.5e9 * (1 - 1e-6), -0.5e9 * (1 - 1e-6)],
  },
  {
    tested: scatter('ScatterElements', 'max', ['x', 'i', 'c'], { i: integers([0], [1, 1]), c: two }),
    x: [2, 1],
    slopes: [0.5, 1],
  },
  {
    tested: scatter('ScatterElements', 'none', ['c', 'i', 'x'], { i: integers([1, 1], [1, 2]), c: pair }),
    x: [3, 4],
    slopes: [1, 1],
  },
  {
    tested: scatter('ScatterND', 'min', ['x', 'i', 'c'], {
      i: integers([0, 0], [1, 2]),
      c: floating('float32', [1], [2]),
    }),
    x: [2, 1],
    slopes: [0.5, 1],
  },
  {
    tested: scatter('ScatterND', 'none', ['c', 'i', 'x'], { i: integers([0, 1, 0, 1], [1, 2, 2]), c: pair }),
    x: [3, 4],
    slopes: [1, 1],
  },
  {
    tested: composed('TopK', [3], [makeNode('TopK', ['x', 'k'], ['y', 'places'], { axis: 1 })], { k: integers([1]) }),
    x: [1, 3, 3],
    slopes: [0, 1, 0],
  },
  { tested: single('Unique', [3], { batch: 1 }), x: [2, 1, 2], slopes: [1, 1, 0] },
  {
    tested: composed(
      'FusedConv, Relu',
      [1, 1, 2],
      [makeNode('FusedConv', ['x', 'w'], ['y'], { activation: 'Relu' }, '', 'com.microsoft')],
      { w: floating('float32', [1, 1, 1, 1], [1]) },
    ),
    x: [0, 2],
    slopes: [0, 1],
  },
  {
    tested: composed(
      'FusedGemm, LeakyRelu',
      [1],
      [
        makeNode(
          'FusedGemm',
          ['x', 'w', 'c'],
          ['y'],
          { activation: 'LeakyRelu', activation_alpha: { float: 0.25 } },
          '',
          'com.microsoft',
        ),
      ],
      { w: floating('float32', [1, 1], [1]), c: floating('float32', [1], [0]) },
    ),
    x: [0],
    slopes: [0.25],
  },
  {
    tested: single('MaxRoiPool', [1, 2, 2], {
      constants: { region: floating('float32', [1, 5], [0, 0, 0, 1, 1]) },
      attributes: { pooled_shape: [1, 1] },
      batch: 1,
      opset: 7,
    }),
    x: [3, 3, 3, 3],
    slopes: [1, 0, 0, 0],
  },
  // One sample in the middle of four pixels; onnxruntime takes the greatest of their shares, not the greatest sample.
  {
    tested: single('RoiAlign', [1, 2, 2], {
      inputs: ['x', 'region', 'images'],
      constants: { region: floating('float32', [1, 4], [0, 0, 1, 1]), images: [0] },
      attributes: { mode: 'max', output_height: 1, output_width: 1, sampling_ratio: 1 },
      batch: 1,
      opset: 10,
    }),
    x: [3, 3, 3, 3],
    slopes: [0.25, 0, 0, 0],
  },
]
