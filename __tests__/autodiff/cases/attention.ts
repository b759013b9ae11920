import { makeNode } from '../../../src/onnx/attributes.js'
import type { AttributeValues } from '../../../src/onnx/attributes.js'
import type { Tensor } from '../../../src/onnx/graph.js'
import { composed, integers, reals, single } from '../support.js'
import type { Case, Doubled } from '../support.js'

type Constants = Readonly<Record<string, Tensor>>

const numbers = (...dims: readonly number[]) => reals('float32', dims, 5)
const truth = (dims: readonly number[], bits: readonly number[]): Tensor => ({
  type: 'bool',
  dims,
  data: Uint8Array.from(bits),
})

/** Queries, keys and values all made from x, so that the gradient has three ways back. */
function selfAttention(
  label: string,
  shape: readonly number[],
  attributes: AttributeValues,
  constants: Constants = {},
  more: readonly string[] = Object.keys(constants),
): Doubled {
  const nodes = [
    makeNode('Tanh', ['x'], ['k']),
    makeNode('Sigmoid', ['x'], ['v']),
    makeNode('Attention', ['x', 'k', 'v', ...more], ['y'], attributes, 'tested'),
  ]
  return { tested: composed(`Attention, ${label}`, shape, nodes, constants) }
}

/** Grouped queries: as many rows, but half the heads in keys and values. */
function grouped(label: string, attributes: AttributeValues): Doubled {
  const nodes = [
    makeNode('MatMul', ['x', 'wk'], ['k']),
    makeNode('MatMul', ['x', 'wv'], ['v']),
    makeNode('Attention', ['x', 'k', 'v'], ['y'], { q_num_heads: 4, kv_num_heads: 2, ...attributes }, 'tested'),
  ]
  return { tested: composed(`Attention, ${label}`, [3, 8], nodes, { wk: numbers(8, 4), wv: numbers(8, 6) }) }
}

/** The past is made from x, too: present keys, values and scores are used. */
function withPast(mode: number): Case {
  const nodes = [
    makeNode('Slice', ['x', 'zero', 'one', 'two'], ['past']),
    makeNode('Tanh', ['past'], ['pastValue']),
    makeNode(
      'Attention',
      ['x', 'x', 'x', 'm', 'past', 'pastValue'],
      ['a', 'pk', 'pv', 'qk'],
      { is_causal: 1, softcap: { float: 2 }, qk_matmul_output_mode: mode },
      'tested',
    ),
    makeNode('MatMul', ['qk', 'pv'], ['b']),
    makeNode('MatMul', ['qk', 'pk'], ['c']),
    makeNode('Sum', ['a', 'b', 'c'], ['y']),
  ]
  const constants = { zero: integers([0]), one: integers([1]), two: integers([2]), m: numbers(3, 4) }
  return composed(`Attention, with a past, output mode ${mode}`, [2, 3, 4], nodes, constants)
}

const byRows = { q_num_heads: 2, kv_num_heads: 2 }

