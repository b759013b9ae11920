import { create } from '@bufbuild/protobuf'
import { describe, expect, test } from '@jest/globals'
import { AttributeProto_AttributeType as Type, AttributeProtoSchema, GraphProtoSchema } from 'onnx-buf'
import type { AttributeProto, GraphProto } from 'onnx-buf'
import { UsageError } from '../../src/errors.js'
import { attribute, makeNode } from '../../src/onnx/attributes.js'
import { canonicalise } from '../../src/onnx/canonical.js'
import { decodeModel, encodeModel, writeNode } from '../../src/onnx/codec.js'
import type { Node, Tensor } from '../../src/onnx/graph.js'
import { runModel } from '../support/onnxruntime.js'
import { assemble, expectSameOutputs, floats, ints, operators, tensor, vector } from './support.js'
import type { Recipe } from './support.js'

const x = floats(2, 3)

describe('opsets', () => {
  const recipe = (opset: number): Recipe => ({
    opset,
    inputs: { x },
    nodes: [makeNode('Relu', ['x'], ['y'])],
    outputs: ['y'],
  })

  test('older than 7 is refused with what to do', () => {
    expect(() => canonicalise(assemble(recipe(6)))).toThrow(UsageError)
    expect(() => canonicalise(assemble(recipe(6)))).toThrow(
      'opset 6, which is too old; re-export it with opset 13 or newer',
    )
  })

  test('newer than 24 is refused with the range', () => {
    expect(() => canonicalise(assemble(recipe(25)))).toThrow('opset 25; opsets 7 to 24 are supported')
  })

  test('the newest stays as it is', async () => {
    expect(operators(await expectSameOutputs(recipe(24)))).toEqual(['Relu'])
  })

  test('another domain is kept with its version, and dropped when nothing uses it', async () => {
    const nodes = [makeNode('Gelu', ['x'], ['y'], {}, '', 'com.microsoft')]
    const domains = { 'com.microsoft': 1, 'ai.onnx.ml': 3 }
    const canonical = await expectSameOutputs({ opset: 13, inputs: { x }, nodes, outputs: ['y'], domains })
    expect([...canonical.opsets]).toEqual([
      ['', 24],
      ['com.microsoft', 1],
    ])
  })
})

describe('Constant nodes become constants', () => {
  const strings = attribute.strings('value_strings', ['a', 'bc'])
  const sparse = create(AttributeProtoSchema, {
    name: 'sparse_value',
    type: Type.SPARSE_TENSOR,
    sparseTensor: {
      dims: [2n, 3n],
      values: { dims: [2n], dataType: 1, floatData: [5, 7] },
      indices: { dims: [2n], dataType: 7, int64Data: [1n, 5n] },
    },
  })
  test.each<[string, AttributeProto, Tensor]>([
    ['value', attribute.tensor('value', vector(1, 2)), vector(1, 2)],
    ['value_float', attribute.float('value_float', 0.5), tensor('float32', [], Float32Array.of(0.5))],
    ['value_floats', attribute.floats('value_floats', [1, 2]), vector(1, 2)],
    ['value_int', attribute.int('value_int', -3), tensor('int64', [], BigInt64Array.of(-3n))],
    ['value_ints', attribute.ints('value_ints', [4, 5]), ints(4, 5)],
    ['value_string', attribute.string('value_string', 'a'), tensor('string', [], ['a'])],
    ['value_strings', strings, tensor('string', [2], ['a', 'bc'])],
    ['sparse_value', sparse, tensor('float32', [2, 3], Float32Array.of(0, 5, 0, 0, 0, 7))],
  ])('%s', async (name, proto, value) => {
    const constant: Node = { ...makeNode('Constant', [], ['c']), attributes: new Map([[name, proto]]) }
    const nodes = [constant, makeNode('Shape', ['c'], ['s']), makeNode('Relu', ['x'], ['y'])]
    // onnxruntime 1.30 loses a sparse constant that is an output of the graph itself.
    const outputs = name === 'sparse_value' ? ['s', 'y'] : ['c', 's', 'y']
    const recipe = { opset: 13, inputs: { x }, nodes, outputs }
    const canonical = canonicalise(decodeModel(encodeModel(assemble(recipe))))
    expect(canonical.constants.get('c')).toEqual(value)
    expect(operators(canonical)).toEqual(['Shape', 'Relu'])
    await expectSameOutputs(recipe)
  })

  test('an upgrade sees the value of one: Softmax after a Reshape to two dimensions', async () => {
    const nodes = [
      makeNode('Constant', [], ['shape'], { value: ints(3, 2) }),
      makeNode('Reshape', ['x', 'shape'], ['r']),
      makeNode('Softmax', ['r'], ['y'], { axis: 1 }),
    ]
    const canonical = await expectSameOutputs({ opset: 9, inputs: { x }, nodes, outputs: ['y'] })
    expect(operators(canonical)).toEqual(['Reshape', 'Softmax'])
  })
})

