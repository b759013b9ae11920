import { makeNode } from '../../../src/onnx/attributes.js'
import type { AttributeValues } from '../../../src/onnx/attributes.js'
import { composed, floating, integers, single } from '../support.js'
import type { Case, Doubled } from '../support.js'

interface Pool {
  readonly kernel_shape: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly pads: readonly number[]
  readonly ceil_mode: number
  readonly auto_pad: string
}

/**
 * LpPool and the same in double: windows gathered by a table, powers, sum, root.
 *
 * @param output sizes the pool gives.
 */
function pooledNorm(
  label: string,
  shape: readonly number[],
  p: number,
  output: readonly number[],
  pool: Partial<Pool> & Pick<Pool, 'kernel_shape'>,
): Doubled {
  const { kernel_shape, strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0] } = pool
  const tables = kernel_shape.map((size, axis) =>
    integers(
      Array.from({ length: output[axis] * size }, (_, at) => {
        return Math.floor(at / size) * strides[axis] + (at % size) * dilations[axis]
      }),
      [output[axis], size],
    ),
  )
  // Windows may reach past what is padded: zeros add nothing.
  const around = [0, 0, pads[0], pads[1], 0, 0, pads[2] + 9, pads[3] + 9]
  const twin = composed(
    'twin',
    shape,
    [
      makeNode('Pad', ['x', 'around'], ['wide']),
      makeNode('Gather', ['wide', 'rows'], ['high'], { axis: 2 }),
      makeNode('Gather', ['high', 'columns'], ['windows'], { axis: 4 }),
      makeNode('Abs', ['windows'], ['sizes']),
      makeNode('Pow', ['sizes', 'p'], ['powers']),
      makeNode('ReduceSum', ['powers', 'axes'], ['sums'], { keepdims: 0 }),
      makeNode('Pow', ['sums', 'root'], ['y']),
    ],
    {
      around: integers(around),
      rows: tables[0],
      columns: tables[1],
      axes: integers([3, 5]),
      p: floating('float64', [], [p]),
      root: floating('float64', [], [1 / p]),
    },
    'float64',
  )
  return { tested: single('LpPool', shape, { label, attributes: { ...pool, p } }), twin }
}

/** Linear in x: checked by the adjoint test, to the last bit. */
/** Poolings that are written out, for onnxruntime runs none of them since opset 22; regions have regions.test.ts beside. */
export const LINEAR: readonly Case[] = [
  single('RoiAlign', [2, 6, 7], {
    label: 'fixed regions, weights in quarters',
    inputs: ['x', 'regions', 'images'],
    constants: { regions: floating('float32', [2, 4], [0, 1, 6, 5, 1.5, 0.5, 5.5, 4.5]), images: [0, 0] },
    attributes: { output_height: 2, output_width: 2, sampling_ratio: 2 },
    batch: 1,
    opset: 16,
  }),
  single('RoiAlign', [2, 6, 7], {
    label: 'fixed regions, batch fixed at 3',
    inputs: ['x', 'regions', 'images'],
    constants: { regions: floating('float32', [2, 4], [0, 1, 6, 5, 1.5, 0.5, 5.5, 4.5]), images: [2, 0] },
    attributes: { output_height: 2, output_width: 2, sampling_ratio: 2 },
    batch: 3,
    opset: 16,
  }),
  {
    ...composed(
      'MaxUnpool, strides over odd sizes, pads that differ, batch fixed at 1',
      [1, 3, 3],
      [makeNode('MaxUnpool', ['x', 'places'], ['y'], { kernel_shape: [3, 2], strides: [2, 2], pads: [1, 0, 0, 1] })],
      { places: integers([0, 3, 14, 13, 17, 18, 24, 7, 29], [1, 1, 3, 3]) },
    ),
    batch: 1,
  },
  {
    ...composed(
      'MaxUnpool, places that do not depend on x, batch fixed at 2',
      [2, 2, 2],
      [makeNode('MaxUnpool', ['x', 'places'], ['y'], { kernel_shape: [2, 2], strides: [2, 2] })],
      { places: integers([0, 3, 14, 13, 17, 18, 31, 24, 37, 34, 44, 47, 48, 55, 59, 62], [2, 2, 2, 2]) },
    ),
    batch: 2,
  },
]

function average(label: string, attributes: AttributeValues): Case {
  return single('AveragePool', [1, 7, 8], { label, attributes: { kernel_shape: [3, 2], ...attributes } })
}

/** Linear, with weights that float32 rounds; see columns.test.ts. */
export const ROUNDED: readonly Case[] = [0, 1].flatMap((count_include_pad) => [
  average(`pads counted ${count_include_pad}`, { count_include_pad, strides: [2, 1], pads: [1, 0, 2, 1] }),
  average(`ceil mode, pads counted ${count_include_pad}`, {
    count_include_pad,
    ceil_mode: 1,
    strides: [3, 3],
    pads: [1, 1, 0, 1],
  }),
  average(`dilated, ceil mode, pads counted ${count_include_pad}`, {
    count_include_pad,
    ceil_mode: 1,
    dilations: [2, 3],
    strides: [2, 2],
    pads: [2, 1, 1, 0],
  }),
  average(`SAME_UPPER, pads counted ${count_include_pad}`, {
    count_include_pad,
    strides: [2, 2],
    auto_pad: 'SAME_UPPER',
  }),
  average(`SAME_LOWER, pads counted ${count_include_pad}`, {
    count_include_pad,
    strides: [2, 3],
    auto_pad: 'SAME_LOWER',
  }),
  // onnxruntime pads for the kernel as it is, not for what it covers when dilated.
  average(`SAME_UPPER, dilated, pads counted ${count_include_pad}`, {
    count_include_pad,
    strides: [3, 1],
    dilations: [2, 2],
    auto_pad: 'SAME_UPPER',
  }),
  average(`SAME_LOWER, dilated, pads counted ${count_include_pad}`, {
    count_include_pad,
    kernel_shape: [2, 2],
    strides: [3, 1],
    dilations: [2, 2],
    auto_pad: 'SAME_LOWER',
  }),
  average(`around each pixel, pads counted ${count_include_pad}`, {
    count_include_pad,
    kernel_shape: [3, 5],
    pads: [1, 2, 1, 2],
  }),
])

