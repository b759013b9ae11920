import { create } from '@bufbuild/protobuf'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { describe, expect, test } from '@jest/globals'
import {
  AttributeProto_AttributeType as Type,
  AttributeProtoSchema,
  FunctionProtoSchema,
  GraphProtoSchema,
  NodeProtoSchema,
} from 'onnx-buf'
import type { AttributeProto, FunctionProto, GraphProto, NodeProto } from 'onnx-buf'
import { attribute, makeNode } from '../../src/onnx/attributes.js'
import { canonicalise } from '../../src/onnx/canonical.js'
import { writeNode } from '../../src/onnx/codec.js'
import type { Node } from '../../src/onnx/graph.js'
import { assemble, expectSameOutputs, expectSameRun, floats, operators, tensor, vector } from './support.js'
import type { Recipe } from './support.js'

const x = floats(2, 3)

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

  test('with their own names, attributes given and attributes by default', async () => {
    const scaled = make('Scaled', {
      attribute: ['alpha'],
      attributeProto: [attribute.float('beta', 0.25)],
      node: [
        withReference(writeNode(makeNode('LeakyRelu', ['a'], ['inner'])), reference('alpha', Type.FLOAT, 'alpha')),
        withReference(writeNode(makeNode('Elu', ['inner'], ['b'])), reference('alpha', Type.FLOAT, 'beta')),
      ],
    })
    const nodes = [
      call('Scaled', 'x', 'inner', { alpha: { float: 0.1 } }),
      call('Scaled', 'inner', 'y', { alpha: { float: 3 }, beta: { float: 2 } }),
    ]
    const canonical = await expectSameOutputs(recipe([scaled], nodes))
    expect([...canonical.opsets.keys()]).toEqual([''])
  })

  /** Softmax and its kin take the last axis since 13, and before it rows of a matrix. */
  describe.each([
    [18, 12],
    [18, 5],
    [11, 18],
    [24, 26],
  ])('in the opset of the model, %i, as onnxruntime reads them, also where the function says %i', (model, own) => {
    const written = (name: string, node: Node): Recipe => ({
      ...recipe([make(name, { opsetImport: [{ domain: '', version: BigInt(own) }], node: [writeNode(node)] })], []),
      opset: model,
      inputs: { x: floats(2, 3, 4) },
      nodes: [call(name, 'x', 'y')],
    })

    test.each(['Softmax', 'LogSoftmax', 'Hardmax'])('%s', async (op) => {
      const canonical = await expectSameOutputs(written('Block', makeNode(op, ['a'], ['b'])))
      const inPlace = { ...written('Block', makeNode(op, ['a'], ['b'])), nodes: [makeNode(op, ['x'], ['y'])] }
      await expectSameRun(canonical, inPlace)
    })

    test('one within another', async () => {
      const opsetImport = [
        { domain: '', version: BigInt(own) },
        { domain: 'local', version: 1n },
      ]
      const inner = make('Inner', { opsetImport, node: [writeNode(makeNode('Softmax', ['a'], ['b']))] })
      const outer = make('Outer', {
        opsetImport: [{ domain: '', version: 17n }, opsetImport[1]],
        node: [writeNode(call('Inner', 'a', 'b'))],
      })
      await expectSameOutputs({ ...recipe([inner, outer], [call('Outer', 'x', 'y')]), opset: model })
    })
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

  test('of functions of one name (IR 10) the one whose overload a node names, but within another the one of none', async () => {
    const overloaded = (overload: string, node: Node): Node => ({
      ...node,
      proto: create(NodeProtoSchema, { overload }),
    })
    const opsetImport = [
      { domain: '', version: 18n },
      { domain: 'local', version: 1n },
    ]
    const negative = make('Turn', { overload: 'sign', opsetImport, node: [writeNode(makeNode('Neg', ['a'], ['b']))] })
    const plain = make('Turn', { opsetImport, node: [writeNode(makeNode('Exp', ['a'], ['b']))] })
    const inverse = make('Turn', {
      overload: 'share',
      opsetImport,
      node: [
        writeNode(overloaded('sign', call('Turn', 'a', 'minus'))),
        writeNode(makeNode('Reciprocal', ['minus'], ['b'])),
      ],
    })
    const nodes = [
      overloaded('share', call('Turn', 'x', 'h')),
      call('Turn', 'h', 'e'),
      overloaded('sign', call('Turn', 'e', 'y')),
    ]
    // y = −exp(1 / exp(x)): onnxruntime does not read the overload within a function.
    const canonical = await expectSameOutputs({ ...recipe([negative, plain, inverse], nodes), irVersion: 10 })
    expect(operators(canonical)).toEqual(['Exp', 'Reciprocal', 'Exp', 'Neg'])
  })

  test('one that calls itself is refused', () => {
    const ping = make('Ping', { node: [writeNode(call('Pong', 'a', 'b'))] })
    const pong = make('Pong', { node: [writeNode(call('Ping', 'a', 'b'))] })
    expect(() => canonicalise(assemble(recipe([ping, pong], [call('Ping', 'x', 'y')])))).toThrow(
      '"local.Ping" calls itself; export the model without functions',
    )
  })

  test('but not one that calls another whose domain and name read the same when put together', async () => {
    const opsetImport = ['', 'local', 'local.Deep'].map((domain) => ({ domain, version: domain === '' ? 18n : 1n }))
    const inner = make('Turn', { domain: 'local.Deep', opsetImport, node: [writeNode(makeNode('Neg', ['a'], ['b']))] })
    const called = makeNode('Turn', ['a'], ['b'], {}, '', 'local.Deep')
    const outer = make('Deep.Turn', { opsetImport, node: [writeNode(called)] })
    const one = recipe([inner, outer], [call('Deep.Turn', 'x', 'y')])
    const canonical = await expectSameOutputs({ ...one, domains: { local: 1, 'local.Deep': 1 } })
    expect(operators(canonical)).toEqual(['Neg'])
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
