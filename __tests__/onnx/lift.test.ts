import { expect, test } from '@jest/globals'
import { makeNode } from '../../src/onnx/attributes.js'
import { settle } from '../../src/onnx/settle.js'
import type { Samples } from '../../src/onnx/settle.js'
import { composed, graphOf, integers, reals, single } from '../autodiff/support.js'
import type { Case } from '../autodiff/support.js'
import { runModel } from '../support/onnxruntime.js'

/** Exports of one image whose batch stands in a shape they hand to an operator. */
const BAKED: readonly Case[] = [
  single('Resize', [2, 3, 4], { inputs: ['x', '', '', 'sizes'], constants: { sizes: [1, 2, 6, 8] } }),
  single('Resize', [2, 3, 4], {
    label: 'the batch among the axes',
    inputs: ['x', '', '', 'sizes'],
    constants: { sizes: [6, 1, 8] },
    attributes: { axes: [2, -4, 3], mode: 'linear' },
  }),
  single('Resize', [2, 3, 4], {
    label: 'the batch not among the axes',
    inputs: ['x', '', '', 'sizes'],
    constants: { sizes: [6, 1] },
    attributes: { axes: [2, 3], mode: 'linear' },
  }),
  single('CenterCropPad', [5, 4], { constants: { shape: [1, 3, 6] } }),
  single('AffineGrid', [2, 3], { constants: { size: [1, 2, 4, 5] } }),
  {
    ...single('GridSample', [6], { label: 'a spatial transformer' }),
    nodes: [
      makeNode('Reshape', ['x', 'matrix'], ['theta']),
      makeNode('AffineGrid', ['theta', 'size'], ['grid']),
      makeNode('Reshape', ['x', 'pixels'], ['image']),
      makeNode('GridSample', ['image', 'grid'], ['y']),
    ],
    constants: { matrix: integers([1, 2, 3]), size: integers([1, 1, 4, 5]), pixels: integers([1, 1, 2, 3]) },
  },
  {
    ...single('MaxUnpool', [2, 4, 4]),
    nodes: [
      makeNode('MaxPool', ['x'], ['pooled', 'places'], { kernel_shape: [2, 2], strides: [2, 2] }),
      makeNode('MaxUnpool', ['pooled', 'places', 'shape'], ['y'], { kernel_shape: [2, 2], strides: [2, 2] }),
    ],
    constants: { shape: integers([1, 2, 4, 4]) },
  },
  // Keras' EinsumDense: a projection to heads adds an axis behind the batch.
  composed(
    'attention of Einsums',
    [4, 6],
    [
      makeNode('Einsum', ['x', 'w'], ['heads'], { equation: 'abc,cde->abde' }),
      makeNode('Reshape', ['heads', 'shape'], ['same']),
      makeNode('Einsum', ['same', 'same'], ['scores'], { equation: 'aecd,abcd->acbe' }),
      makeNode('Einsum', ['scores', 'same'], ['mixed'], { equation: 'acbe,aecd->bacd' }),
      makeNode('Reshape', ['mixed', 'merged'], ['tokens']),
      makeNode('Einsum', ['tokens'], ['y'], { equation: 't...n->...tn' }),
    ],
    { w: reals('float32', [6, 2, 3], 9), shape: integers([1, 4, 2, 3]), merged: integers([4, 1, 6]) },
  ),
  // PyTorch's MultiheadAttention: tokens first, heads beside the batch, tokens and batch one axis for the last layer.
  composed(
    'attention with the tokens first',
    [4, 6],
    [
      makeNode('Transpose', ['x'], ['tokens'], { perm: [1, 0, 2] }),
      makeNode('Reshape', ['tokens', 'byHead'], ['heads']),
      makeNode('Transpose', ['heads'], ['headsFirst'], { perm: [1, 0, 2] }),
      makeNode('Reshape', ['headsFirst', 'byImage'], ['split']),
      makeNode('Transpose', ['split'], ['joined'], { perm: [2, 0, 1, 3] }),
      makeNode('Reshape', ['joined', 'rows'], ['merged']),
      makeNode('Gemm', ['merged', 'w'], ['mixed']),
      makeNode('Reshape', ['mixed', 'tokensAgain'], ['apart']),
      makeNode('Transpose', ['apart'], ['y'], { perm: [1, 0, 2] }),
    ],
    {
      byHead: integers([4, 2, 3]),
      byImage: integers([1, 2, 4, 3]),
      rows: integers([4, 6]),
      w: reals('float32', [6, 6], 9),
      tokensAgain: integers([4, 1, 6]),
    },
  ),
]

test.each(BAKED.map((baked) => [baked.name, baked] as const))('the batch is freed: %s', async (_name, baked) => {
  // `settle` accepts a free batch only if two images together give what each gives alone.
  expect((await settle(graphOf({ ...baked, batch: 1 }), 1, samplesOf(baked), runModel)).batch).toBe('free')
})

// Taken for independent, they would get the gradient of each other's losses.
test.each([
  ['first', ['sum', 'rest'], { from: [0], to: [1], behind: [1], end: [4] }],
  ['last', ['rest', 'sum'], { from: [3], to: [4], behind: [0], end: [3] }],
])('images that share nothing but their %s number are kept apart', async (_place, parts, bounds) => {
  const nodes = [
    makeNode('Slice', ['x', 'from', 'to', 'axis'], ['number']),
    makeNode('CumSum', ['number', 'images'], ['sum']),
    makeNode('Slice', ['x', 'behind', 'end', 'axis'], ['rest']),
    makeNode('Concat', parts, ['y'], { axis: 1 }),
  ]
  const places = Object.fromEntries(Object.entries(bounds).map(([name, values]) => [name, integers(values)]))
  const shared = composed('shared', [4], nodes, { ...places, axis: integers([1]), images: integers([0], []) })
  expect((await settle(graphOf(shared), undefined, samplesOf(shared), runModel)).batch).toBe(1)
})

function samplesOf({ shape }: Case): Samples {
  return (first, rows) => {
    const size = shape.reduce((total, length) => total * length, 1)
    const values = reals('float32', [first + rows, ...shape], 7).data.slice(first * size) as Float32Array
    return new Map([['x', { type: 'float32' as const, dims: [rows, ...shape], data: values }]])
  }
}