/** Nonlinear, with kernels in double: checked against central differences in float64. */
export const SMOOTH: readonly Case[] = [
  single('MaxPool', [2, 5, 6], {
    label: 'dilated, two axes, ceil mode',
    type: 'float64',
    attributes: { kernel_shape: [2, 3], dilations: [2, 1], strides: [2, 2], ceil_mode: 1, pads: [1, 0, 0, 1] },
  }),
  single('MaxPool', [2, 4, 5], {
    label: 'auto_pad SAME_LOWER',
    type: 'float64',
    attributes: { kernel_shape: [2, 2], auto_pad: 'SAME_LOWER' },
  }),
  composed(
    'MaxPool, indices read by the model, columns first',
    [2, 4, 6],
    [makeNode('MaxPool', ['x'], ['y', 'indices'], { kernel_shape: [2, 2], strides: [2, 2], storage_order: 1 })],
    {},
    'float64',
  ),
]

/** Kernels in float32 only. */
export const DOUBLED: readonly Doubled[] = [
  ...[1, 2, 3].map((p) => ({
    tested: single('GlobalLpPool', [2, 3, 2], { label: `p ${p}`, attributes: { p }, opset: 21 }),
  })),
  {
    tested: single('MaxRoiPool', [2, 4, 5], {
      label: 'one fixed region, of any image',
      constants: { regions: floating('float32', [1, 5], [0, 0, 1, 4, 3]) },
      attributes: { pooled_shape: [2, 2] },
      batch: 1,
      opset: 7,
    }),
  },
  {
    tested: single('MaxRoiPool', [2, 4, 5], {
      label: 'fixed regions, batch fixed at 3',
      constants: { regions: floating('float32', [2, 5], [2, 0, 1, 4, 3, 0, 1, 0, 3, 3]) },
      attributes: { pooled_shape: [2, 2] },
      batch: 3,
      opset: 7,
    }),
  },
  pooledNorm('auto_pad', [1, 5, 4], 2, [3, 2], {
    kernel_shape: [2, 2],
    strides: [2, 2],
    auto_pad: 'SAME_UPPER',
  }),
  ...[1, 2, 3].map((p) =>
    pooledNorm(`p ${p}, padded`, [2, 5, 4], p, [3, 2], { kernel_shape: [2, 3], strides: [2, 2], pads: [1, 0, 0, 1] }),
  ),
  pooledNorm('dilated', [1, 6, 5], 2, [4, 1], { kernel_shape: [2, 3], dilations: [2, 2] }),
  pooledNorm('ceil mode', [1, 5, 6], 3, [3, 3], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }),
  {
    tested: single('GlobalMaxPool', [2, 3, 4]),
    twin: single('ReduceMax', [2, 3, 4], { type: 'float64', constants: { axes: [2, 3] } }),
  },
  ...(
    [
      ['side by side', [2, 4, 6], { kernel_shape: [2, 3], strides: [2, 3] }],
      ['with pixels between and behind them that no window sees', [2, 7, 8], { kernel_shape: [2, 1], strides: [3, 3] }],
      ['side by side, columns first', [2, 4, 4], { kernel_shape: [2, 2], strides: [2, 2], storage_order: 1 }],
      ['side by side on a line', [2, 7], { kernel_shape: [2], strides: [2] }],
      ['side by side in space', [1, 2, 4, 4], { kernel_shape: [2, 2, 2], strides: [2, 2, 2] }],
      ['side by side, the last beyond the rim', [1, 5, 4], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }],
    ] as const
  ).map(([label, shape, attributes]) => ({ tested: single('MaxPool', shape, { label, attributes }) })),
  {
    tested: composed(
      'MaxUnpool, after MaxPool',
      [2, 4, 4],
      [
        makeNode('MaxPool', ['x'], ['m', 'places'], { kernel_shape: [2, 2], strides: [2, 2] }),
        makeNode('Mul', ['m', 'm'], ['s']),
        makeNode('MaxUnpool', ['s', 'places'], ['y'], { kernel_shape: [2, 2], strides: [2, 2] }),
      ],
    ),
    twin: composed(
      'twin',
      [2, 4, 4],
      [
        makeNode('Reshape', ['x', 'apart'], ['tiles']),
        makeNode('ReduceMax', ['tiles', 'axes'], ['m']),
        makeNode('Equal', ['tiles', 'm'], ['largest']),
        makeNode('Mul', ['tiles', 'tiles'], ['s']),
        makeNode('Where', ['largest', 's', 'zero'], ['kept']),
        makeNode('Reshape', ['kept', 'together'], ['y']),
      ],
      {
        apart: integers([-1, 2, 2, 2, 2, 2]),
        axes: integers([3, 5]),
        zero: floating('float64', [], [0]),
        together: integers([-1, 2, 4, 4]),
      },
      'float64',
    ),
  },
]
