import { makeNode } from '../../../src/onnx/attributes.js'
import type { AttributeValues } from '../../../src/onnx/attributes.js'
import type { Tensor } from '../../../src/onnx/graph.js'
import { composed, floating, integers, reals, single, smallIntegers } from '../support.js'
import type { Case, Floating } from '../support.js'

const truth = (bits: readonly number[]): Tensor => ({ type: 'bool', dims: [bits.length], data: Uint8Array.from(bits) })

/** Several outputs of one node, put into one: each weighted differently, so that a swap is seen. */
function split(
  label: string,
  shape: readonly number[],
  outputs: number,
  { sizes, attributes, axis }: { sizes?: readonly number[]; attributes?: AttributeValues; axis: number },
): Case {
  const parts = Array.from({ length: outputs }, (_, at) => `part${at}`)
  return composed(
    `Split, ${label}`,
    shape,
    [
      makeNode('Split', sizes ? ['x', 'sizes'] : ['x'], parts, { axis, ...attributes }, 'tested'),
      ...parts.map((part, at) => makeNode('Mul', [part, `w${at}`], [`weighted${at}`])),
      makeNode(
        'Concat',
        parts.map((_, at) => `weighted${at}`),
        ['y'],
        { axis },
      ),
    ],
    {
      ...(sizes && { sizes: integers(sizes) }),
      ...Object.fromEntries(parts.map((_, at) => [`w${at}`, floating('float32', [], [at + 1])])),
    },
  )
}

/** A node whose second output is whole numbers. */
function topK(label: string, k: number, attributes: AttributeValues): Case {
  return composed(
    `TopK, ${label}`,
    [5, 4],
    [makeNode('TopK', ['x', 'k'], ['y', 'places'], attributes, 'tested')],
    { k: integers([k]) },
    'float64',
  )
}

/** Indices that are the same for every image: repeated for the batch at run time, as exports with a free batch do. */
function batched(indices: Tensor, nodes: Case['nodes'], constants: Case['constants'] = {}) {
  return {
    nodes: [
      makeNode('Shape', ['x'], ['rows'], { start: 0, end: 1 }),
      makeNode('Concat', ['rows', 'rest'], ['target'], { axis: 0 }),
      makeNode('Expand', ['indices', 'target'], ['everywhere']),
      ...nodes,
    ],
    constants: { indices, rest: integers(indices.dims.slice(1)), ...constants },
  }
}

function gatherElements(label: string, shape: readonly number[], indices: Tensor, axis: number): Case {
  const node = makeNode('GatherElements', ['x', 'everywhere'], ['y'], { axis }, 'tested')
  const { nodes, constants } = batched(indices, [node])
  return composed(`GatherElements, ${label}`, shape, nodes, constants)
}

