import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { describe, expect, test } from '@jest/globals'
import { gzipSync, zipSync } from 'fflate'
import { readFileSync } from 'node:fs'
import { GraphProtoSchema, ModelProtoSchema, TensorProto_DataType as DataType } from 'onnx-buf'
import { UsageError } from '../../src/errors.js'
import { makeNode, tensorAttribute } from '../../src/onnx/attributes.js'
import { decodeModel, encodeModel, writeNode } from '../../src/onnx/codec.js'
import { runModel } from '../support/onnxruntime.js'
import { floats, vector } from './support.js'

const tensorType = (dims: readonly (bigint | string)[] = [2n, 3n], elemType: number = DataType.FLOAT) => ({
  value: {
    case: 'tensorType' as const,
    value: {
      elemType,
      shape: {
        dim: dims.map((dim) =>
          typeof dim === 'string'
            ? { value: { case: 'dimParam' as const, value: dim } }
            : { value: { case: 'dimValue' as const, value: dim } },
        ),
      },
    },
  },
})

/** y = relu(x), with parts replaced. */
function file(graph: MessageInitShape<typeof GraphProtoSchema> = {}, irVersion = 8n): Uint8Array {
  const model = create(ModelProtoSchema, {
    irVersion,
    opsetImport: [{ domain: '', version: 13n }],
    graph: {
      name: 'g',
      node: [{ opType: 'Relu', input: ['x'], output: ['y'] }],
      input: [{ name: 'x', type: tensorType() }],
      output: [{ name: 'y', type: tensorType() }],
      ...graph,
    },
  })
  return toBinary(ModelProtoSchema, model)
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const fashion = new Uint8Array(readFileSync('fixtures/fashion/fashion-standard.onnx'))

describe('a file that is not a model is named for what it is, with what to do', () => {
  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(), /^candidate\.onnx is empty; export the model again$/],
    [
      'a Git LFS pointer',
      text('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n'),
      /is a Git LFS pointer, not the model; fetch it with `git lfs pull`/,
    ],
    [
      'an HTML page',
      text('<!DOCTYPE html><html><head><title>404</title>'),
      /is an HTML page; .*download the model again/,
    ],
    ['a PyTorch checkpoint', zipSync({ 'archive/data.pkl': text('x') }), /is a zip archive \(a PyTorch checkpoint/],
    ['a pickle', Uint8Array.of(0x80, 4, 0x95, 1, 2, 3), /is a Python pickle; export the model to ONNX/],
    ['a Keras file', Uint8Array.of(0x89, ...text('HDF\r\n')), /is an HDF5 file \(Keras\?\); export the model to ONNX/],
    ['gzip', gzipSync(fashion), /is gzip-compressed; unpack it first/],
    ['TensorFlow Lite', Uint8Array.of(0x1c, 0, 0, 0, ...text('TFL3'), 1, 2), /is a TensorFlow Lite model/],
    ['safetensors', Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, ...text('{"w":{}}')), /is a safetensors file/],
    ['JSON', text('{"schema": "robustness-gate/results/1"}'), /is JSON text/],
    [
      'noise',
      Uint8Array.from({ length: 64 }, (_, at) => (at * 97 + 13) % 256),
      /is not an ONNX model, or is damaged or cut short/,
    ],
    ['a model cut short', fashion.subarray(0, 5000), /is not an ONNX model, or is damaged or cut short/],
    ['a model without nodes', file({ node: [] }), /holds a model without any nodes/],
    [
      'a message without a graph',
      toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n })),
      /without any nodes/,
    ],
  ])('%s', (_, bytes, message) => {
    const decode = (): unknown => decodeModel(bytes, { name: 'candidate.onnx' })
    expect(decode).toThrow(UsageError)
    expect(decode).toThrow(message)
    expect(decode).not.toThrow(/\n/)
  })

  test('cut anywhere, a model never passes for whole and never ends in a bug of ours', () => {
    for (let length = 1; length < fashion.length; length += Math.ceil(fashion.length / 97))
      expect(() => decodeModel(fashion.subarray(0, length))).toThrow(UsageError)
  })
})

describe('a graph that does not hang together is refused, naming the place', () => {
  const relu = (input: string, output: string) => ({
    opType: 'Relu',
    name: `make-${output}`,
    input: [input],
    output: [output],
  })
  test.each<[string, MessageInitShape<typeof GraphProtoSchema>, string]>([
    [
      'an input nobody makes',
      { node: [relu('ghost', 'y')] },
      'node "make-y" (Relu) reads "ghost", which nothing produces',
    ],
    ['an output nobody makes', { node: [relu('x', 'z')] }, 'nothing produces the output "y"'],
    ['two makers of one value', { node: [relu('x', 'y'), relu('x', 'y')] }, 'two things are called "y"'],
    ['a maker of the input', { node: [relu('x', 'y'), relu('y', 'x')] }, 'two things are called "x"'],
    ['a circle', { node: [relu('b', 'a'), relu('a', 'b'), relu('x', 'y')] }, 'waits for its own output'],
    [
      'a sequence as input',
      { input: [{ name: 'x', type: { value: { case: 'sequenceType', value: {} } } }] },
      '"x" is a sequence, not a tensor',
    ],
    ['an input of no type', { input: [{ name: 'x' }] }, '"x" is of no declared type'],
    ['a complex input', { input: [{ name: 'x', type: tensorType([], DataType.COMPLEX64) }] }, 'element type COMPLEX64'],
  ])('%s', (_, graph, message) => {
    expect(() => decodeModel(file(graph))).toThrow(UsageError)
    expect(() => decodeModel(file(graph))).toThrow(message)
  })
})

