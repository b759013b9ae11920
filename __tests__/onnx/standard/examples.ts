import { create } from '@bufbuild/protobuf'
import { GraphProtoSchema } from 'onnx-buf'
import { makeNode } from '../../../src/onnx/attributes.js'
import type { AttributeValues } from '../../../src/onnx/attributes.js'
import { writeNode } from '../../../src/onnx/codec.js'
import type { Node } from '../../../src/onnx/graph.js'
import { floats, single, tensor, vector } from '../support.js'
import type { Recipe } from '../support.js'

const image = floats(2, 2, 4, 6)
const element = (name: string) => ({ name, type: { value: { case: 'tensorType' as const, value: { elemType: 1 } } } })
const negated = create(GraphProtoSchema, {
  name: 'negated',
  input: [element('from')],
  node: [writeNode(makeNode('Neg', ['from'], ['to']))],
  output: [element('to')],
})

/** The first run of a session draws the same numbers for the same seed. */
const SEEDED = { seed: { float: 3 } }

/** A model for each version of an operator that no node test of the selection has, even when it is dated back. */
export const EXAMPLES: Readonly<Record<string, Recipe>> = {
  'Bernoulli-15': single({
    opset: 15,
    op: 'Bernoulli',
    x: tensor('float32', [2, 3], Float32Array.of(0.1, 0.5, 0.9, 0.4, 0.6, 0.5)),
    attributes: SEEDED,
  }),
  'Clip-6': single({ opset: 10, op: 'Clip', attributes: { min: { float: -0.5 }, max: { float: 0.75 } } }),
  'ConcatFromSequence-11': sequence(11, [makeNode('ConcatFromSequence', ['s'], ['y'], { axis: 0 })]),
  'DepthToSpace-1': single({ opset: 7, op: 'DepthToSpace', x: floats(2, 8, 2, 3), attributes: { blocksize: 2 } }),
  'GlobalLpPool-2': single({ opset: 21, op: 'GlobalLpPool', x: image, attributes: { p: 3 } }),
  'MaxRoiPool-1': single({
    opset: 7,
    op: 'MaxRoiPool',
    x: image,
    more: [tensor('float32', [2, 5], Float32Array.of(0, 0, 1, 3, 3, 1, 2, 0, 5, 2))],
    attributes: { pooled_shape: [2, 3] },
  }),
  'Multinomial-7': single({
    opset: 7,
    op: 'Multinomial',
    x: floats(2, 3),
    attributes: { ...SEEDED, sample_size: 5 },
  }),
  'Not-1': {
    opset: 7,
    inputs: { x: tensor('bool', [3], Uint8Array.of(1, 0, 1)) },
    nodes: [makeNode('Not', ['x'], ['y'])],
    outputs: ['y'],
  },
  'Optional-15': optional(15),
  'OptionalGetElement-15': optional(15),
  'OptionalGetElement-18': optional(18),
  'OptionalHasElement-15': optional(15),
  'OptionalHasElement-18': optional(18),
  'Pad-2': single({ opset: 7, op: 'Pad', attributes: { pads: [0, 0, 1, 0, 0, 1], value: { float: 3.5 } } }),
  'RandomNormal-1': drawn('RandomNormal', { mean: { float: 0.5 }, scale: { float: 2 } }),
  'RandomNormalLike-1': single({ opset: 7, op: 'RandomNormalLike', x: floats(2, 3), attributes: SEEDED }),
  'RandomUniform-1': drawn('RandomUniform', { low: { float: -1 }, high: { float: 3 } }),
  'RandomUniformLike-1': single({ opset: 7, op: 'RandomUniformLike', x: floats(2, 3), attributes: SEEDED }),
  'ReduceSum-1': single({ opset: 9, op: 'ReduceSum', attributes: { axes: [0, 2], keepdims: 0 } }),
  'ReduceSum-11': single({ opset: 11, op: 'ReduceSum', attributes: { axes: [-2] } }),
  'Resize-10': single({ opset: 10, op: 'Resize', x: image, more: [vector(1, 1, 1.5, 0.5)] }),
  'RoiAlign-10': aligned(10),
  'RoiAlign-16': aligned(16),
  'SequenceAt-11': sequence(11, [makeNode('SequenceAt', ['s', 'at'], ['y'])]),
  'SequenceConstruct-11': sequence(11, [makeNode('SequenceAt', ['s', 'at'], ['y'])]),
  'SequenceEmpty-11': {
    opset: 11,
    inputs: { x: floats(2, 3) },
    nodes: [
      makeNode('SequenceEmpty', [], ['none']),
      makeNode('SequenceInsert', ['none', 'x'], ['s']),
      makeNode('ConcatFromSequence', ['s'], ['y'], { axis: 1 }),
    ],
    outputs: ['y'],
  },
  'SequenceErase-11': sequence(11, [
    makeNode('SequenceErase', ['s', 'at'], ['less']),
    makeNode('ConcatFromSequence', ['less'], ['y'], { axis: 0 }),
  ]),
  'SequenceInsert-11': sequence(11, [
    makeNode('SequenceInsert', ['s', 'x', 'at'], ['more']),
    makeNode('ConcatFromSequence', ['more'], ['y'], { axis: 0 }),
  ]),
  'SequenceMap-17': sequence(17, [
    makeNode('SequenceMap', ['s'], ['m'], { body: negated }),
    makeNode('SequenceAt', ['m', 'at'], ['y']),
  ]),
  'SequenceLength-11': sequence(11, [makeNode('SequenceLength', ['s'], ['y'])]),
  'Slice-1': single({ opset: 9, op: 'Slice', attributes: { starts: [1, -3], ends: [2, -1], axes: [1, 2] } }),
  'SplitToSequence-11': split(11),
  'SplitToSequence-24': split(24),
  'Squeeze-1': single({ opset: 7, op: 'Squeeze', x: floats(1, 3, 1, 2), attributes: { axes: [0, 2] } }),
  'Squeeze-11': single({ opset: 11, op: 'Squeeze', x: floats(3, 2, 1), attributes: { axes: [-1] } }),
  'TopK-1': single({ opset: 9, op: 'TopK', attributes: { k: 2, axis: 1 }, outputs: 2 }),
  'Upsample-7': single({ opset: 7, op: 'Upsample', x: image, attributes: { scales: { floats: [1, 1, 2, 3] } } }),
}

