import { makeNode } from '../../../src/onnx/attributes.js'
import { composed, floating, integers, single, smallIntegers } from '../support.js'
import type { Case, Floating } from '../support.js'

const weights = (dims: readonly number[], seed = 3, type: Floating = 'float32') => smallIntegers(type, dims, seed)
const cube = [2, 3, 4]
const truth = (bits: readonly number[], dims: readonly number[]) => ({
  type: 'bool' as const,
  dims,
  data: Uint8Array.from(bits),
})

function conv(
  label: string,
  shape: readonly number[],
  kernel: readonly number[],
  attributes: Parameters<typeof makeNode>[3],
): Case {
  return single('Conv', shape, { label, constants: { w: weights(kernel), bias: weights([kernel[0]], 5) }, attributes })
}

/** Linear (or affine) in x: checked by the adjoint test, to the last bit. */
export const LINEAR: readonly Case[] = [
  conv('plain', [2, 6, 5], [3, 2, 3, 3], {}),
  conv('padded', [2, 6, 5], [3, 2, 3, 3], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
  conv('pads differ on each side', [2, 6, 7], [3, 2, 3, 4], { pads: [0, 2, 1, 1] }),
  conv('more padding than the kernel reaches', [1, 4, 4], [2, 1, 2, 2], { pads: [2, 2, 3, 2] }),
  conv('dilated', [2, 9, 8], [3, 2, 3, 2], { dilations: [2, 3], pads: [1, 0, 2, 1] }),
  conv('stride 2, 4×4', [2, 8, 8], [3, 2, 4, 4], { strides: [2, 2], pads: [1, 1, 1, 1] }),
  conv('stride 2, 3×3, odd size', [2, 7, 9], [3, 2, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }),
  conv('stride 2, 1×1', [3, 7, 6], [2, 3, 1, 1], { strides: [2, 2] }),
  conv('stride 3, 2×2: pixels that nobody sees', [1, 8, 8], [2, 1, 2, 2], { strides: [3, 3] }),
  conv('stride 2, 3×3, a row left over', [1, 8, 6], [2, 1, 3, 3], { strides: [2, 2] }),
  conv('strides differ', [2, 7, 9], [3, 2, 3, 3], { strides: [2, 3], pads: [1, 1, 1, 1] }),
  conv('strided and dilated', [2, 11, 11], [3, 2, 3, 3], { strides: [2, 2], dilations: [2, 2], pads: [2, 2, 2, 2] }),
  conv('two groups', [4, 5, 5], [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }),
  conv('two groups, stride 2', [4, 6, 6], [6, 2, 3, 3], { group: 2, strides: [2, 2], pads: [1, 1, 1, 1] }),
  conv('depthwise', [4, 5, 6], [4, 1, 3, 3], { group: 4, pads: [1, 1, 1, 1] }),
  conv('depthwise, stride 2', [3, 7, 7], [6, 1, 3, 3], { group: 3, strides: [2, 2], pads: [1, 1, 1, 1] }),
  conv('depthwise, 3×3, stride 2', [3, 8, 9], [3, 1, 3, 3], { group: 3, strides: [2, 2], pads: [1, 1, 1, 1] }),
  conv('depthwise, 5×5, stride 2', [3, 8, 9], [3, 1, 5, 5], { group: 3, strides: [2, 2], pads: [2, 2, 2, 2] }),
  conv('depthwise, 5×5, strides differ', [2, 9, 8], [2, 1, 5, 5], { group: 2, strides: [3, 2], pads: [1, 2, 3, 2] }),
  conv('auto_pad SAME_UPPER', [2, 7, 6], [3, 2, 4, 4], { auto_pad: 'SAME_UPPER', strides: [2, 2] }),
  conv('auto_pad SAME_LOWER', [2, 7, 6], [3, 2, 4, 2], { auto_pad: 'SAME_LOWER' }),
  // The shortcuts of Keras: one row and one column fewer than there are is no reason to refuse them.
  conv('auto_pad SAME_UPPER, 1×1/2 of an even size', [2, 6, 4], [3, 2, 1, 1], {
    auto_pad: 'SAME_UPPER',
    strides: [2, 2],
  }),
  conv('auto_pad SAME_LOWER, 1×1/2 of an even size', [2, 6, 4], [3, 2, 1, 1], {
    auto_pad: 'SAME_LOWER',
    strides: [2, 2],
  }),
  conv('auto_pad VALID', [2, 7, 6], [3, 2, 3, 3], { auto_pad: 'VALID', strides: [2, 2] }),
  conv('one axis', [3, 9], [4, 3, 3], { strides: [2], pads: [1, 1] }),
  conv('three axes', [1, 4, 5, 4], [2, 1, 2, 3, 2], { pads: [0, 1, 1, 1, 1, 0] }),
  single('Conv', [2, 5, 5], { label: 'batch fixed at 3', batch: 3, constants: { w: weights([2, 2, 3, 3]) } }),

  single('Gemm', [4], {
    label: 'transB',
    constants: { w: weights([3, 4]), c: weights([3], 9) },
    attributes: { transB: 1 },
  }),
  single('Gemm', [4], {
    label: 'alpha and beta',
    constants: { w: weights([4, 3]), c: weights([1, 3], 9) },
    attributes: { alpha: { float: 2 }, beta: { float: 0.5 } },
  }),
  // x takes the bias' place: [N, 3] = A·B + β·x is affine in it.
  single('Gemm', [3], {
    label: 'x as the bias, batch fixed at 3',
    batch: 3,
    inputs: ['a', 'b', 'x'],
    constants: { a: weights([3, 2]), b: weights([2, 3], 5) },
    attributes: { beta: { float: 2 } },
  }),
  ...[
    { label: 'rows', shape: [3], batch: 1 },
    { label: 'columns', shape: [1], batch: 3 },
  ].map(({ label, shape, batch }) =>
    single('Gemm', shape, {
      label: `x as the bias, repeated in ${label}`,
      batch,
      inputs: ['a', 'b', 'x'],
      constants: { a: weights([3, 2]), b: weights([2, 3], 5) },
    }),
  ),
  single('Gemm', [3], {
    label: 'transA, batch fixed at 2',
    batch: 2,
    constants: { w: weights([2, 4]) },
    attributes: { transA: 1 },
  }),
  single('Gemm', [3], {
    label: 'x on the right, batch fixed at 2',
    batch: 2,
    inputs: ['a', 'x'],
    constants: { a: weights([5, 2]) },
  }),
  single('Gemm', [3], {
    label: 'x on the right, both transposed, batch fixed at 2',
    batch: 2,
    inputs: ['a', 'x'],
    constants: { a: weights([3, 5]) },
    attributes: { transA: 1, transB: 1 },
  }),
  single('MatMul', [3, 4], { constants: { w: weights([4, 5]) } }),
  single('MatMul', [40], { label: 'more weights than are turned at once', constants: { w: weights([40, 35]) } }),
  single('MatMul', [2, 3, 4], { label: 'weights with their own batch', constants: { w: weights([2, 4, 5]) } }),
  single('MatMul', [1, 3, 4], { label: 'broadcast over x', constants: { w: weights([6, 4, 2]) } }),
  single('MatMul', [3, 4], { label: 'a vector on the right', constants: { w: weights([4]) } }),
  single('MatMul', [4, 3], { label: 'x on the right', inputs: ['w', 'x'], constants: { w: weights([2, 4]) } }),
  single('MatMul', [4, 3], { label: 'a vector on the left', inputs: ['w', 'x'], constants: { w: weights([4]) } }),
  ...[
    { shape: [4, 3, 5], w: weights([7, 5]) },
    { shape: [4, 1, 5], w: weights([3, 7, 5]) },
  ].map(({ shape, w }) =>
    composed(
      `MatMul, x split into ${shape[1]} heads and turned on the right`,
      shape,
      [makeNode('Transpose', ['x'], ['t'], { perm: [0, 2, 3, 1] }), makeNode('MatMul', ['w', 't'], ['y'])],
      { w },
    ),
  ),

  single('Add', cube, { label: 'constant broadcast', constants: { c: weights([3, 1]) } }),
  single('Add', [1, 4], { label: 'x broadcast', constants: { c: weights([3, 1]) } }),
  single('Add', [4], {
    label: 'x broadcast into more axes, batch fixed at 3',
    batch: 3,
    constants: { c: weights([2, 3, 1]) },
  }),
  composed('Add, x with itself', cube, [makeNode('Add', ['x', 'x'], ['y'])]),
  single('Sub', cube, { constants: { c: weights([4]) } }),
  single('Sub', [3, 1], {
    label: 'x on the right, broadcast',
    inputs: ['c', 'x'],
    constants: { c: weights([1, 1, 4]) },
  }),
  single('Mul', cube, { label: 'by a constant', constants: { c: weights([3, 1]) } }),
  single('Mul', [1, 3], { label: 'x broadcast', constants: { c: weights([4, 1]) } }),
  single('Div', cube, { label: 'by powers of two', constants: { c: floating('float32', [4], [1, 2, -4, 0.5]) } }),
  single('Neg', cube),

  single('AveragePool', [2, 6, 8], { label: 'tiles', attributes: { kernel_shape: [2, 4], strides: [2, 4] } }),
  single('AveragePool', [2, 8, 8], {
    label: 'overlapping, powers of two',
    attributes: { kernel_shape: [2, 4], strides: [1, 2] },
  }),
  single('AveragePool', [2, 7, 7], {
    label: 'padded, pads counted',
    attributes: { kernel_shape: [2, 4], strides: [2, 2], pads: [1, 1, 0, 2], count_include_pad: 1 },
  }),
  single('AveragePool', [1, 8, 9], {
    label: 'a rest nobody sees',
    attributes: { kernel_shape: [2, 2], strides: [3, 2] },
  }),
  single('AveragePool', [2, 8], { label: 'one axis', attributes: { kernel_shape: [4], strides: [2] } }),
  single('GlobalAveragePool', [3, 4, 2]),

  single('Flatten', cube),
  single('Flatten', cube, { label: 'axis 2: the batch is merged', attributes: { axis: 2 } }),
  single('Flatten', cube, { label: 'an axis from the back', attributes: { axis: -1 } }),
  single('Reshape', cube, { constants: { to: [0, 4, -1] } }),
  single('Reshape', cube, { label: 'allowzero', constants: { to: [-1, 4, 6] }, attributes: { allowzero: 1 } }),
  single('Squeeze', [1, 3, 1], { constants: { axes: [1, -1] } }),
  single('Unsqueeze', [2, 3], { constants: { axes: [1, -1] } }),
  single('Transpose', cube, { attributes: { perm: [0, 3, 1, 2] } }),
  single('Transpose', [3, 2], { label: 'reversed, batch fixed at 3', batch: 3 }),
  single('Identity', cube),
  single('Concat', [2, 3], { label: 'x twice, negative axis', inputs: ['x', 'x'], attributes: { axis: -2 } }),
  single('Concat', [2, 3], {
    label: 'with a constant, batch fixed at 2',
    batch: 2,
    inputs: ['c', 'x'],
    constants: { c: weights([2, 2, 4]) },
    attributes: { axis: 2 },
  }),
  single('Expand', [1, 3], { constants: { to: [1, 4, 3] } }),
  single('Expand', [3, 1], { label: 'new axes in front, batch fixed at 2', batch: 2, constants: { to: [5, 2, 3, 2] } }),
  single('Where', cube, {
    label: 'x chosen',
    inputs: ['c', 'x', 'o'],
    constants: { c: truth([1, 0, 1, 0], [4]), o: weights([1]) },
  }),
  single('Where', [3, 1], {
    label: 'x otherwise, broadcast',
    inputs: ['c', 'o', 'x'],
    constants: { c: truth([1, 0, 0, 1], [4]), o: weights([1]) },
  }),
  single('Cast', cube, { label: 'to double', attributes: { to: 11 } }),

  single('Slice', [6, 5], { label: 'plain', constants: { from: [1, -4], to: [4, 9], axes: [1, -1] } }),
  single('Slice', [7, 5], { label: 'steps', constants: { from: [1, 0], to: [6, 5], axes: [1, 2], steps: [2, 3] } }),
  single('Slice', [7], { label: 'backwards', constants: { from: [-2], to: [-9], axes: [1], steps: [-2] } }),
  // As tf2onnx writes x[:, ::2]: every axis is named.
  single('Slice', [7, 5], {
    label: 'steps beside the whole batch',
    constants: { from: [0, 1, 0], to: [2 ** 31, 6, 2 ** 31], axes: [0, 1, 2], steps: [1, 2, 1] },
  }),
  // As PyTorch's older exporter cuts what scatter_add adds to the size of its indices.
  composed(
    'Slice, to a size that follows from shapes, the batch among them',
    [6, 5],
    [
      makeNode('Shape', ['x'], ['sizes']),
      makeNode('Sub', ['sizes', 'fewer'], ['to']),
      makeNode('Slice', ['x', 'from', 'to'], ['y']),
    ],
    { fewer: integers([0, 2, 1]), from: integers([0, 1, -4]) },
  ),
  composed(
    'Slice, in steps to a size that follows from shapes, the batch among them',
    [6, 5],
    [
      makeNode('Shape', ['x'], ['sizes']),
      makeNode('Sub', ['sizes', 'fewer'], ['to']),
      makeNode('Slice', ['x', 'from', 'to', 'axes', 'steps'], ['y']),
    ],
    { fewer: integers([0, 1, 5]), from: integers([0, 1, 9]), axes: integers([0, 1, 2]), steps: integers([1, 3, -2]) },
  ),
  single('Gather', [5, 3], { label: 'scalar index', constants: { i: integers([-2], []) }, attributes: { axis: 1 } }),
  single('Gather', [5, 3], { label: 'repeated indices', constants: { i: [4, 0, 4, -1] }, attributes: { axis: 1 } }),
  single('Gather', [2, 5], {
    label: 'a matrix of indices',
    constants: { i: integers([1, 1, 0, -1, 3, 2], [2, 3]) },
    attributes: { axis: 2 },
  }),
  single('Gather', [2, 5], { label: 'an axis from the back', constants: { i: [3, -5] }, attributes: { axis: -1 } }),
  single('Gather', [3, 4], { label: 'along the batch, fixed at 3', batch: 3, constants: { i: [2, 0] } }),
  single('Pad', [3, 4], { label: 'constant', constants: { pads: [0, 1, 2, 0, 0, 3] } }),
  single('Pad', [3, 4], { label: 'cut', constants: { pads: [0, -1, 1, 0, 0, -2] } }),
  single('Pad', [3, 4], {
    label: 'some axes',
    inputs: ['x', 'pads', '', 'axes'],
    constants: { pads: [1, 2], axes: [-1] },
  }),
  single('Pad', [4, 5], { label: 'reflect', constants: { pads: [0, 2, 1, 0, 1, 3] }, attributes: { mode: 'reflect' } }),
  single('Pad', [3, 4], { label: 'edge', constants: { pads: [0, 2, 1, 0, 1, 3] }, attributes: { mode: 'edge' } }),
  single('Pad', [3, 4], { label: 'wrap', constants: { pads: [0, 2, 1, 0, 1, 3] }, attributes: { mode: 'wrap' } }),

  single('ReduceSum', cube, { constants: { axes: [1, -1] } }),
  single('ReduceSum', cube, { label: 'not kept', constants: { axes: [2] }, attributes: { keepdims: 0 } }),
  single('ReduceMean', [2, 4, 8], { constants: { axes: [-1, -2] } }),
  single('ReduceMean', [4, 2, 2], { label: 'not kept', constants: { axes: [1] }, attributes: { keepdims: 0 } }),
  single('ReduceMean', cube, { label: 'no axes, nothing to do', attributes: { noop_with_empty_axes: 1 } }),

  single('BatchNormalization', [4, 3, 3], {
    label: 'slopes of whole numbers',
    constants: {
      scale: weights([4], 5),
      bias: weights([4], 6),
      mean: weights([4], 7),
      variance: floating('float32', [4], [1, 4, 0.25, 16]),
    },
    attributes: { epsilon: { float: 0 } },
  }),
  single('Clip', cube, { label: 'without bounds' }),
]
