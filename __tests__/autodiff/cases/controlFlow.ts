import { makeNode } from '../../../src/onnx/attributes.js'
import { integers, reals } from '../support.js'
import type { Case } from '../support.js'
import { body, double, flow, scalar, truth } from './bodies.js'

const square = body([], ['squared'], [makeNode('Mul', ['x', 'x'], ['squared'])])
const exponential = body(
  [],
  ['result'],
  [
    makeNode('Constant', [], ['k'], { value: double(2) }),
    makeNode('Exp', ['x'], ['e']),
    makeNode('Mul', ['e', 'k'], ['result']),
  ],
)

function choice(label: string, condition: boolean): Case {
  const attributes = { then_branch: square, else_branch: exponential }
  return flow(`If, ${label}`, [makeNode('If', ['c'], ['y'], attributes, 'tested')], { c: truth(condition) })
}

/** h ← h·w + x, its squares one below the other in `rows`. */
const recurrence = body(
  ['i', 'go', 'h'],
  ['still', 'next', 'row'],
  [
    makeNode('Identity', ['go'], ['still']),
    makeNode('Mul', ['h', 'w'], ['decayed']),
    makeNode('Add', ['decayed', 'x'], ['next']),
    makeNode('Mul', ['next', 'next'], ['row']),
  ],
  { w: double(0.5) },
)

/** Ends when a counter that it carries reaches 3, and takes one row of x in each step. */
const counting = body(
  ['i', 'go', 'h', 'count'],
  ['still', 'next', 'more'],
  [
    makeNode('Gather', ['x', 'i'], ['row'], { axis: 1 }),
    makeNode('Mul', ['h', 'row'], ['next']),
    makeNode('Add', ['count', 'one'], ['more']),
    makeNode('Less', ['more', 'three'], ['still']),
  ],
  { one: scalar(1), three: scalar(3) },
)

const scanBody = body(
  ['h', 'row'],
  ['next', 'out'],
  [
    makeNode('Mul', ['h', 'half'], ['decayed']),
    makeNode('Add', ['decayed', 'row'], ['next']),
    makeNode('Exp', ['next'], ['out']),
  ],
  { half: double(0.5) },
)

const twoScans = body(
  ['h', 'row', 'weight'],
  ['next', 'out', 'sum'],
  [
    makeNode('Mul', ['row', 'weight'], ['weighted']),
    makeNode('Add', ['h', 'weighted'], ['next']),
    makeNode('Mul', ['next', 'next'], ['out']),
    makeNode('ReduceSum', ['out', 'last'], ['sum'], { keepdims: 0 }),
  ],
  { last: integers([1]) },
)

/** The sum of the first row of x, [N, 4], by a state of that shape. */
const firstRow = makeNode('Gather', ['x', 'zero'], ['h0'], { axis: 1 })

export const SMOOTH: readonly Case[] = [
  choice('then', true),
  choice('else, a constant inside', false),
  flow(
    'If within If, on a shape',
    [
      makeNode('Shape', ['x'], ['columns'], { start: 2 }),
      makeNode('Squeeze', ['columns'], ['size']),
      makeNode('Equal', ['size', 'four'], ['c']),
      makeNode(
        'If',
        ['c'],
        ['y'],
        {
          then_branch: body(
            [],
            ['inner'],
            [
              makeNode('Exp', ['x'], ['e']),
              makeNode('If', ['other'], ['inner'], {
                then_branch: square,
                else_branch: body([], ['product'], [makeNode('Mul', ['e', 'x'], ['product'])]),
              }),
            ],
          ),
          else_branch: square,
        },
        'tested',
      ),
    ],
    { four: scalar(4), other: truth(false) },
  ),

  flow(
    'Loop, carried and stacked, x captured',
    [
      makeNode('Loop', ['trips', 'go', 'x'], ['last', 'rows'], { body: recurrence }, 'tested'),
      makeNode('ReduceSum', ['rows', 'zeroth'], ['sum'], { keepdims: 0 }),
      makeNode('Add', ['sum', 'last'], ['y']),
    ],
    { trips: scalar(3), go: truth(true), zeroth: integers([0]) },
  ),
  flow(
    'Loop, no condition, one trip',
    [
      makeNode('Loop', ['trips', '', 'x'], ['last', 'rows'], { body: recurrence }, 'tested'),
      makeNode('Squeeze', ['rows', 'zeroth'], ['y']),
    ],
    { trips: scalar(1), zeroth: integers([0]) },
  ),
  flow(
    'Loop, never',
    [
      makeNode('Loop', ['trips', 'go', 'x'], ['last', 'rows'], { body: recurrence }, 'tested'),
      makeNode('Exp', ['last'], ['y']),
    ],
    {
      trips: scalar(3),
      go: truth(false),
    },
  ),
  flow(
    'Loop, ended by what it counts, without a limit and without rows',
    [firstRow, makeNode('Loop', ['', 'go', 'h0', 'start'], ['y', 'end'], { body: counting }, 'tested')],
    { zero: scalar(0), go: truth(true), start: scalar(0) },
  ),
  flow(
    'Loop, ended by what it counts before the limit',
    [firstRow, makeNode('Loop', ['limit', 'go', 'h0', 'start'], ['y', 'end'], { body: counting }, 'tested')],
    { zero: scalar(0), limit: scalar(2), go: truth(true), start: scalar(-5) },
  ),
  flow(
    'Loop within Loop',
    [
      makeNode(
        'Loop',
        ['trips', 'go', 'x'],
        ['y'],
        {
          body: body(
            ['j', 'continue', 'outer'],
            ['continues', 'inner'],
            [
              makeNode('Identity', ['continue'], ['continues']),
              makeNode('Loop', ['j', '', 'outer'], ['inner', 'rows'], { body: recurrence }),
            ],
          ),
        },
        'tested',
      ),
    ],
    { trips: scalar(3), go: truth(true) },
  ),

  flow(
    'Scan, rows of the second axis',
    [
      firstRow,
      makeNode(
        'Scan',
        ['h0', 'x'],
        ['last', 'y'],
        { body: scanBody, num_scan_inputs: 1, scan_input_axes: [1], scan_output_axes: [1] },
        'tested',
      ),
    ],
    { zero: scalar(0) },
  ),
  flow(
    'Scan, backwards, negative axes',
    [
      firstRow,
      makeNode(
        'Scan',
        ['h0', 'x'],
        ['last', 'rows'],
        {
          body: scanBody,
          num_scan_inputs: 1,
          scan_input_axes: [-2],
          scan_input_directions: [1],
          scan_output_axes: [-1],
          scan_output_directions: [1],
        },
        'tested',
      ),
      makeNode('Mul', ['rows', 'weights'], ['y']),
    ],
    { zero: scalar(0), weights: double(1, 2, 3) },
  ),
  flow(
    'Scan, two inputs and two outputs',
    [
      firstRow,
      makeNode(
        'Scan',
        ['h0', 'x', 'weights'],
        ['last', 'rows', 'sums'],
        { body: twoScans, num_scan_inputs: 2, scan_input_axes: [1, 0], scan_output_axes: [1, 1] },
        'tested',
      ),
      makeNode('Unsqueeze', ['sums', 'end'], ['column']),
      makeNode('Mul', ['rows', 'column'], ['product']),
      makeNode('Unsqueeze', ['last', 'one'], ['state']),
      makeNode('Add', ['product', 'state'], ['y']),
    ],
    { zero: scalar(0), one: integers([1]), end: integers([2]), weights: reals('float64', [3], 3) },
  ),
]