describe('what inference does not need is dropped', () => {
  test('Identity and Dropout, wherever they stand', async () => {
    const nodes = [
      makeNode('Identity', ['x'], ['a']),
      makeNode('Relu', ['a'], ['b']),
      makeNode('Dropout', ['b'], ['c'], { ratio: { float: 0.3 } }),
      makeNode('Identity', ['c'], ['d']),
      makeNode('Neg', ['d'], ['e']),
      makeNode('Dropout', ['e'], ['y']),
    ]
    const canonical = await expectSameOutputs({ opset: 9, inputs: { x }, nodes, outputs: ['y'] })
    expect(operators(canonical)).toEqual(['Relu', 'Neg'])
  })

  test('sign(a) · |a|, which is a, but not the Sign when somebody else reads it', async () => {
    const nodes = [
      makeNode('Sign', ['x'], ['sign']),
      makeNode('Abs', ['x'], ['size']),
      makeNode('Mul', ['sign', 'size'], ['same']),
      makeNode('Sub', ['same', 'sign'], ['y']),
    ]
    const canonical = await expectSameOutputs({ opset: 17, inputs: { x }, nodes, outputs: ['y'] })
    expect(canonical.nodes.map(({ op, inputs }) => [op, ...inputs])).toEqual([
      ['Sign', 'x'],
      ['Sub', 'x', 'sign'],
    ])
  })

  test('Dropout-13 told that it is not training', async () => {
    const constants = {
      ratio: tensor('float32', [], Float32Array.of(0.5)),
      training: tensor('bool', [], Uint8Array.of(0)),
    }
    const nodes = [makeNode('Relu', ['x'], ['a']), makeNode('Dropout', ['a', 'ratio', 'training'], ['y'])]
    const canonical = await expectSameOutputs({ opset: 13, inputs: { x }, nodes, outputs: ['y'], constants })
    expect(operators(canonical)).toEqual(['Relu'])
    expect(canonical.constants.size).toBe(0)
  })

  test('but not a Dropout that trains: the model is random and says so', () => {
    const constants = {
      ratio: tensor('float32', [], Float32Array.of(0.5)),
      training: tensor('bool', [], Uint8Array.of(1)),
    }
    const nodes = [makeNode('Dropout', ['x', 'ratio', 'training'], ['y'])]
    expect(operators(canonicalise(assemble({ opset: 13, inputs: { x }, nodes, outputs: ['y'], constants })))).toEqual([
      'Dropout',
    ])
  })

  test('outputs keep their names: of an input, of a constant, twice of one value', async () => {
    const nodes = [
      makeNode('Identity', ['x'], ['same']),
      makeNode('Identity', ['c'], ['constant']),
      makeNode('Relu', ['x'], ['r']),
      makeNode('Identity', ['r'], ['first']),
      makeNode('Identity', ['r'], ['second']),
      makeNode('Neg', ['r'], ['n']),
    ]
    const outputs = ['same', 'constant', 'first', 'second', 'n']
    await expectSameOutputs({ opset: 13, inputs: { x }, nodes, outputs, constants: { c: vector(1, 2) } })
  })

  test('nodes and weights that no output needs', async () => {
    const nodes = [makeNode('Relu', ['x'], ['y']), makeNode('Add', ['y', 'w'], ['unused'])]
    const canonical = await expectSameOutputs({ opset: 13, inputs: { x }, nodes, outputs: ['y'], constants: { w: x } })
    expect(operators(canonical)).toEqual(['Relu'])
    expect([...canonical.constants.keys()]).toEqual([])
  })
})

describe('bodies of If', () => {
  const branch = (name: string, nodes: readonly Node[], output: string): GraphProto =>
    create(GraphProtoSchema, { name, node: nodes.map(writeNode), output: [{ name: output }] })

  test('are upgraded, see the names around them after a rename, and keep what only they need', async () => {
    const squeeze = makeNode('Squeeze', ['renamed'], ['t'], { axes: [0] })
    const constant = [makeNode('Constant', [], ['k'], { value: vector(1, 2, 3) }), makeNode('Add', ['k', 'w'], ['e'])]
    const nodes = [
      makeNode('Relu', ['x'], ['r']),
      makeNode('Identity', ['r'], ['renamed']),
      makeNode('If', ['condition'], ['y'], {
        then_branch: branch('then', [squeeze], 't'),
        else_branch: branch('else', constant, 'e'),
      }),
    ]
    for (const truth of [0, 1])
      await expectSameOutputs({
        opset: 11,
        inputs: { x: floats(1, 3), condition: tensor('bool', [], Uint8Array.of(truth)) },
        nodes,
        outputs: ['y'],
        constants: { w: vector(4, 5, 6) },
      })
  })
})

test('a canonical graph is canonical: doing it again changes nothing', async () => {
  const nodes = [makeNode('Flatten', ['x'], ['f']), makeNode('Softmax', ['f'], ['y'], { axis: 0 })]
  const once = canonicalise(assemble({ opset: 9, inputs: { x }, nodes, outputs: ['y'] }))
  const twice = canonicalise(once)
  expect(operators(twice)).toEqual(operators(once))
  const feeds = new Map([['x', x]])
  expect(await runModel(encodeModel(twice), feeds)).toEqual(await runModel(encodeModel(once), feeds))
})