function drawn(op: string, attributes: AttributeValues): Recipe {
  const node = makeNode(op, [], ['y'], { ...SEEDED, ...attributes, shape: [2, 3] })
  return { opset: 7, inputs: {}, nodes: [node], outputs: ['y'] }
}

function aligned(opset: number): Recipe {
  const regions = tensor('float32', [2, 4], Float32Array.of(0.3, 0.6, 3.7, 2.9, 1.9, 1.2, 1.95, 3.3))
  const more = [regions, tensor('int64', [2], BigInt64Array.of(1n, 0n))]
  return single({ opset, op: 'RoiAlign', x: image, more, attributes: { output_height: 2, output_width: 3 } })
}

/** A sequence `s` of two parts of the input, and what is done with it. */
function sequence(opset: number, nodes: readonly Node[]): Recipe {
  return {
    opset,
    inputs: { x: floats(2, 3) },
    constants: { at: tensor('int64', [], BigInt64Array.of(1n)) },
    nodes: [makeNode('Neg', ['x'], ['n']), makeNode('SequenceConstruct', ['x', 'n'], ['s']), ...nodes],
    outputs: ['y'],
  }
}

function split(opset: number): Recipe {
  return {
    opset,
    inputs: { x: floats(4, 3) },
    nodes: [
      makeNode('SplitToSequence', ['x'], ['s'], { axis: 0, keepdims: 1 }),
      makeNode('ConcatFromSequence', ['s'], ['y'], { axis: 1 }),
    ],
    outputs: ['y'],
  }
}

function optional(opset: number): Recipe {
  return {
    opset,
    inputs: { x: floats(2, 3) },
    nodes: [
      makeNode('Optional', ['x'], ['o']),
      makeNode('OptionalHasElement', ['o'], ['has']),
      makeNode('OptionalGetElement', ['o'], ['y']),
    ],
    outputs: ['y', 'has'],
  }
}
