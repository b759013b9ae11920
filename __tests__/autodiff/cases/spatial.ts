import { makeNode } from '../../../src/onnx/attributes.js'
import type { AttributeValues } from '../../../src/onnx/attributes.js'
import { composed, count, floating, integers, reals, single, smallIntegers } from '../support.js'
import type { Case, Doubled } from '../support.js'

const weights = (dims: readonly number[], seed = 3) => smallIntegers('float32', dims, seed)

/** @param kernel [C, M / group, ...] */
function transposed(
  label: string,
  shape: readonly number[],
  kernel: readonly number[],
  attributes: AttributeValues & { readonly group?: number } = {},
): Case {
  const filters = kernel[1] * (attributes.group ?? 1)
  const constants = { w: weights(kernel), bias: weights([filters], 5) }
  return single('ConvTranspose', shape, { label, constants, attributes })
}

/** DeformConv on 3×4 pixels whose image, offsets and mask are all cut out of x. */
function deformed(
  label: string,
  sizes: Readonly<Record<'channels' | 'filters' | 'group' | 'offset_group' | 'masked', number>>,
): Case {
  const { channels, filters, group, offset_group, masked } = sizes
  const shapes = [[channels, 3, 4], [offset_group * 8, 2, 3], ...(masked ? [[offset_group * 4, 2, 3]] : [])]
  const ends = shapes.map((_, at) => shapes.slice(0, at + 1).reduce((total, dims) => total + count(dims), 0))
  const parts = shapes.flatMap((_, at) => [
    makeNode('Slice', ['x', `from${at}`, `to${at}`, 'one'], [`flat${at}`]),
    makeNode('Reshape', [`flat${at}`, `shape${at}`], [`part${at}`]),
  ])
  const inputs = ['part0', 'w', 'part1', '', ...(masked ? ['part2'] : [])]
  return composed(
    `DeformConv, ${label}`,
    [ends[ends.length - 1]],
    [...parts, makeNode('DeformConv', inputs, ['y'], { group, offset_group })],
    {
      one: integers([1]),
      w: reals('float64', [filters, channels / group, 2, 2], 3),
      ...Object.fromEntries(
        shapes.flatMap((dims, at) => [
          [`from${at}`, integers([at === 0 ? 0 : ends[at - 1]])],
          [`to${at}`, integers([ends[at]])],
          [`shape${at}`, integers([-1, ...dims])],
        ]),
      ),
    },
    'float64',
  )
}

