import { create } from '@bufbuild/protobuf'
import { describe, expect, test } from '@jest/globals'
import { GraphProtoSchema, ValueInfoProtoSchema } from 'onnx-buf'
import { intAttribute, makeNode } from '../../src/onnx/attributes.js'
import { canonicalise } from '../../src/onnx/canonical.js'
import { SCAN_OF_BATCHES } from '../../src/onnx/canonical/shapes.js'
import { writeNode } from '../../src/onnx/codec.js'
import { assemble, expectSameOutputs, float64, floats, ints, operators, single, tensor, vector } from './support.js'
import type { Recipe, Single } from './support.js'

/** Each model is run by onnxruntime as its old opset writes it and as we rewrite it; equal to the bit unless it says otherwise. */

const image = floats(2, 4, 6, 6)

describe('parameters that became inputs', () => {
  test.each<[string, Single]>([
    ['Clip-6, both ends', { opset: 10, op: 'Clip', attributes: { min: { float: -0.5 }, max: { float: 0.75 } } }],
    ['Clip-6, above only', { opset: 7, op: 'Clip', attributes: { max: { float: 0.5 } } }],
    ['Clip-6, no end at all', { opset: 7, op: 'Clip' }],
    ['Pad-2, zeros', { opset: 10, op: 'Pad', attributes: { pads: [0, 1, 2, 1, 0, 0] } }],
    ['Pad-2, a value', { opset: 7, op: 'Pad', attributes: { pads: [0, 0, 1, 0, 0, 1], value: { float: 3.5 } } }],
    ['Pad-2, cropping', { opset: 9, op: 'Pad', attributes: { pads: [0, -1, 0, 0, 0, -1] } }],
    ['Pad-2, reflected', { opset: 9, op: 'Pad', attributes: { pads: [0, 0, 1, 0, 0, 2], mode: 'reflect' } }],
    ['Pad-2, edges', { opset: 9, op: 'Pad', attributes: { pads: [0, 1, 1, 0, 0, 2], mode: 'edge' } }],
    [
      'Pad-2, a value in float64',
      { opset: 9, op: 'Pad', x: float64(floats(2, 3)), attributes: { pads: [0, 1, 0, 1], value: { float: -2.5 } } },
    ],
    ['Slice-1 with axes', { opset: 9, op: 'Slice', attributes: { starts: [1, -3], ends: [2, -1], axes: [1, 2] } }],
    ['Slice-1 without axes', { opset: 9, op: 'Slice', attributes: { starts: [0, 1], ends: [1, 3] } }],
    [
      'Slice-1 to the end (INT64_MAX)',
      { opset: 7, op: 'Slice', attributes: { starts: [1], ends: [2 ** 63], axes: [2] } },
    ],
    ['Squeeze-1', { opset: 12, op: 'Squeeze', x: floats(1, 3, 1, 2), attributes: { axes: [0, 2] } }],
    ['Squeeze-1 of every 1', { opset: 12, op: 'Squeeze', x: floats(1, 3, 1, 2) }],
    ['Squeeze-11, negative axis', { opset: 11, op: 'Squeeze', x: floats(3, 2, 1), attributes: { axes: [-1] } }],
    ['Unsqueeze-1', { opset: 9, op: 'Unsqueeze', attributes: { axes: [0, 2] } }],
    ['Unsqueeze-11, negative axis', { opset: 12, op: 'Unsqueeze', attributes: { axes: [-1] } }],
    ['Split-2 of given sizes', { opset: 11, op: 'Split', attributes: { axis: 2, split: [1, 3] }, outputs: 2 }],
    ['Split-2 in equal parts', { opset: 9, op: 'Split', attributes: { axis: 2 }, outputs: 2 }],
    ['Split-13 in equal parts', { opset: 13, op: 'Split', attributes: { axis: 1 }, outputs: 3 }],
    ['Split-13 of given sizes', { opset: 13, op: 'Split', attributes: { axis: 2 }, more: [ints(3, 1)], outputs: 2 }],
    [
      'Split-18 in uneven parts',
      { opset: 18, op: 'Split', attributes: { axis: 1, num_outputs: 3 }, outputs: 3, x: floats(2, 5) },
    ],
    ['TopK-1', { opset: 9, op: 'TopK', attributes: { k: 2, axis: 1 }, outputs: 2 }],
  ])('%s', async (_, one) => {
    await expectSameOutputs(single(one))
  })
})

