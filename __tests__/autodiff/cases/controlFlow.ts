import { create } from '@bufbuild/protobuf'
import { GraphProtoSchema, TypeProtoSchema, ValueInfoProtoSchema } from 'onnx-buf'
import type { GraphProto, ValueInfoProto } from 'onnx-buf'
import { makeNode } from '../../../src/onnx/attributes.js'
import { writeNode } from '../../../src/onnx/codec.js'
import type { ElementType, Node, Tensor } from '../../../src/onnx/graph.js'
import { dataType, writeTensor } from '../../../src/onnx/tensor.js'
import { composed, floating, integers, reals } from '../support.js'
import type { Case } from '../support.js'

export const truth = (value: boolean): Tensor => ({ type: 'bool', dims: [], data: Uint8Array.of(value ? 1 : 0) })
const scalar = (value: number): Tensor => integers([value], [])
const double = (...values: readonly number[]): Tensor =>
  floating('float64', values.length > 1 ? [values.length] : [], values)

/** A Loop's own inputs say what they are; the types of the others are left to onnxruntime. */
function declared(name: string): ValueInfoProto {
  const own: Readonly<Record<string, ElementType>> = { i: 'int64', j: 'int64', go: 'bool', continue: 'bool' }
  if (!(name in own)) return create(ValueInfoProtoSchema, { name })
  const tensorType = { elemType: dataType(own[name]), shape: { dim: [] } }
  return create(ValueInfoProtoSchema, { name, type: { value: { case: 'tensorType', value: tensorType } } })
}

/** A body of If, Loop or Scan. */
export function body(
  inputs: readonly string[],
  outputs: readonly string[],
  nodes: readonly Node[],
  constants: Readonly<Record<string, Tensor>> = {},
): GraphProto {
  return create(GraphProtoSchema, {
    name: `body of ${outputs.join()}`,
    input: inputs.map((name) => declared(name)),
    output: outputs.map((name) => create(ValueInfoProtoSchema, { name })),
    node: nodes.map(writeNode),
    initializer: Object.entries(constants).map(([name, value]) => writeTensor(value, name)),
  })
}

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

/** x, an image of 3×4, through nodes in double. */
function flow(name: string, nodes: readonly Node[], constants: Case['constants'] = {}): Case {
  return composed(name, [3, 4], nodes, constants, 'float64')
}

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

  flow(
    'SequenceAt, SequenceLength, SplitToSequence without axes kept',
    [
      makeNode('SplitToSequence', ['x'], ['rows'], { axis: 1, keepdims: 0 }, 'tested'),
      makeNode('SequenceAt', ['rows', 'last'], ['a']),
      makeNode('SequenceAt', ['rows', 'first'], ['b']),
      makeNode('SequenceLength', ['rows'], ['length']),
      makeNode('Cast', ['length'], ['count'], { to: 11 }),
      makeNode('Mul', ['a', 'b'], ['product']),
      makeNode('Mul', ['product', 'count'], ['y']),
    ],
    { last: scalar(-1), first: scalar(0) },
  ),
  flow(
    'SplitToSequence, by a size with a rest; ConcatFromSequence',
    [
      makeNode('SplitToSequence', ['x', 'size'], ['parts'], { axis: -1 }, 'tested'),
      makeNode('SequenceAt', ['parts', 'second'], ['one']),
      makeNode('Exp', ['one'], ['e']),
      makeNode('SequenceErase', ['parts', 'second'], ['without']),
      makeNode('SequenceInsert', ['without', 'e', 'zero'], ['again']),
      makeNode('ConcatFromSequence', ['again'], ['y'], { axis: 2 }),
    ],
    { size: scalar(3), second: scalar(1), zero: scalar(0) },
  ),
  flow(
    'SplitToSequence, by sizes',
    [
      makeNode('SplitToSequence', ['x', 'sizes'], ['parts'], { axis: 2 }, 'tested'),
      makeNode('SequenceAt', ['parts', 'second'], ['one']),
      makeNode('Exp', ['one'], ['y']),
    ],
    { sizes: integers([1, 3]), second: scalar(1) },
  ),
  flow(
    'ConcatFromSequence, what a Loop appended, on a new axis',
    [
      makeNode('SequenceEmpty', [], ['nothing'], { dtype: dataType('float64') }),
      makeNode('Loop', ['trips', 'go', 'nothing'], ['all'], { body: appending() }, 'tested'),
      makeNode('ConcatFromSequence', ['all'], ['y'], { axis: 1, new_axis: 1 }),
    ],
    { trips: scalar(3), go: truth(true) },
  ),
  flow('SequenceConstruct, with a constant', [
    makeNode('Exp', ['x'], ['e']),
    makeNode('SequenceConstruct', ['e', 'x'], ['both'], {}, 'tested'),
    makeNode('ConcatFromSequence', ['both'], ['y'], { axis: -1 }),
  ]),
]

/** Appends a row of x, squared, to a sequence in every step. */
function appending(): GraphProto {
  const tensor = create(TypeProtoSchema, {
    value: { case: 'tensorType', value: { elemType: dataType('float64') } },
  })
  const type = create(TypeProtoSchema, { value: { case: 'sequenceType', value: { elemType: tensor } } })
  const plain = body(
    ['i', 'go', 'list'],
    ['still', 'longer'],
    [
      makeNode('Identity', ['go'], ['still']),
      makeNode('Gather', ['x', 'i'], ['row'], { axis: 1 }),
      makeNode('Mul', ['row', 'row'], ['square']),
      makeNode('SequenceInsert', ['list', 'square'], ['longer']),
    ],
  )
  const typed = (name: string) => create(ValueInfoProtoSchema, { name, type })
  return { ...plain, input: [...plain.input.slice(0, 2), typed('list')], output: [plain.output[0], typed('longer')] }
}