interface Pool {
  readonly kernel_shape: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly pads: readonly number[]
  readonly ceil_mode: number
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

/** Linear (or affine) in x: checked by the adjoint test, to the last bit. */
export const LINEAR: readonly Case[] = [
  transposed('plain', [2, 4, 3], [2, 3, 3, 2]),
  transposed('stride 2, pads and output_padding', [2, 4, 3], [2, 3, 3, 3], {
    strides: [2, 2],
    pads: [1, 1, 1, 1],
    output_padding: [1, 1],
  }),
  transposed('pads differ on each side', [2, 5, 5], [2, 3, 3, 4], { strides: [2, 3], pads: [0, 2, 1, 3] }),
  transposed('dilated', [2, 4, 5], [2, 2, 3, 2], { dilations: [2, 3], pads: [1, 0, 2, 1] }),
  transposed('dilated and strided', [1, 3, 4], [1, 2, 2, 3], { dilations: [3, 2], strides: [2, 3] }),
  transposed('two groups', [4, 3, 4], [4, 3, 3, 3], { group: 2, strides: [2, 2], pads: [1, 1, 1, 1] }),
  transposed('depthwise', [3, 3, 4], [3, 1, 2, 2], { group: 3, strides: [2, 2] }),
  transposed('output_shape, an odd rest', [2, 4, 4], [2, 3, 3, 3], { strides: [2, 2], output_shape: [8, 7] }),
  transposed('output_shape, SAME_UPPER', [2, 4, 4], [2, 3, 3, 4], {
    strides: [2, 2],
    output_shape: [8, 7],
    auto_pad: 'SAME_UPPER',
  }),
  transposed('auto_pad SAME_UPPER', [2, 4, 3], [2, 2, 3, 4], { strides: [2, 1], auto_pad: 'SAME_UPPER' }),
  transposed('auto_pad SAME_LOWER', [2, 4, 3], [2, 2, 3, 4], { strides: [2, 1], auto_pad: 'SAME_LOWER' }),
  transposed('auto_pad VALID', [2, 4, 3], [2, 2, 3, 3], { strides: [2, 2], auto_pad: 'VALID' }),
  transposed('kernel smaller than the stride', [2, 3, 3], [2, 2, 2, 1], { strides: [3, 3] }),
  transposed('one axis', [2, 5], [2, 3, 4], { strides: [2], pads: [1, 1] }),
  transposed('three axes', [2, 2, 3, 2], [2, 1, 2, 3, 2], { strides: [2, 1, 2], pads: [0, 1, 1, 1, 0, 0] }),

  single('DepthToSpace', [8, 2, 3], { label: 'DCR', attributes: { blocksize: 2 } }),
  single('DepthToSpace', [18, 2, 3], { label: 'CRD', attributes: { blocksize: 3, mode: 'CRD' } }),
  single('SpaceToDepth', [2, 6, 9], { attributes: { blocksize: 3 } }),

  single('CenterCropPad', [2, 7, 6], {
    label: 'odd rests, one axis cut and one padded',
    constants: { to: [4, 9] },
    attributes: { axes: [-2, 3] },
  }),
  single('CenterCropPad', [4, 5], { label: 'every axis, batch fixed at 2', batch: 2, constants: { to: [3, 7, 2] } }),
  single('Col2Im', [12, 12], {
    label: 'side by side',
    constants: { image: [6, 8], block: [2, 2] },
    attributes: { strides: [2, 2] },
  }),
  single('Col2Im', [18, 9], {
    label: 'overlapping, dilated, padded',
    constants: { image: [6, 7], block: [3, 3] },
    attributes: { strides: [2, 2], dilations: [2, 1], pads: [1, 0, 2, 1] },
  }),
  {
    ...composed(
      'MaxUnpool, places that do not depend on x, batch fixed at 2',
      [2, 2, 2],
      [makeNode('MaxUnpool', ['x', 'places'], ['y'], { kernel_shape: [2, 2], strides: [2, 2] })],
      { places: integers([0, 3, 14, 13, 17, 18, 31, 24, 37, 34, 44, 47, 48, 55, 59, 62], [2, 2, 2, 2]) },
    ),
    batch: 2,
  },
  single('Col2Im', [6, 5], { label: 'one axis', constants: { image: [7], block: [3] } }),
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
  ...[0, 1].flatMap((masked) => [
    deformed(`all from x, mask ${masked}`, { channels: 2, filters: 3, group: 1, offset_group: 1, masked }),
    deformed(`groups, mask ${masked}`, { channels: 4, filters: 2, group: 2, offset_group: 2, masked }),
  ]),
  single('DeformConv', [2, 4, 5], {
    label: 'a constant offset, strides, dilations, uneven pads, batch fixed at 2',
    type: 'float64',
    batch: 2,
    inputs: ['x', 'w', 'offset', 'bias'],
    constants: {
      w: reals('float64', [3, 2, 3, 2], 3),
      offset: reals('float64', [2, 12, 2, 2], 4),
      bias: reals('float64', [3], 5),
    },
    attributes: { strides: [2, 1], dilations: [1, 3], pads: [1, 0, 1, 0] },
  }),
]

/** Kernels in float32 only. */
export const DOUBLED: readonly Doubled[] = [
  ...[1, 2, 3].map((p) =>
    pooledNorm(`p ${p}, padded`, [2, 5, 4], p, [3, 2], { kernel_shape: [2, 3], strides: [2, 2], pads: [1, 0, 0, 1] }),
  ),
  pooledNorm('dilated', [1, 6, 5], 2, [4, 1], { kernel_shape: [2, 3], dilations: [2, 2] }),
  pooledNorm('ceil mode', [1, 5, 6], 3, [3, 3], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }),
  {
    tested: single('GlobalMaxPool', [2, 3, 4]),
    twin: single('ReduceMax', [2, 3, 4], { type: 'float64', constants: { axes: [2, 3] } }),
  },
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