describe('reductions', () => {
  const operators = ['L1', 'L2', 'LogSum', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'Sum', 'SumSquare']
  test.each(operators.map((name) => `Reduce${name}`))('%s keeps its axes', async (op) => {
    // A logarithm of a sum needs one that is positive.
    const positive = Float32Array.from({ length: 24 }, (_, at) => 0.1 + (at % 7))
    const x = tensor('float32', [2, 3, 4], positive)
    await expectSameOutputs(single({ opset: 9, op, x, attributes: { axes: [0, 2], keepdims: 0 } }))
    await expectSameOutputs(single({ opset: 12, op, x, attributes: { axes: [-1] } }))
    await expectSameOutputs(single({ opset: 7, op, x }))
  })

  test('ReduceSum-13 has its axes as an input already', async () => {
    await expectSameOutputs(single({ opset: 13, op: 'ReduceSum', attributes: { keepdims: 0 }, more: [ints(1)] }))
  })
})

describe('Softmax and its kin before opset 13 normalise whole rows of a matrix', () => {
  test.each(['Softmax', 'LogSoftmax', 'Hardmax'])('%s', async (op) => {
    for (const axis of [0, 1, 2, undefined]) await expectSameOutputs(single({ opset: 9, op, attributes: { axis } }))
    for (const axis of [-1, -2, -3]) await expectSameOutputs(single({ opset: 11, op, attributes: { axis } }))
  })

  test('where the rank is not plain', async () => {
    const recipe: Recipe = {
      opset: 9,
      inputs: { x: floats(2, 3, 4), shape: ints(2, 2, 6) },
      nodes: [makeNode('Reshape', ['x', 'shape'], ['r']), makeNode('Softmax', ['r'], ['y'], { axis: 1 })],
      outputs: ['y'],
    }
    await expectSameOutputs(recipe)
  })

  test('on the logits of a matrix product it stays one node, which a gradient can look behind', async () => {
    const recipe: Recipe = {
      opset: 9,
      inputs: { x: floats(2, 3) },
      constants: { w: floats(3, 5), b: floats(5) },
      nodes: [makeNode('Gemm', ['x', 'w', 'b'], ['z']), makeNode('Softmax', ['z'], ['y'])],
      outputs: ['y'],
    }
    expect(operators(await expectSameOutputs(recipe))).toEqual(['Gemm', 'Softmax'])
  })
})

describe('normalisation', () => {
  const statistics = [vector(1, 0.5, -2, 3), vector(0.1, 0.2, -0.3, 0), vector(0.5, -1, 0.25, 0), vector(1, 2, 0.5, 4)]

  test.each([7, 9, 14, 15])('BatchNormalization of opset %i', async (opset) => {
    const attributes = { epsilon: { float: 1e-3 }, momentum: { float: 0.9 } }
    await expectSameOutputs(single({ opset, op: 'BatchNormalization', x: image, attributes, more: statistics }))
  })

  test('BatchNormalization-7 drops its attribute `spatial`', async () => {
    await expectSameOutputs(
      single({ opset: 7, op: 'BatchNormalization', x: image, attributes: { spatial: 1 }, more: statistics }),
    )
  })

  test('BatchNormalization-7 with statistics per activation', async () => {
    const dims = [4, 2, 3]
    const variance = { ...floats(...dims), data: Float32Array.from({ length: 24 }, (_, at) => 0.5 + at / 8) }
    const more = [floats(...dims), floats(...dims), floats(...dims), variance]
    const recipe = single({
      opset: 8,
      op: 'BatchNormalization',
      x: floats(2, 4, 2, 3),
      attributes: { spatial: 0 },
      more,
    })
    // onnxruntime multiplies by scale / √variance in another order: a few units in the last place of numbers up to 20.
    await expectSameOutputs(recipe, 5)
  })

  test('GroupNormalization-18 repeats its scales for the channels of a group', async () => {
    const attributes = { num_groups: 2, epsilon: { float: 1e-3 } }
    const recipe = single({
      opset: 18,
      op: 'GroupNormalization',
      x: image,
      attributes,
      more: [vector(2, -1), vector(0.5, 3)],
    })
    // The same mean and variance, scaled per channel instead of per group.
    await expectSameOutputs(recipe, 5)
  })
})