export const DOUBLED: readonly Doubled[] = [
  selfAttention('by rows', [3, 4], byRows),
  selfAttention('by heads', [2, 3, 4], { scale: { float: 0.3 } }),
  selfAttention('softcap, mask', [2, 3, 4], { softcap: { float: 1.5 } }, { m: numbers(3, 3) }),
  selfAttention('mask with heads', [3, 4], byRows, { m: numbers(1, 2, 3, 3) }),
  selfAttention('truth mask', [3, 4], byRows, { m: truth([3, 3], [1, 0, 1, 0, 1, 0, 1, 1, 1]) }),
  selfAttention('causal', [3, 4], { ...byRows, is_causal: 1 }),
  selfAttention(
    'causal, truth mask, softcap',
    [2, 3, 4],
    { is_causal: 1, softcap: { float: 3 } },
    { m: truth([3, 3], [1, 0, 1, 1, 1, 0, 0, 1, 1]) },
  ),
  { tested: { ...lengths(), batch: 3 } },
  // Rows that may look at nothing are 0, and their scores do not move them.
  selfAttention('a truth mask with an empty row', [3, 4], byRows, { m: truth([3, 3], [1, 0, 1, 0, 0, 0, 0, 1, 1]) }),
  selfAttention(
    'causal, a truth mask that leaves the first row nothing',
    [3, 4],
    { ...byRows, is_causal: 1 },
    { m: truth([3, 3], [0, 1, 1, 1, 1, 0, 0, 1, 1]) },
  ),
  selfAttention('a mask of −∞ with an empty row', [3, 4], byRows, { m: hiding([3, 3], [0, 1, 0, 1, 1, 1, 0, 0, 0]) }),
  ...[2, 3].map((mode) => ({ tested: emptyRow(mode) })),
  // Rows are the last of the padded keys, and with more rows than keys the first see none.
  { tested: { ...lengths({ is_causal: 1 }), name: 'Attention, padded keys, causal', batch: 3 } },
  { tested: onePastRow() },
  grouped('grouped queries', {}),
  grouped('grouped queries, causal', { is_causal: 1 }),
  {
    tested: single('Attention', [2, 3, 4], {
      label: 'keys and values constant, more columns, wider values, batch fixed at 3',
      batch: 3,
      constants: { k: numbers(3, 2, 5, 4), v: numbers(3, 2, 5, 6) },
    }),
  },
  ...[0, 1].map((mode) => ({ tested: withPast(mode) })),
  ...[2, 3].map((mode) => ({ tested: scoresOut(mode) })),
]

function lengths(attributes: AttributeValues = {}): Case {
  return single('Attention', [3, 4], {
    label: 'padded keys',
    inputs: ['x', 'x', 'x', '', '', '', 'n'],
    constants: { n: [2, 3, 1] },
    attributes: { ...byRows, ...attributes },
  })
}

/** −∞ where there is a 1. */
function hiding(dims: readonly number[], bits: readonly number[]): Tensor {
  return { type: 'float32', dims, data: Float32Array.from(bits, (bit) => (bit === 1 ? -Infinity : 0.5)) }
}

function emptyRow(mode: number): Case {
  const attributes = { qk_matmul_output_mode: mode }
  const node = makeNode('Attention', ['x', 'x', 'x', 'm'], ['a', '', '', 'qk'], attributes, 'tested')
  const nodes = [node, makeNode('Clip', ['qk', 'least'], ['scores']), makeNode('MatMul', ['scores', 'a'], ['y'])]
  const least: Tensor = { type: 'float32', dims: [], data: Float32Array.of(-3) }
  const constants = { m: truth([3, 3], [1, 0, 1, 0, 0, 0, 0, 1, 1]), least }
  return composed(`Attention, an empty row, output mode ${mode}`, [2, 3, 4], nodes, constants)
}

/** Of a single row behind a past onnxruntime hides nothing. */
function onePastRow(): Case {
  const nodes = [
    makeNode('Slice', ['x', 'zero', 'one', 'two'], ['row']),
    makeNode('Tanh', ['row'], ['past']),
    makeNode('Attention', ['row', 'x', 'x', '', 'past', 'row'], ['y', 'pk', 'pv'], { is_causal: 1 }, 'tested'),
  ]
  const constants = { zero: integers([0]), one: integers([1]), two: integers([2]) }
  return composed('Attention, one row behind a past, causal', [2, 3, 4], nodes, constants)
}

function scoresOut(mode: number): Case {
  const attributes = { qk_matmul_output_mode: mode }
  return composed(
    `Attention, output mode ${mode}`,
    [2, 3, 4],
    [
      makeNode('Attention', ['x', 'x', 'x', 'm'], ['a', '', '', 'qk'], attributes, 'tested'),
      makeNode('MatMul', ['qk', 'a'], ['y']),
    ],
    { m: numbers(3, 3) },
  )
}
