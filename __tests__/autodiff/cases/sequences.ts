import { create } from '@bufbuild/protobuf'
import { TypeProtoSchema, ValueInfoProtoSchema } from 'onnx-buf'
import type { GraphProto } from 'onnx-buf'
import { makeNode } from '../../../src/onnx/attributes.js'
import { dataType } from '../../../src/onnx/tensor.js'
import { integers } from '../support.js'
import type { Case } from '../support.js'
import { body, flow, scalar, truth } from './bodies.js'

export const SMOOTH: readonly Case[] = [
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
  flow(
    'SequenceMap over what was split, with a tensor and a sequence beside it',
    [
      makeNode('SplitToSequence', ['x'], ['rows'], { axis: 1 }, 'split'),
      makeNode('Exp', ['x'], ['e']),
      makeNode('SplitToSequence', ['e'], ['others'], { axis: 1 }, 'too'),
      makeNode('SequenceMap', ['rows', 'x', 'others'], ['mapped', 'squares'], { body: mapped() }, 'tested'),
      makeNode('ConcatFromSequence', ['mapped'], ['a'], { axis: 1 }),
      makeNode('SequenceAt', ['squares', 'last'], ['b']),
      makeNode('Add', ['a', 'b'], ['y']),
    ],
    { last: scalar(-1) },
  ),
  flow('Optional that is there: its element, and what is done if there is one', [
    makeNode('Exp', ['x'], ['e']),
    makeNode('Optional', ['e'], ['maybe'], {}, 'tested'),
    makeNode('OptionalHasElement', ['maybe'], ['is']),
    makeNode('If', ['is'], ['y'], {
      then_branch: body(
        [],
        ['t'],
        [makeNode('OptionalGetElement', ['maybe'], ['found']), makeNode('Mul', ['found', 'x'], ['t'])],
      ),
      else_branch: body([], ['n'], [makeNode('Neg', ['x'], ['n'])]),
    }),
  ]),
  flow('OptionalGetElement', [
    makeNode('Optional', ['x'], ['maybe']),
    makeNode('OptionalGetElement', ['maybe'], ['found'], {}, 'tested'),
    makeNode('Exp', ['found'], ['y']),
  ]),
  flow('SequenceConstruct, with a constant', [
    makeNode('Exp', ['x'], ['e']),
    makeNode('SequenceConstruct', ['e', 'x'], ['both'], {}, 'tested'),
    makeNode('ConcatFromSequence', ['both'], ['y'], { axis: -1 }),
  ]),
]

/** An item by the image's mean and by the item beside it; and its square. */
function mapped(): GraphProto {
  const plain = body(
    ['item', 'whole', 'other'],
    ['product', 'square'],
    [
      makeNode('ReduceMean', ['whole', 'axes'], ['mean']),
      makeNode('Mul', ['item', 'mean'], ['part']),
      makeNode('Mul', ['part', 'other'], ['product']),
      makeNode('Mul', ['item', 'item'], ['square']),
    ],
    { axes: integers([1, 2]) },
  )
  const type = create(TypeProtoSchema, { value: { case: 'tensorType', value: { elemType: dataType('float64') } } })
  const typed = ({ name }: { readonly name: string }) => create(ValueInfoProtoSchema, { name, type })
  return { ...plain, input: plain.input.map(typed), output: plain.output.map(typed) }
}

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
