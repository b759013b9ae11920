import { makeNode } from '../../../src/onnx/attributes.js'
import type { AttributeValues } from '../../../src/onnx/attributes.js'
import type { Tensor } from '../../../src/onnx/graph.js'
import { composed, floating, integers, single } from '../support.js'
import type { Case } from '../support.js'

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
export function batched(indices: Tensor, nodes: Case['nodes'], constants: Case['constants'] = {}) {
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

const rows = integers([2, 0, 4, 3, 1, 1], [1, 2, 3])
const repeatedRows = integers([1, 1, 1, 1, -2, -2, 1, 0, 3], [1, 3, 3])

export const LINEAR: readonly Case[] = [
  {
    ...composed(
      'OneHot, its two values computed from the image',
      [2],
      [
        makeNode('Reshape', ['x', 'flat'], ['values']),
        makeNode('OneHot', ['places', 'depth', 'values'], ['y'], { axis: 0 }, 'tested'),
      ],
      { flat: integers([2]), places: integers([2, 0, 1, 2, 7], [1, 5]), depth: integers([3]) },
    ),
    batch: 1,
  },
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

  single('ReverseSequence', [4, 3], {
    label: 'batch fixed at 3',
    batch: 3,
    constants: { lengths: [4, 2, 1] },
    attributes: { batch_axis: 0, time_axis: 1 },
  }),
  single('ReverseSequence', [4, 3], {
    label: 'batch fixed at 1',
    batch: 1,
    constants: { lengths: [3] },
    attributes: { batch_axis: 0, time_axis: 1 },
  }),
  single('ReverseSequence', [3, 2], {
    label: 'time first, batch fixed at 4',
    batch: 4,
    constants: { lengths: [4, 2, 3] },
    attributes: { batch_axis: 1, time_axis: 0 },
  }),
]

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
  composed(
    'OneHot, a mask beside each place, its axis from the back',
    [4, 3],
    [
      makeNode('ArgMax', ['x'], ['largest'], { axis: 1, keepdims: 0 }),
      makeNode('OneHot', ['largest', 'depth', 'values'], ['single'], { axis: -2 }, 'tested'),
      makeNode('Cast', ['single'], ['mask'], { to: 11 }),
      makeNode('Mul', ['mask', 'x'], ['y']),
    ],
    { depth: integers([4]), values: floating('float32', [2], [0, 1]) },
    'float64',
  ),
  single('Unique', [4], { type: 'float64', batch: 1 }),
  single('Unique', [4, 3], { label: 'of rows', type: 'float64', batch: 1, attributes: { axis: -2 } }),
  single('Unique', [4, 3], { label: 'of rows, batch fixed at 3', type: 'float64', batch: 3, attributes: { axis: 1 } }),
  single('Unique', [2, 3], {
    label: 'of columns, unsorted',
    type: 'float64',
    batch: 1,
    attributes: { axis: 2, sorted: 0 },
  }),
]