describe('what is read', () => {
  test('shapes: numbers, symbols, and nothing where nothing is said', () => {
    const graph = decodeModel(
      file({
        input: [{ name: 'x', type: tensorType(['batch', '', 3n, -1n]) }],
        output: [{ name: 'y' }],
      }),
    )
    expect(graph.inputs).toEqual([{ name: 'x', type: 'float32', dims: ['batch', undefined, 3, undefined] }])
    expect(graph.outputs).toEqual([{ name: 'y' }])
    expect(decodeModel(encodeModel(graph)).inputs).toEqual(graph.inputs)
  })

  test('initializers that are listed as inputs are constants, as IR 3 wrote them', async () => {
    const bytes = file(
      {
        node: [{ opType: 'Add', input: ['x', 'w'], output: ['y'] }],
        input: [
          { name: 'x', type: tensorType() },
          { name: 'w', type: tensorType([3n]) },
        ],
        initializer: [{ name: 'w', dims: [3n], dataType: DataType.FLOAT, floatData: [1, 2, 3] }],
      },
      3n,
    )
    const graph = decodeModel(bytes)
    expect(graph.inputs.map(({ name }) => name)).toEqual(['x'])
    expect(graph.constants.get('w')).toEqual(vector(1, 2, 3))
    const feeds = new Map([['x', floats(2, 3)]])
    expect(await runModel(encodeModel(graph), feeds)).toEqual(await runModel(bytes, feeds))
  })

  test('nodes in any order are sorted; those in order keep their places', () => {
    const node = (input: string, output: string) => ({ opType: 'Neg', input: [input], output: [output] })
    const names = (nodes: ReturnType<typeof node>[]) =>
      decodeModel(file({ node: nodes })).nodes.map(({ outputs }) => outputs[0])
    expect(names([node('b', 'y'), node('a', 'b'), node('x', 'a')])).toEqual(['a', 'b', 'y'])
    expect(names([node('x', 'a'), node('x', 'b'), node('a', 'y')])).toEqual(['a', 'b', 'y'])
  })

  test('a name that only a body reads counts as read', () => {
    const body = create(GraphProtoSchema, {
      name: 'branch',
      node: [{ opType: 'Neg', input: ['late'], output: ['t'] }],
      output: [{ name: 't' }],
    })
    const nodes = [
      writeNode(makeNode('If', ['c'], ['y'], { then_branch: body, else_branch: body })),
      writeNode(makeNode('Abs', ['x'], ['late'])),
    ]
    const input = [
      { name: 'x', type: tensorType() },
      { name: 'c', type: tensorType([], DataType.BOOL) },
    ]
    expect(decodeModel(file({ node: nodes, input })).nodes.map(({ op }) => op)).toEqual(['Abs', 'If'])
    const ghost = [nodes[0], writeNode(makeNode('Abs', ['x'], ['other']))]
    expect(() => decodeModel(file({ node: ghost, input }))).toThrow('reads "late", which nothing produces')
  })

  test('the long name of the default domain is the short one', () => {
    const model = fromBinary(ModelProtoSchema, file())
    model.opsetImport[0].domain = 'ai.onnx'
    if (model.graph) model.graph.node[0].domain = 'ai.onnx'
    const graph = decodeModel(toBinary(ModelProtoSchema, model))
    expect([...graph.opsets]).toEqual([['', 13]])
    expect(graph.nodes[0].domain).toBe('')
  })

  test('external data of weights, attributes and bodies becomes part of the model', async () => {
    const external = { 'weights.bin': new Uint8Array(Float32Array.of(10, 20, 30).buffer) }
    const stored = {
      dims: [3n],
      dataType: DataType.FLOAT,
      dataLocation: 1,
      externalData: [{ key: 'location', value: 'weights.bin' }],
    }
    const body = {
      name: 'b',
      initializer: [{ name: 'k', ...stored }],
      node: [{ opType: 'Add', input: ['x', 'k'], output: ['t'] }],
      output: [{ name: 't' }],
    }
    const bytes = file({
      node: [
        { opType: 'Constant', output: ['v'], attribute: [{ name: 'value', type: 4, t: stored }] },
        {
          opType: 'If',
          input: ['c'],
          output: ['z'],
          attribute: [
            { name: 'then_branch', type: 5, g: body },
            { name: 'else_branch', type: 5, g: body },
          ],
        },
        { opType: 'Sum', input: ['z', 'v', 'w'], output: ['y'] },
      ],
      initializer: [
        { name: 'w', ...stored },
        { name: 'c', dataType: DataType.BOOL, int32Data: [1] },
      ],
    })
    const graph = decodeModel(bytes, { external })
    expect(tensorAttribute(graph.nodes[0], 'value')).toEqual(vector(10, 20, 30))
    const x = { type: 'float32', dims: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) } as const
    const result = await runModel(encodeModel(graph), new Map([['x', x]]))
    // x + 3 · (10, 20, 30)
    expect(result.get('y')?.data).toEqual(Float32Array.of(31, 62, 93, 34, 65, 96))
    expect(() => decodeModel(bytes)).toThrow('external file "weights.bin", which was not found')
  })
})
