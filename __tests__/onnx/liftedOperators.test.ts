import { expect, test } from '@jest/globals'
import { makeNode } from '../../src/onnx/attributes.js'
import type { Node, Tensor } from '../../src/onnx/graph.js'
import { settle } from '../../src/onnx/settle.js'
import { composed, count, floating, graphOf, integers, reals } from '../autodiff/support.js'
import type { Case } from '../autodiff/support.js'
import { runModel } from '../support/onnxruntime.js'

const weights = (dims: readonly number[], seed = 3): Tensor => reals('float32', dims, seed)

/** An export of one image of 24 numbers, which it first reshapes to [1, …shape], `r`: so no other batch runs through it. */
function baked(
  name: string,
  shape: readonly number[],
  nodes: readonly Node[],
  constants: Case['constants'] = {},
): Case {
  const all = [makeNode('Reshape', ['x', 'one'], ['r']), ...nodes]
  return composed(name, [24], all, { one: integers([1, ...shape]), ...constants })
}

/** Rows of an image through a recurrent operator, one step per row. */
function recurrent(
  op: 'RNN' | 'GRU' | 'LSTM',
  label: string,
  inputs: readonly string[],
  more: Case['constants'],
): Case {
  const gates = { RNN: 1, GRU: 3, LSTM: 4 }[op]
  return baked(
    `${op}, ${label}`,
    [6, 4],
    [
      makeNode('Transpose', ['r'], ['t'], { perm: [1, 0, 2] }),
      makeNode(op, ['t', 'w', 'v', ...inputs], ['Y', 'Yh'], { hidden_size: 2 }),
      makeNode('Squeeze', ['Y', 'direction'], ['rows']),
      makeNode('Transpose', ['rows'], ['first'], { perm: [1, 0, 2] }),
      makeNode('Reshape', ['first', 'flat'], ['all']),
      makeNode('Squeeze', ['Yh', 'zero'], ['last']),
      makeNode('Concat', ['all', 'last'], ['y'], { axis: 1 }),
    ],
    {
      w: weights([1, gates * 2, 4]),
      v: weights([1, gates * 2, 2], 4),
      direction: integers([1]),
      flat: integers([1, 12]),
      zero: integers([0]),
      ...more,
    },
  )
}

const lengths: Tensor = { type: 'int32', dims: [1], data: Int32Array.of(4) }

