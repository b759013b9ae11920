import { makeNode } from '../../../src/onnx/attributes.js'
import type { AttributeValues } from '../../../src/onnx/attributes.js'
import type { Tensor } from '../../../src/onnx/graph.js'
import { composed, integers, reals } from '../support.js'
import type { Doubled } from '../support.js'

type Constants = Readonly<Record<string, Tensor>>

const numbers = (...dims: readonly number[]) => reals('float32', dims, 5)

const int32 = (dims: readonly number[], values: readonly number[]): Tensor => ({
  type: 'int32',
  dims,
  data: Int32Array.from(values),
})

/** onnxruntime's own Attention: one matrix for queries, keys and values, two heads. */
function merged(
  label: string,
  attributes: AttributeValues = {},
  constants: Constants = {},
  { inputs = Object.keys(constants), batch }: { readonly inputs?: readonly string[]; readonly batch?: number } = {},
): Doubled {
  const node = makeNode(
    'Attention',
    ['x', 'w', 'b', ...inputs],
    ['y'],
    { num_heads: 2, ...attributes },
    'tested',
    'com.microsoft',
  )
  return {
    tested: { ...composed(`merged Attention, ${label}`, [3, 4], [node], { ...projection, ...constants }), batch },
  }
}

const projection = { w: reals('float32', [4, 12], 6), b: reals('float32', [12], 7) }

/** MultiHeadAttention of x, tanh x and σ(x). */
function multiHead(
  label: string,
  attributes: AttributeValues = {},
  constants: Constants = {},
  { inputs = Object.keys(constants), batch }: { readonly inputs?: readonly string[]; readonly batch?: number } = {},
): Doubled {
  const nodes = [
    makeNode('Tanh', ['x'], ['k']),
    makeNode('Sigmoid', ['x'], ['v']),
    makeNode(
      'MultiHeadAttention',
      ['x', 'k', 'v', ...inputs],
      ['y'],
      { num_heads: 2, ...attributes },
      'tested',
      'com.microsoft',
    ),
  ]
  return { tested: { ...composed(`MultiHeadAttention, ${label}`, [3, 4], nodes, constants), batch } }
}

const twoMasks = int32([2, 3], [1, 0, 1, 1, 1, 0])
const squareMasks = int32([2, 3, 3], [1, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 1, 0, 1])
const third = { m: int32([2], [2, 3]) }
const pasts = { p: reals('float32', [2, 2, 2, 2], 9), q: reals('float32', [2, 2, 2, 2], 8) }
const ends = { m: int32([4], [2, 3, 1, 0]) }

export const DOUBLED: readonly Doubled[] = [
  merged('plain'),
  merged('scale, unidirectional', { scale: { float: 0.3 }, unidirectional: 1 }),
  merged('attention bias', {}, { a: numbers(1, 2, 3, 3) }, { inputs: ['', '', 'a'] }),
  merged('lengths', {}, third, { batch: 2 }),
  merged('ends and starts', {}, ends, { batch: 2 }),
  merged('mask, unidirectional', { unidirectional: 1 }, { m: twoMasks }, { batch: 2 }),
  merged('mask of rows, filter', { mask_filter_value: { float: -3 } }, { m: squareMasks }, { batch: 2 }),
  {
    tested: composed(
      'merged Attention, narrower values',
      [3, 4],
      [
        makeNode(
          'Attention',
          ['x', 'w', 'b'],
          ['y'],
          { num_heads: 2, qkv_hidden_sizes: [4, 4, 6] },
          'tested',
          'com.microsoft',
        ),
      ],
      { w: reals('float32', [4, 14], 6), b: reals('float32', [14], 7) },
    ),
  },
  {
    tested: {
      ...composed(
        'merged Attention, past and present',
        [3, 4],
        [
          makeNode('Attention', ['x', 'w', 'b', '', 'p'], ['a', 'r'], { num_heads: 2 }, 'tested', 'com.microsoft'),
          makeNode('ReduceSum', ['r', 'axes'], ['s'], { keepdims: 0 }),
          makeNode('Unsqueeze', ['s', 'ones'], ['t']),
          makeNode('Mul', ['a', 't'], ['y']),
        ],
        { ...projection, p: numbers(2, 2, 2, 2, 2), axes: integers([0, 2, 3, 4]), ones: integers([1, 2]) },
      ),
      batch: 2,
    },
  },
  multiHead('plain'),
  multiHead('bias', {}, { c: reals('float32', [12], 7) }),
  multiHead('unidirectional, scale', { unidirectional: 1, scale: { float: 0.4 } }),
  multiHead('mask', {}, { m: twoMasks }, { inputs: ['', 'm'], batch: 2 }),
  multiHead('mask, filter', { mask_filter_value: { float: -3 } }, { m: twoMasks }, { inputs: ['', 'm'], batch: 2 }),
  multiHead('lengths', {}, third, { inputs: ['', 'm'], batch: 2 }),
  multiHead(
    'lengths, and where rows start',
    {},
    { m: int32([8], [2, 3, 0, 3, 6, 0, 3, 6]) },
    { inputs: ['', 'm'], batch: 2 },
  ),
  multiHead(
    'mask of rows and attention bias',
    {},
    { m: squareMasks, a: numbers(1, 1, 3, 3) },
    {
      inputs: ['', 'm', 'a'],
      batch: 2,
    },
  ),
  multiHead('past that is not handed on', { unidirectional: 1 }, pasts, { inputs: ['', '', '', 'p', 'q'], batch: 2 }),
  {
    tested: {
      ...composed(
        'MultiHeadAttention, past and present',
        [3, 4],
        [
          makeNode(
            'MultiHeadAttention',
            ['x', 'x', 'x', '', '', '', 'p', 'q'],
            ['a', 'pk', 'pv'],
            { num_heads: 2, unidirectional: 1 },
            'tested',
            'com.microsoft',
          ),
          makeNode('Sub', ['pk', 'pv'], ['d']),
          makeNode('ReduceSum', ['d', 'axes'], ['s'], { keepdims: 0 }),
          makeNode('Mul', ['a', 's'], ['y']),
        ],
        { p: numbers(1, 2, 2, 2), q: reals('float32', [1, 2, 2, 2], 8), axes: integers([1, 2, 3]) },
      ),
      batch: 1,
    },
  },
  {
    tested: composed(
      'MultiHeadAttention, keys and values by heads, bias',
      [3, 4],
      [
        makeNode('Reshape', ['x', 'to'], ['r']),
        makeNode('Transpose', ['r'], ['k'], { perm: [0, 2, 1, 3] }),
        makeNode('Tanh', ['k'], ['v']),
        makeNode(
          'MultiHeadAttention',
          ['x', 'k', 'v', 'c'],
          ['y', 'pk', 'pv'],
          { num_heads: 2 },
          'tested',
          'com.microsoft',
        ),
      ],
      { to: integers([-1, 3, 2, 2]), c: reals('float32', [12], 7) },
    ),
  },
]