function gatherND(label: string, shape: readonly number[], indices: Tensor, batchDims: number): Case {
  const node = makeNode('GatherND', ['x', 'everywhere'], ['y'], { batch_dims: batchDims }, 'tested')
  const { nodes, constants } = batched(indices, [node])
  return composed(`GatherND, ${label}`, shape, nodes, constants)
}

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
): Case {
  return single('ScatterND', shape, {
    label: `${reduction}, x as ${inputs[0] === 'x' ? 'data' : 'updates'}${label}`,
    batch: 3,
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

export const LINEAR: readonly Case[] = [
  split('equal parts', [6, 2], 3, { axis: 1, attributes: { num_outputs: 3 } }),
  split('equal parts, the last smaller, negative axis', [2, 7], 3, { axis: -1, attributes: { num_outputs: 3 } }),
  split('sizes', [6, 2], 3, { axis: 1, sizes: [1, 3, 2] }),
  composed(
    'Split, parts that nobody reads',
    [6],
    [makeNode('Split', ['x'], ['a', 'b', 'y'], { axis: 1, num_outputs: 3 }, 'tested')],
    {},
  ),

  single('Tile', [2, 3], { constants: { repeats: [1, 3, 2] } }),
  single('Tile', [2, 3], { label: 'once', constants: { repeats: [1, 1, 1] } }),
  single('Tile', [2, 3], { label: 'the last axis', constants: { repeats: [1, 1, 4] } }),
  single('Tile', [2, 3], { label: 'along the batch, fixed at 2', batch: 2, constants: { repeats: [3, 1, 2] } }),

  single('Compress', [4, 3], { constants: { keep: truth([1, 0, 1, 1]) }, attributes: { axis: 1 } }),
  single('Compress', [4, 3], {
    label: 'a short condition, negative axis',
    constants: { keep: truth([0, 1]) },
    attributes: { axis: -1 },
  }),
  single('Compress', [2, 2], {
    label: 'flattened, batch fixed at 2',
    batch: 2,
    constants: { keep: truth([0, 1, 1, 0, 0, 1]) },
  }),

  gatherElements('axis 1', [5, 3], rows, 1),
  gatherElements('repeated and negative, negative axis', [4, 3], repeatedRows, -2),
  gatherElements('fewer places on the other axes', [4, 3], integers([2, 0], [1, 1, 2]), 2),

  single('GatherND', [4, 3], {
    label: 'batch fixed at 3',
    batch: 3,
    constants: { i: integers([0, 1, 2, 2, 3, 0, 0, 1, 2], [3, 3]) },
  }),
  single('GatherND', [4, 3], {
    label: 'rows, batch fixed at 3',
    batch: 3,
    constants: { i: integers([2, -1, 2, 0], [4, 1]) },
  }),
  gatherND('one batch dimension', [4, 3], integers([0, 1, 3, 2, 0, 1], [1, 3, 2]), 1),
  gatherND('one batch dimension, repeated rows', [4, 3], integers([1, 1, -1], [1, 3, 1]), 1),
  gatherND('two batch dimensions', [2, 4, 3], integers([0, 2, 3, 1, 1, -1], [1, 2, 3, 1]), 2),

  scatterElements('none', 'data', rows),
  scatterElements('none', 'updates', rows),
  scatterElements('none', 'updates', integers([2, 0, 1, 1, 2, 0], [1, 2, 3]), { axis: -1 }),
  scatterElements('add', 'data', repeatedRows),
  scatterElements('add', 'updates', repeatedRows),
  scatterElements('mul', 'data', repeatedRows),
  scatterElements('mul', 'updates', rows),

  scatterND('none', ['x', 'i', 'updates'], [4], { i: cells, updates: smallIntegers('float32', [3], 5) }),
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

  single('ReverseSequence', [4, 3], {
    label: 'batch fixed at 3',
    batch: 3,
    constants: { lengths: [4, 2, 1] },
    attributes: { batch_axis: 0, time_axis: 1 },
  }),
  single('ReverseSequence', [3, 2], {
    label: 'time first, batch fixed at 4',
    batch: 4,
    constants: { lengths: [4, 2, 3] },
    attributes: { batch_axis: 1, time_axis: 0 },
  }),
]

const positive = (dims: readonly number[]): Tensor => reals('float64', dims, 5, 0.3, 2)

export const SMOOTH: readonly Case[] = [
  topK('largest', 2, { axis: 1 }),
  topK('smallest, negative axis', 3, { axis: -1, largest: 0 }),
  topK('not sorted', 2, { axis: 1, sorted: 0 }),
  composed(
    'TopK, x, its places read only, and all of it',
    [4],
    [
      makeNode('TopK', ['x', 'k'], ['top', 'places'], { axis: 1 }, 'tested'),
      makeNode('GatherElements', ['x', 'places'], ['same'], { axis: 1 }),
      makeNode('Mul', ['top', 'same'], ['y']),
    ],
    { k: integers([4]) },
    'float64',
  ),
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
  composed(
    'OneHot, a mask of the largest; nothing flows through it',
    [4],
    [
      makeNode('ArgMax', ['x'], ['largest'], { axis: 1, keepdims: 0 }),
      makeNode('OneHot', ['largest', 'depth', 'values'], ['single'], {}, 'tested'),
      makeNode('Cast', ['single'], ['mask'], { to: 11 }),
      makeNode('Mul', ['mask', 'x'], ['y']),
    ],
    { depth: integers([4]), values: floating('float32', [2], [0, 1]) },
    'float64',
  ),
  single('Unique', [4], { type: 'float64', batch: 1 }),
]
