import { makeNode } from '../../../src/onnx/attributes.js'
import type { Tensor } from '../../../src/onnx/graph.js'
import { composed, integers, reals, single, smallIntegers } from '../support.js'
import type { Case, Floating } from '../support.js'
import { batched } from './indexing.js'

/** Three columns of which x is the data (5 rows), the updates (as many as there are indices), or both are made of it. */
function scatterElements(
  reduction: string,
  role: 'data' | 'updates' | 'both',
  indices: Tensor,
  { type = 'float32', axis = 1 }: { type?: Floating; axis?: number } = {},
): Case {
  const height = role === 'updates' ? indices.dims[1] : 5
  const operands = { data: ['x', 'other'], updates: ['other', 'x'], both: ['x', 'exponentials'] }
  const [data, updates] = operands[role]
  const other =
    role === 'both'
      ? [makeNode('Exp', ['x'], ['all']), makeNode('Slice', ['all', 'from', 'to', 'from'], ['exponentials'])]
      : [
          makeNode('Concat', ['rows', 'own'], ['size'], { axis: 0 }),
          makeNode('Expand', ['constant', 'size'], ['other']),
        ]
  const node = makeNode('ScatterElements', [data, 'everywhere', updates], ['y'], { axis, reduction }, 'tested')
  const { nodes, constants } = batched(indices, [...other, node])
  const own = role === 'updates' ? [5, 3] : indices.dims.slice(1)
  return composed(
    `ScatterElements, ${reduction}, x as ${role}${axis < 0 ? ', negative axis' : ''}`,
    [height, 3],
    nodes,
    {
      ...constants,
      constant: smallIntegers(type, [1, ...own], 5),
      own: integers(own),
      from: integers([1]),
      to: integers([1 + indices.dims[1]]),
    },
    type,
  )
}

/** ScatterND names images by their number in the batch, so the batch is fixed. */
function scatterND(
  reduction: string,
  inputs: readonly string[],
  shape: readonly number[],
  constants: Case['constants'],
  type: Floating = 'float32',
  label = '',
  batch = 3,
): Case {
  return single('ScatterND', shape, {
    label: `${reduction}, x as ${inputs[0] === 'x' ? 'data' : 'updates'}${label}`,
    batch,
    type,
    inputs,
    constants,
    attributes: { reduction },
  })
}

const rows = integers([2, 0, 4, 3, 1, 1], [1, 2, 3])
const repeatedRows = integers([1, 1, 1, 1, -2, -2, 1, 0, 3], [1, 3, 3])
const cells = integers([0, 1, 2, 3, 1, 0], [3, 2])
const fewer = integers([1, 1, 1, 1, -2, 0], [1, 2, 3])

const positive = (dims: readonly number[]): Tensor => reals('float64', dims, 5, 0.3, 2)

export const LINEAR: readonly Case[] = [
  single('Scatter', [5, 3], {
    label: 'opset 10',
    inputs: ['x', 'i', 'values'],
    constants: { i: integers([4, 0, 2], [1, 1, 3]), values: smallIntegers('float32', [1, 1, 3], 9) },
    attributes: { axis: 1 },
    batch: 1,
    opset: 10,
  }),
  single('Scatter', [5, 3], {
    label: 'an axis from the back, opset 9, batch fixed at 3',
    inputs: ['x', 'i', 'values'],
    constants: { i: integers([4, 0, 2], [1, 3, 1]), values: smallIntegers('float32', [1, 3, 1], 9) },
    attributes: { axis: -2 },
    batch: 3,
    opset: 9,
  }),
  scatterElements('none', 'data', rows),
  scatterElements('none', 'updates', rows),
  scatterElements('none', 'updates', integers([2, 0, 1, 1, 2, 0], [1, 2, 3]), { axis: -1 }),
  scatterElements('add', 'data', repeatedRows),
  scatterElements('add', 'updates', repeatedRows),
  scatterElements('mul', 'data', repeatedRows),
  scatterElements('mul', 'updates', rows),

  scatterND('none', ['x', 'i', 'updates'], [4], { i: cells, updates: smallIntegers('float32', [3], 5) }),
  scatterND(
    'none',
    ['x', 'i', 'updates'],
    [4],
    { i: integers([0, 1, 0, 3], [2, 2]), updates: smallIntegers('float32', [2], 5) },
    'float32',
    ', one image',
    1,
  ),
  scatterND('add', ['x', 'i', 'updates'], [4], {
    i: integers([0, 0, 2], [3, 1]),
    updates: smallIntegers('float32', [3, 4], 5),
  }),
  scatterND('none', ['d', 'i', 'x'], [4], { i: integers([4, 0, -2], [3, 1]), d: smallIntegers('float32', [5, 4], 5) }),
  scatterND(
    'add',
    ['d', 'i', 'x'],
    [4],
    { i: integers([4, 0, 4], [3, 1]), d: smallIntegers('float32', [5, 4], 5) },
    'float32',
    ', repeated',
  ),
  scatterND('mul', ['x', 'i', 'updates'], [4], {
    i: integers([0, 0, 2], [3, 1]),
    updates: smallIntegers('float32', [3, 4], 5),
  }),
  scatterND('mul', ['d', 'i', 'x'], [4], { i: integers([4, 0, 2], [3, 1]), d: smallIntegers('float32', [5, 4], 5) }),
]

export const SMOOTH: readonly Case[] = [
  scatterElements('mul', 'both', fewer, { type: 'float64' }),
  scatterElements('max', 'both', rows, { type: 'float64' }),
  scatterElements('min', 'both', fewer, { type: 'float64' }),
  scatterElements('none', 'both', rows, { type: 'float64' }),
  scatterElements('add', 'both', fewer, { type: 'float64' }),
  scatterND(
    'mul',
    ['d', 'i', 'x'],
    [4],
    { i: integers([4, 0, 4], [3, 1]), d: positive([5, 4]) },
    'float64',
    ', repeated',
  ),
  scatterND(
    'max',
    ['d', 'i', 'x'],
    [4],
    { i: integers([4, 0, 4], [3, 1]), d: positive([5, 4]) },
    'float64',
    ', repeated',
  ),
  scatterND(
    'min',
    ['x', 'i', 'updates'],
    [4],
    { i: integers([2, 0, 2], [3, 1]), updates: positive([3, 4]) },
    'float64',
    ', repeated',
  ),
]
