import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { buildSurrogate } from '../../src/autodiff/surrogate.js'
import { decodeModel } from '../../src/onnx/codec.js'
import type { Graph, Node } from '../../src/onnx/graph.js'
import { reads } from '../../src/onnx/subgraphs.js'
import { runModel } from '../support/onnxruntime.js'

/** What an operator's gradient reads of its forward pass, and so keeps from there until it is its turn. */
type Keeps = (node: Node, isComputed: (name: string) => boolean) => readonly string[]

const input: Keeps = ({ inputs }) => [inputs[0]]
const output: Keeps = ({ outputs }) => [outputs[0]]
/** Each operand for the other's gradient, where that is computed, too. */
const factors: Keeps = ({ inputs }, isComputed) => (inputs.slice(0, 2).every(isComputed) ? inputs.slice(0, 2) : [])

/** What is not here is linear in what is computed, and keeps nothing. */
const KEEPS: Readonly<Record<string, Keeps>> = {
  // The output tells the slope: y > 0, y·(1 − y), 1 − y², y itself, 1 / 2y.
  Relu: output,
  Sigmoid: output,
  HardSigmoid: output,
  Tanh: output,
  Softmax: output,
  Sqrt: output,
  // Only the input tells it.
  Clip: input,
  LeakyRelu: input,
  PRelu: input,
  HardSwish: input,
  Softplus: input,
  Erf: input,
  Gelu: input,
  Pow: input,
  // The places of the maxima; where nobody gives them, who is equal to the maximum.
  MaxPool: ({ outputs }) => [outputs[1]],
  ReduceMax: (node, isComputed) => [...input(node, isComputed), ...output(node, isComputed)],
  // Mean and 1 / deviation: one number for each token.
  LayerNormalization: ({ inputs, outputs }) => [inputs[0], ...outputs.slice(1)],
  Mul: factors,
  MatMul: factors,
  FusedMatMul: factors,
  // a / b: g / b, and −g·y / b.
  Div: ({ inputs: [, b], outputs: [y] }, isComputed) => (isComputed(b) ? [b, y] : []),
}

const { models } = JSON.parse(
  readFileSync(new URL('../../fixtures/models/references.json', import.meta.url), 'utf8'),
) as {
  readonly models: Readonly<Record<string, { readonly shape: readonly number[]; readonly files: readonly string[] }>>
}

async function gradientOf(file: string): Promise<Graph> {
  const { shape } = Object.values(models).find(({ files }) => files.includes(file)) ?? { shape: [] }
  const bytes = readFileSync(new URL(`../../fixtures/models/${file}`, import.meta.url))
  const { gradientModel } = await buildSurrogate(
    { name: file, bytes, external: {} },
    {
      shape,
      layout: 'nchw',
      range: [0, 1],
      preprocessing: { mean: [0], std: [1], channelOrder: 'rgb', layout: file.includes('nhwc') ? 'nhwc' : 'nchw' },
      batch: 2,
      losses: ['cross-entropy'],
      run: runModel,
    },
  )
  return decodeModel(gradientModel, { name: file, external: {} })
}

const VIEWS: ReadonlySet<string> = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Identity'])

/** What of the forward pass the rest of a graph reads, and what of it the operators' gradients need. */
function readOf(graph: Graph): { readonly kept: readonly string[]; readonly needed: ReadonlySet<string> } {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)))
  const forward = new Set<Node>()
  const climb = (name: string): void => {
    const maker = makers.get(name)
    if (maker === undefined || forward.has(maker)) return
    forward.add(maker)
    reads(maker).forEach(climb)
  }
  climb('logits')
  const isComputed = (name: string): boolean => name !== '' && !graph.constants.has(name)
  // No element moves in a view; what is written in front of an operator to keep a map in its layout is read again by nobody.
  const source = (name: string): string => {
    const maker = makers.get(name)
    if (maker === undefined || !forward.has(maker)) return name
    return VIEWS.has(maker.op) || maker.outputs[0].startsWith('gradient/') ? source(maker.inputs[0]) : name
  }
  const neededBy = (node: Node): readonly string[] => KEEPS[node.op]?.(node, isComputed) ?? []
  const backward = graph.nodes.filter((node) => !forward.has(node))
  // A shape is told from a value that nobody keeps, also through a view.
  const tellsShape = ({ op, outputs }: Node): boolean =>
    ['Shape', 'Size'].includes(op) ||
    (VIEWS.has(op) && backward.filter((reader) => reads(reader).includes(outputs[0])).every(tellsShape))
  const isForward = (name: string): boolean => {
    const maker = makers.get(name)
    return maker !== undefined && forward.has(maker)
  }
  const read = backward.filter((node) => !tellsShape(node)).flatMap((node) => reads(node).filter(isForward))
  return {
    kept: [...new Set(read.map(source))],
    needed: new Set([...[...forward].flatMap(neededBy), 'logits'].filter(Boolean).map(source)),
  }
}

/**
 * Who attacks with a large batch pays for every value that is kept, in memory. Which those are follows from the derivative of
 * each operator, by hand; a rule that reads x where y would do, or keeps what a linear operator does not need, is named here.
 */
test.each([
  'vgg-dynamo-18.onnx',
  'resnet-dynamo-18.onnx',
  'resnet-stem-torchscript-7.onnx',
  'densenet-torchscript-13.onnx',
  'mobilenet-v2-dynamo-18.onnx',
  'mobilenet-v3-torchscript-14.onnx',
  'efficientnet-dynamo-18.onnx',
  'shufflenet-dynamo-18.onnx',
  'convnext-dynamo-20.onnx',
  'vit-dynamo-18.onnx',
  'vit-timm-torchscript-14.onnx',
  'swin-dynamo-18.onnx',
  'groupnorm-torchscript-16.onnx',
  'keras-nhwc.onnx',
])('%s: its gradient keeps of the forward pass what it needs, and no more', async (file) => {
  const graph = await gradientOf(file)
  const { kept, needed } = readOf(graph)
  expect(kept.length).toBeGreaterThan(1)
  const makers = new Map(graph.nodes.flatMap(({ op, outputs }) => outputs.map((output) => [output, op] as const)))
  const tooMuch = kept.filter((name) => !needed.has(name))
  expect(tooMuch.map((name) => `${name}, of ${makers.get(name) ?? 'nobody'}`)).toEqual([])
})
