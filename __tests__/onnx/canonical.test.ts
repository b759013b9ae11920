import { create } from '@bufbuild/protobuf'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { describe, expect, test } from '@jest/globals'
import {
  AttributeProto_AttributeType as Type,
  AttributeProtoSchema,
  FunctionProtoSchema,
  GraphProtoSchema,
} from 'onnx-buf'
import type { AttributeProto, FunctionProto, GraphProto, NodeProto } from 'onnx-buf'
import { UsageError } from '../../src/errors.js'
import { attribute, makeNode } from '../../src/onnx/attributes.js'
import { canonicalise } from '../../src/onnx/canonical.js'
import { decodeModel, encodeModel, writeNode } from '../../src/onnx/codec.js'
import type { Node, Tensor } from '../../src/onnx/graph.js'
import { runModel } from '../support/onnxruntime.js'
import { assemble, expectSameOutputs, expectSameRun, floats, ints, operators, tensor, vector } from './support.js'
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

describe('model-local functions are inlined', () => {
  const reference = (name: string, type: Type, refAttrName: string): AttributeProto =>
    create(AttributeProtoSchema, { name, type, refAttrName })
  const withReference = (node: NodeProto, ...protos: readonly AttributeProto[]): NodeProto =>
    Object.assign(node, { attribute: [...node.attribute, ...protos] })
  const make = (name: string, parts: MessageInitShape<typeof FunctionProtoSchema>): FunctionProto =>
    create(FunctionProtoSchema, {
      name,
      domain: 'local',
      input: ['a'],
      output: ['b'],
      opsetImport: [{ domain: '', version: 17n }],
      ...parts,
    })
  const call = (name: string, from: string, to: string, attributes = {}): Node =>
    makeNode(name, [from], [to], attributes, '', 'local')
  const recipe = (functions: readonly FunctionProto[], nodes: readonly Node[], outputs = ['y']): Recipe => ({
    opset: 18,
    inputs: { x },
    nodes,
    outputs,
    functions,
    domains: { local: 1 },
  })

  test('with their own opset, names, attributes given and attributes by default', async () => {
    const scaled = make('Scaled', {
      attribute: ['alpha'],
      attributeProto: [attribute.float('beta', 0.25)],
      node: [
        withReference(writeNode(makeNode('LeakyRelu', ['a'], ['inner'])), reference('alpha', Type.FLOAT, 'alpha')),
        withReference(writeNode(makeNode('Elu', ['inner'], ['e'])), reference('alpha', Type.FLOAT, 'beta')),
        // Axes as an attribute: right in opset 17, the function's, and wrong in 18, the model's.
        writeNode(makeNode('ReduceMean', ['e'], ['b'], { axes: [1] })),
      ],
    })
    const nodes = [
      call('Scaled', 'x', 'inner', { alpha: { float: 0.1 } }),
      call('Scaled', 'inner', 'y', { alpha: { float: 3 }, beta: { float: 2 } }),
    ]
    // onnxruntime reads the body in the model's opset and refuses; so the reference is inlined by hand, in opset 17.
    const byHand = (from: string, to: string, alpha: number, beta: number): readonly Node[] => [
      makeNode('LeakyRelu', [from], [`${to}1`], { alpha: { float: alpha } }),
      makeNode('Elu', [`${to}1`], [`${to}2`], { alpha: { float: beta } }),
      makeNode('ReduceMean', [`${to}2`], [to], { axes: [1] }),
    ]
    const reference17 = [...byHand('x', 'h', 0.1, 0.25), ...byHand('h', 'y', 3, 2)]
    const canonical = canonicalise(assemble(recipe([scaled], nodes)))
    await expectSameRun(canonical, { opset: 17, inputs: { x }, nodes: reference17, outputs: ['y'] })
    expect([...canonical.opsets.keys()]).toEqual([''])
  })

  test('functions within functions, one that returns its input, one with an input left out', async () => {
    const clip = make('Limit', {
      input: ['a', 'low', 'high'],
      node: [writeNode(makeNode('Clip', ['a', 'low', 'high'], ['b']))],
    })
    const pass = make('Pass', { output: ['a', 'b'], node: [writeNode(makeNode('Neg', ['a'], ['b']))] })
    const outer = make('Outer', {
      opsetImport: [
        { domain: '', version: 17n },
        { domain: 'local', version: 1n },
      ],
      node: [
        writeNode(makeNode('Pass', ['a'], ['same', 'negative'], {}, '', 'local')),
        writeNode(makeNode('Limit', ['negative', '', 'same'], ['b'], {}, '', 'local')),
      ],
    })
    const nodes = [makeNode('Outer', ['x'], ['y'], {}, '', 'local')]
    const inputs = { x: tensor('float32', [], Float32Array.of(0.5)) }
    // A function that returns its input is legal, but onnxruntime refuses it: again by hand.
    const reference17 = [makeNode('Neg', ['x'], ['n']), makeNode('Clip', ['n', '', 'x'], ['y'])]
    const canonical = canonicalise(assemble({ ...recipe([clip, pass, outer], nodes), inputs }))
    await expectSameRun(canonical, { opset: 17, inputs, nodes: reference17, outputs: ['y'] })
    expect(operators(canonical)).toEqual(['Neg', 'Clip'])
  })

  test('as onnxruntime inlines them itself, one in a branch of If', async () => {
    const half = make('Half', {
      opsetImport: [{ domain: '', version: 18n }],
      node: [
        writeNode(makeNode('Constant', [], ['k'], { value: vector(0.5) })),
        writeNode(makeNode('Mul', ['a', 'k'], ['b'])),
      ],
    })
    const branch = (output: string, node: Node): GraphProto =>
      create(GraphProtoSchema, { name: output, node: [writeNode(node)], output: [{ name: output }] })
    const nodes = [
      call('Half', 'x', 'h'),
      makeNode('If', ['condition'], ['y'], {
        then_branch: branch('t', call('Half', 'h', 't')),
        else_branch: branch('e', makeNode('Neg', ['h'], ['e'])),
      }),
    ]
    for (const truth of [0, 1]) {
      const inputs = { x, condition: tensor('bool', [], Uint8Array.of(truth)) }
      await expectSameOutputs({ ...recipe([half], nodes), inputs })
    }
  })

  test('one that calls itself is refused', () => {
    const ping = make('Ping', { node: [writeNode(call('Pong', 'a', 'b'))] })
    const pong = make('Pong', { node: [writeNode(call('Ping', 'a', 'b'))] })
    expect(() => canonicalise(assemble(recipe([ping, pong], [call('Ping', 'x', 'y')])))).toThrow(
      '"local.Ping" calls itself; export the model without functions',
    )
  })

  test('thirty that call each other twice are refused before they fill the memory', () => {
    const functions = Array.from({ length: 30 }, (_, at) =>
      make(`F${at}`, { node: [writeNode(call(`F${at + 1}`, 'a', 'c')), writeNode(call(`F${at + 1}`, 'c', 'b'))] }),
    )
    const last = make('F30', { node: [writeNode(makeNode('Relu', ['a'], ['b']))] })
    expect(() => canonicalise(assemble(recipe([...functions, last], [call('F0', 'x', 'y')])))).toThrow(
      'more than 200000 nodes when inlined',
    )
  })

  test('a chain nested too deep is refused', () => {
    const functions = Array.from({ length: 40 }, (_, at) =>
      make(`F${at}`, { node: [writeNode(call(`F${at + 1}`, 'a', 'b'))] }),
    )
    expect(() => canonicalise(assemble(recipe(functions, [call('F0', 'x', 'y')])))).toThrow('more than 32 deep')
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
