import { describe, expect, test } from '@jest/globals'
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { unzipSync } from 'fflate'
import { readFileSync } from 'node:fs'
import { ModelProtoSchema } from 'onnx-buf'
import { canonicalise } from '../../src/onnx/canonical.js'
import { decodeModel, encodeModel } from '../../src/onnx/codec.js'
import type { Graph, Tensor } from '../../src/onnx/graph.js'
import { runModel } from '../support/onnxruntime.js'
import { expectTensor } from './support.js'

const IMAGES = 4
const MODELS = [
  ['fashion/fashion-standard.onnx', 'fashion/fashion-test.npz', 1],
  ['fashion/fashion-hardened.onnx', 'fashion/fashion-test.npz', 1],
  ['fashion/fashion-finetuned.onnx', 'fashion/fashion-test.npz', 1],
  ['cifar/cifar_base_kw.onnx', 'cifar/cifar10-test-100.npz', 1],
  ['cifar/cifar_deep_kw.onnx', 'cifar/cifar10-test-100.npz', 1],
  ['mnist/colt_mnist_0.1.onnx', 'mnist/mnist-test-100.npz', 1],
  ['mnist/cnn_max_mninst2.onnx', 'mnist/mnist-test-100.npz', 1],
  ['mnist/self-attention-mnist-pgd-medium-sim.onnx', 'mnist/mnist-test-100.npz', 1],
  ['mnist/cntk_mnist_8.onnx', 'mnist/mnist-test-100.npz', 255],
] as const

describe.each(MODELS)('%s', (file, data, scale) => {
  const bytes = new Uint8Array(readFileSync(`fixtures/${file}`))
  const graph = decodeModel(bytes, { name: file })
  const images = pixels(`fixtures/${data}`, scale)

  test('gives the same logits after it was read and written', async () => {
    const written = encodeModel(graph)
    for (const image of images) await expectSameLogits(bytes, written, graph, image)
  })

  test('gives the same logits in the canonical opset', async () => {
    const written = encodeModel(canonicalise(graph))
    for (const image of images) await expectSameLogits(bytes, written, graph, image)
  })

  test('keeps fields it does not know on model, graph and node', () => {
    const model = fromBinary(ModelProtoSchema, bytes)
    const [node] = model.graph?.node ?? []
    for (const message of [model, model.graph, node]) if (message) message.$unknown = [unknownField()]
    const written = fromBinary(ModelProtoSchema, encodeModel(decodeModel(toBinary(ModelProtoSchema, model))))
    expect(written.$unknown).toEqual([unknownField()])
    expect(written.graph?.$unknown).toEqual([unknownField()])
    expect(written.graph?.node[0].$unknown).toEqual([unknownField()])
    expect(written.producerName).toBe(model.producerName)
    expect(written.graph?.name).toBe(model.graph?.name)
  })

  test('has nothing left that the canonical form drops', () => {
    const { nodes, opsets } = canonicalise(graph)
    expect(opsets).toEqual(new Map([['', 24]]))
    for (const { op } of nodes) expect(['Constant', 'Identity', 'Dropout']).not.toContain(op)
  })
})

test('a graph made by hand and one read from its file are the same', () => {
  const graph = decodeModel(new Uint8Array(readFileSync('fixtures/mnist/colt_mnist_0.1.onnx')))
  const again = decodeModel(encodeModel(graph))
  expect(again.constants).toEqual(graph.constants)
  expect(again.inputs).toEqual(graph.inputs)
  expect(again.nodes.map(({ op, inputs, outputs }) => [op, inputs, outputs])).toEqual(
    graph.nodes.map(({ op, inputs, outputs }) => [op, inputs, outputs]),
  )
})

async function expectSameLogits(
  before: Uint8Array,
  after: Uint8Array,
  graph: Graph,
  image: Float32Array,
): Promise<void> {
  const [{ name, dims = [] }] = graph.inputs
  const shape = dims.map((dim) => (typeof dim === 'number' ? dim : 1))
  const feeds = new Map<string, Tensor>([[name, { type: 'float32', dims: shape, data: image }]])
  const [expected, actual] = [await runModel(before, feeds), await runModel(after, feeds)]
  for (const output of graph.outputs) expectTensor(actual.get(output.name), expected.get(output.name))
}

/** The first images of an archive, uint8 mapped to [0, scale]. Layout does not matter here: both sides get the same. */
function pixels(path: string, scale: number): readonly Float32Array[] {
  const file = unzipSync(new Uint8Array(readFileSync(path)))['x.npy']
  const header = new TextDecoder('latin1').decode(file.subarray(0, 128))
  const [, shape = ''] = /'shape': \(([^)]*)\)/.exec(header) ?? []
  const [, ...dims] = shape.split(',').map(Number)
  const size = dims.reduce((product, dim) => product * dim, 1)
  const start = 10 + file[8] + 256 * file[9]
  return Array.from({ length: IMAGES }, (_, at) =>
    Float32Array.from(file.subarray(start + at * size, start + (at + 1) * size), (value) => (value / 255) * scale),
  )
}

function unknownField(): { no: number; wireType: 0; data: Uint8Array<ArrayBuffer> } {
  return { no: 5000, wireType: 0, data: Uint8Array.of(7) }
}