const EXPORTS: readonly Case[] = [
  baked(
    'Flatten',
    [2, 3, 4],
    [makeNode('Flatten', ['r'], ['f'], { axis: 2 }), makeNode('Reshape', ['f', 'back'], ['y'])],
    {
      back: integers([1, 24]),
    },
  ),
  baked(
    'Squeeze of all axes of size 1, the batch among them',
    [24],
    [makeNode('Squeeze', ['r'], ['s']), makeNode('Reshape', ['s', 'back'], ['y'])],
    { back: integers([1, 4, 6]) },
  ),
  baked(
    'Unsqueeze in front of the batch, as a sequence of one step',
    [24],
    [
      makeNode('Unsqueeze', ['r', 'zero'], ['u']),
      makeNode('GRU', ['u', 'w', 'v'], ['', 'h'], { hidden_size: 2 }),
      makeNode('Squeeze', ['h', 'zero'], ['y']),
    ],
    { zero: integers([0]), w: weights([1, 6, 24]), v: weights([1, 6, 2], 4) },
  ),
  baked(
    'Transpose',
    [2, 3, 4],
    [
      makeNode('Transpose', ['r'], ['t'], { perm: [3, 0, 2, 1] }),
      makeNode('Transpose', ['t'], ['y'], { perm: [1, 0, 3, 2] }),
    ],
  ),
  baked('Concat, a class token', [6, 4], [makeNode('Concat', ['token', 'r'], ['y'], { axis: 1 })], {
    token: weights([1, 1, 4]),
  }),
  baked(
    'Concat, a class token, tokens first',
    [6, 4],
    [
      makeNode('Transpose', ['r'], ['t'], { perm: [1, 0, 2] }),
      makeNode('Concat', ['t', 'token'], ['c'], { axis: 0 }),
      makeNode('Transpose', ['c'], ['y'], { perm: [1, 0, 2] }),
    ],
    { token: weights([1, 1, 4]) },
  ),
  baked('Gather of one row', [6, 4], [makeNode('Gather', ['r', 'last'], ['y'], { axis: 1 })], {
    last: integers([-1], []),
  }),
  baked(
    'Gather of one row in front of the batch',
    [6, 4],
    [makeNode('Transpose', ['r'], ['t'], { perm: [1, 0, 2] }), makeNode('Gather', ['t', 'last'], ['y'], { axis: 0 })],
    { last: integers([-1], []) },
  ),
  baked(
    'Col2Im, added to the image',
    [6, 4],
    [
      makeNode('Col2Im', ['r', 'size', 'block'], ['c']),
      makeNode('Reshape', ['r', 'map'], ['m']),
      makeNode('Add', ['c', 'm'], ['y']),
    ],
    { size: integers([2, 2]), block: integers([1, 1]), map: integers([1, 6, 2, 2]) },
  ),
  baked('Gemm', [24], [makeNode('Gemm', ['r', 'w'], ['y'])], { w: weights([24, 3]) }),
  baked('MatMul', [6, 4], [makeNode('MatMul', ['r', 'w'], ['y'])], { w: weights([4, 3]) }),
  baked('MatMul, a vector on the right', [6, 4], [makeNode('MatMul', ['r', 'w'], ['y'])], { w: weights([4]) }),
  baked('ReduceMean, axes kept', [6, 4], [makeNode('ReduceMean', ['r', 'axes'], ['y'])], { axes: integers([-1]) }),
  baked(
    'ReduceMean, an axis of size 1 in front of the batch dropped',
    [1, 24],
    [
      makeNode('Transpose', ['r'], ['t'], { perm: [1, 0, 2] }),
      makeNode('ReduceMean', ['t', 'axes'], ['m'], { keepdims: 0 }),
      makeNode('Reshape', ['m', 'back'], ['y']),
    ],
    { axes: integers([0]), back: integers([1, 4, 6]) },
  ),
  baked(
    'ArgMax and OneHot: a mask of the largest',
    [6, 4],
    [
      makeNode('ArgMax', ['r'], ['largest'], { axis: 1, keepdims: 0 }),
      makeNode('OneHot', ['largest', 'depth', 'values'], ['mask'], { axis: 1 }),
      makeNode('Mul', ['r', 'mask'], ['y']),
    ],
    { depth: integers([6]), values: floating('float32', [2], [0, 1]) },
  ),
  baked(
    'Split, TopK and Slice',
    [6, 4],
    [
      makeNode('Split', ['r'], ['a', 'b'], { axis: 1, num_outputs: 2 }),
      makeNode('TopK', ['a', 'k'], ['top', 'places'], { axis: 2 }),
      makeNode('Slice', ['b', 'from', 'to', 'axes'], ['cut']),
      makeNode('Mul', ['top', 'cut'], ['y']),
    ],
    { k: integers([2]), from: integers([1]), to: integers([3]), axes: integers([2]) },
  ),
  baked('GatherElements, places of one image', [6, 4], [makeNode('GatherElements', ['r', 'i'], ['y'], { axis: 1 })], {
    i: integers([5, 0, 2, 1], [1, 1, 4]),
  }),
  baked('GatherND, places of one image', [6, 4], [makeNode('GatherND', ['r', 'i'], ['y'], { batch_dims: 1 })], {
    i: integers([5, 0, 2, 1], [1, 2, 2]),
  }),
  baked(
    'ScatterElements into a constant',
    [2, 12],
    [makeNode('ScatterElements', ['d', 'i', 'r'], ['y'], { axis: 1, reduction: 'add' })],
    {
      d: weights([1, 5, 12]),
      i: integers(
        Array.from({ length: 24 }, (_, at) => at % 5),
        [1, 2, 12],
      ),
    },
  ),
  baked('GatherND, coordinates that name the image', [6, 4], [makeNode('GatherND', ['r', 'i'], ['y'])], {
    i: integers([0, 5, 0, 2, -1, 1], [1, 3, 2]),
  }),
  baked('Gather of the one image', [6, 4], [makeNode('Gather', ['r', 'first'], ['y'])], { first: integers([0]) }),
  baked('ScatterND, constants into the image', [6, 4], [makeNode('ScatterND', ['r', 'i', 'u'], ['y'])], {
    i: integers([0, 5, 0, 2], [2, 2]),
    u: weights([2, 4]),
  }),
  baked(
    'ScatterND, one part of the image into another',
    [6, 4],
    [
      makeNode('Gather', ['r', 'two'], ['part'], { axis: 1 }),
      makeNode('ScatterND', ['r', 'i', 'part'], ['y'], { reduction: 'add' }),
    ],
    { two: integers([1, 3]), i: integers([0, 5, 0, 2], [1, 2, 2]) },
  ),
  baked(
    'ScatterND, the image into a constant, element by element',
    [24],
    [makeNode('ScatterND', ['d', 'i', 'r'], ['y'])],
    {
      d: weights([1, 2, 13]),
      i: integers(Array.from({ length: 24 }, (_, at) => [0, at % 2, Math.floor(at / 2)]).flat(), [1, 24, 3]),
    },
  ),
  baked(
    'ReverseSequence',
    [6, 4],
    [makeNode('ReverseSequence', ['r', 'lengths'], ['y'], { batch_axis: 0, time_axis: 1 })],
    {
      lengths: integers([4]),
    },
  ),
  /** As PyTorch's older exporter writes F.normalize, here in windows of an image. */
  baked(
    'Expand of lengths to the shape they divide',
    [6, 4],
    [
      makeNode('Reshape', ['r', 'windows'], ['w']),
      makeNode('ReduceL2', ['w', 'axes'], ['length']),
      makeNode('Expand', ['length', 'windows'], ['lengths']),
      makeNode('Div', ['w', 'lengths'], ['d']),
      makeNode('Reshape', ['d', 'back'], ['y']),
    ],
    { windows: integers([3, 2, 4]), axes: integers([-1]), back: integers([1, 24]) },
  ),
  baked(
    'Concat, a token for each window of an image',
    [6, 4],
    [
      makeNode('Reshape', ['r', 'windows'], ['w']),
      makeNode('Concat', ['tokens', 'w'], ['c'], { axis: 1 }),
      makeNode('Reshape', ['c', 'back'], ['y']),
    ],
    { windows: integers([3, 2, 4]), tokens: weights([3, 1, 4]), back: integers([1, 36]) },
  ),
  baked(
    'LSTM over the columns of every row of an image, a first state for each',
    [6, 4],
    [
      makeNode('Reshape', ['r', 'rows'], ['s']),
      makeNode('Transpose', ['s'], ['t'], { perm: [1, 0, 2] }),
      makeNode('LSTM', ['t', 'w', 'v', '', '', 'h', 'c'], ['', 'Yh'], { hidden_size: 2 }),
      makeNode('Reshape', ['Yh', 'back'], ['y']),
    ],
    {
      rows: integers([3, 2, 4]),
      w: weights([1, 8, 4]),
      v: weights([1, 8, 2], 4),
      h: weights([1, 3, 2], 6),
      c: weights([1, 3, 2], 7),
      back: integers([1, 6]),
    },
  ),
  recurrent('RNN', 'without a first state', [], {}),
  recurrent('GRU', 'its first state a constant', ['', '', 'h'], { h: weights([1, 1, 2], 6) }),
  recurrent('LSTM', 'its first states constants', ['', '', 'h', 'c'], {
    h: weights([1, 1, 2], 6),
    c: weights([1, 1, 2], 7),
  }),
  recurrent('LSTM', 'the length a constant', ['', 'lengths'], { lengths }),
]

test.each(EXPORTS.map((exported) => [exported.name, exported] as const))(
  'an export of one image runs any number: %s',
  async (_name, exported) => {
    const samples = (first: number, rows: number) => {
      const size = count(exported.shape)
      const values = weights([(first + rows) * size], 7).data.slice(first * size) as Float32Array
      return new Map([['x', floating('float32', [rows, ...exported.shape], values)]])
    }
    // A free batch is accepted only if images together give what each gives alone.
    const { batch } = await settle(graphOf({ ...exported, batch: 1 }), 1, samples, runModel)
    expect(batch).toBe('free')
  },
)