test('an equal Split says into how many parts, which the standard asks for since 18 though onnxruntime does not', async () => {
  const { nodes } = await expectSameOutputs(single({ opset: 9, op: 'Split', attributes: { axis: 2 }, outputs: 2 }))
  expect(intAttribute(nodes[0], 'num_outputs')).toBe(2)
})

test.each([9, 10, 11, 12, 13])(
  'the mask of a Dropout-%i that does not train is there for who reads it',
  async (opset) => {
    const attributes = opset < 12 ? { ratio: { float: 0.25 } } : {}
    const canonical = await expectSameOutputs(single({ opset, op: 'Dropout', attributes, outputs: 2 }))
    // Until 11 onnxruntime fills it with zeros, and then nothing of the Dropout is left.
    expect(operators(canonical).includes('Dropout')).toBe(opset >= 12)
  },
)

test.each([7, 9, 13])('BatchNormalization of opset %i with outputs for training trains', async (opset) => {
  const more = [vector(1, -2, 3), vector(0, 1, 0.5), vector(0.5, 0, -1), vector(2, 1, 0.5)]
  const recipe = single({ opset, op: 'BatchNormalization', x: floats(2, 3, 4), more, outputs: 5 })
  const running = { ...recipe, outputs: ['y0', 'y1', 'y2'] }
  // Sums of eight numbers in another order: a few units in the last place.
  const { nodes } = await expectSameOutputs(running, 5)
  expect(nodes[0].outputs).toEqual(['y0', 'y1', 'y2'])
})

test('Scan-8, whose images are scans of their own, is the same for one image without a batch', async () => {
  const typed = (name: string, ...sizes: readonly number[]) =>
    create(ValueInfoProtoSchema, {
      name,
      type: {
        value: {
          case: 'tensorType',
          value: {
            elemType: 1,
            shape: { dim: sizes.map((size) => ({ value: { case: 'dimValue' as const, value: BigInt(size) } })) },
          },
        },
      },
    })
  const body = create(GraphProtoSchema, {
    name: 'sums',
    input: [typed('sum', 2), typed('row', 2), typed('other', 3)],
    node: [
      makeNode('Add', ['sum', 'row'], ['next']),
      makeNode('ReduceSum', ['other'], ['total'], { axes: [0], keepdims: 1 }),
      makeNode('Mul', ['next', 'total'], ['out']),
    ].map(writeNode),
    output: [typed('next', 2), typed('out', 2)],
  })
  const recipe = (lengths: string): Recipe => ({
    opset: 8,
    inputs: { x: floats(1, 4, 2), z: floats(1, 4, 3) },
    constants: { start: floats(1, 2), lengths: ints(4) },
    nodes: [
      makeNode('Scan', [lengths, 'start', 'x', 'z'], ['last', 'y'], { body, num_scan_inputs: 2, directions: [1, 0] }),
    ],
    outputs: ['last', 'y'],
  })
  await expectSameOutputs(recipe(''))
  // Sequences that end early are scanned by no Scan of today: it is told from one.
  expect(operators(canonicalise(assemble(recipe('lengths'))))).toEqual([SCAN_OF_BATCHES])
})

test('Scatter is ScatterElements', async () => {
  const indices = tensor('int64', [2, 2], BigInt64Array.of(1n, 0n, 2n, 1n))
  const more = [indices, floats(2, 2)]
  await expectSameOutputs(single({ opset: 9, op: 'Scatter', x: floats(2, 3), more, attributes: { axis: 1 } }))
})

test('GlobalLpPool, which onnxruntime lost at opset 22, is written out', async () => {
  const four = floats(2, 3, 4, 5)
  // A root of a sum of powers, summed in another order: a few units in the last place of numbers up to 30.
  for (const p of [undefined, 1, 2, 3])
    await expectSameOutputs(single({ opset: 21, op: 'GlobalLpPool', x: four, attributes: { p } }), 4)
  await expectSameOutputs(single({ opset: 7, op: 'GlobalLpPool', x: floats(2, 3, 7), attributes: { p: 2 } }), 4)
})

test('DFT-17 keeps its axis', async () => {
  for (const axis of [1, 2, undefined])
    await expectSameOutputs(single({ opset: 17, op: 'DFT', x: floats(1, 4, 3, 1), attributes: { axis } }))
})
