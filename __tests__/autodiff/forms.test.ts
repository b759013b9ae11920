import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { expect, test } from '@jest/globals'
import {
  FunctionProtoSchema,
  ModelProtoSchema,
  SparseTensorProtoSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf'
import type { FunctionProto, ModelProto } from 'onnx-buf'
import { buildSurrogate } from '../../src/autodiff/surrogate.js'
import { attribute, makeNode } from '../../src/onnx/attributes.js'
import { encodeModel, writeNode } from '../../src/onnx/codec.js'
import type { Node, Tensor } from '../../src/onnx/graph.js'
import { runModel } from '../support/onnxruntime.js'
import { floating, integers, reals } from './support.js'

/** Forms a file may have that mean nothing new: the gradient is that of the plain model, to the bit. */

const SHAPE = [1, 4, 4]
const CLASSES = 3
const w = floating('float32', [16, CLASSES], spread(48))
const c = floating('float32', [CLASSES], [0.5, -0.25, 0.125])
const plainNodes = [
  makeNode('Flatten', ['x'], ['f']),
  makeNode('Relu', ['f'], ['r']),
  makeNode('Gemm', ['r', 'w', 'c'], ['y']),
]
const plain = model(plainNodes, { w, c })

test('sparse weights', async () => {
  const values = Array.from(w.data as Float32Array, (value, at) => (at % 4 === 1 ? value : 0))
  const places = values.flatMap((value, at) => (value === 0 ? [] : [at]))
  const sparse = changed(model(plainNodes, { w, c }), (proto) => {
    if (!proto.graph) return
    proto.graph.initializer = proto.graph.initializer.filter(({ name }) => name !== 'w')
    proto.graph.sparseInitializer = [
      create(SparseTensorProtoSchema, {
        dims: [16n, BigInt(CLASSES)],
        values: create(TensorProtoSchema, {
          name: 'w',
          dataType: 1,
          dims: [BigInt(places.length)],
          floatData: places.map((at) => values[at]),
        }),
        indices: create(TensorProtoSchema, {
          dataType: 7,
          dims: [BigInt(places.length)],
          int64Data: places.map(BigInt),
        }),
      }),
    ]
  })
  await expectSameGradient(sparse, model(plainNodes, { w: floating('float32', [16, CLASSES], values), c }))
})

test('weights that are listed as inputs, as before version 4 of the format', async () => {
  const old = changed(model(plainNodes, { w, c }), (proto) => {
    proto.irVersion = 3n
    const dims = { w: [16, CLASSES], c: [CLASSES] }
    for (const [name, sizes] of Object.entries(dims))
      proto.graph?.input.push(
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
        }),
      )
  })
  await expectSameGradient(old, plain)
})

test('optional inputs that are left out, in the middle and at the end', async () => {
  const high = floating('float32', [], [1e9])
  const zero = floating('float32', [CLASSES], [0, 0, 0])
  const nodes = (clip: readonly string[], gemm: readonly string[]): readonly Node[] => [
    makeNode('Flatten', ['x'], ['f']),
    makeNode('Relu', ['f'], ['p']),
    makeNode('Clip', clip, ['r']),
    makeNode('Gemm', gemm, ['y']),
  ]
  const without = model(nodes(['p', '', 'high'], ['r', 'w']), { w, high })
  await expectSameGradient(without, model(plainNodes, { w, c: zero }))
})

test('optional outputs that nobody reads, or that are left out', async () => {
  const v = floating('float32', [27, CLASSES], spread(81))
  const pooled = (outputs: readonly string[], rest: readonly Node[], from: string): Uint8Array =>
    model(
      [
        makeNode('MaxPool', ['x'], outputs, { kernel_shape: [2, 2] }),
        ...rest,
        makeNode('Concat', [from, from, from], ['wide'], { axis: 1 }),
        makeNode('Flatten', ['wide'], ['f']),
        makeNode('Gemm', ['f', 'v', 'c'], ['y']),
      ],
      { v, c },
    )
  const expected = pooled(['m'], [], 'm')
  const dropout = [makeNode('Dropout', ['m'], ['d', 'mask'])]
  await expectSameGradient(pooled(['m', 'indices'], dropout, 'd'), expected)
  await expectSameGradient(pooled(['m', ''], [makeNode('Dropout', ['m'], ['d', ''])], 'd'), expected)
})

test('functions of the model, one within another, with attributes', async () => {
  const opsetImport = [
    { domain: '', version: 17n },
    { domain: 'local', version: 1n },
  ]
  const inner = create(FunctionProtoSchema, {
    name: 'Leaky',
    domain: 'local',
    input: ['a'],
    output: ['b'],
    attribute: ['slope'],
    opsetImport,
    node: [
      Object.assign(writeNode(makeNode('LeakyRelu', ['a'], ['b'])), {
        attribute: [Object.assign(attribute.float('alpha', 0), { refAttrName: 'slope' })],
      }),
    ],
  })
  const outer = create(FunctionProtoSchema, {
    name: 'Head',
    domain: 'local',
    input: ['a', 'weight', 'bias'],
    output: ['b'],
    opsetImport,
    node: [
      writeNode(makeNode('Leaky', ['a'], ['l'], { slope: { float: 0.25 } }, '', 'local')),
      writeNode(makeNode('Gemm', ['l', 'weight', 'bias'], ['b'])),
    ],
  })
  const called = [makeNode('Flatten', ['x'], ['f']), makeNode('Head', ['f', 'w', 'c'], ['y'], {}, '', 'local')]
  const written = [
    makeNode('Flatten', ['x'], ['f']),
    makeNode('LeakyRelu', ['f'], ['l'], { alpha: { float: 0.25 } }),
    makeNode('Gemm', ['l', 'w', 'c'], ['y']),
  ]
  const withFunctions = model(called, { w, c }, { functions: [inner, outer], opsets: { local: 1 } })
  await expectSameGradient(withFunctions, model(written, { w, c }))
})

test('a function that says another opset than the model, which onnxruntime does not listen to', async () => {
  // Rows of a matrix in 12, the last axis in 17, the model's.
  const block = create(FunctionProtoSchema, {
    name: 'Block',
    domain: 'local',
    input: ['a'],
    output: ['b'],
    opsetImport: [{ domain: '', version: 12n }],
    node: [writeNode(makeNode('Softmax', ['a'], ['b']))],
  })
  const nodes = (first: Node): readonly Node[] => [
    first,
    makeNode('Flatten', ['s'], ['f']),
    makeNode('Gemm', ['f', 'w', 'c'], ['y']),
  ]
  const called = nodes(makeNode('Block', ['x'], ['s'], {}, '', 'local'))
  const withFunction = model(called, { w, c }, { functions: [block], opsets: { local: 1 } })
  await expectSameGradient(withFunction, model(nodes(makeNode('Softmax', ['x'], ['s'], { axis: -1 })), { w, c }))
})

async function expectSameGradient(actual: Uint8Array, expected: Uint8Array): Promise<void> {
  expect(await gradientOf(actual)).toEqual(await gradientOf(expected))
}

/** Of three images with labels 0, 1, 2. */
async function gradientOf(bytes: Uint8Array): Promise<unknown> {
  const { gradientModel } = await buildSurrogate(
    { name: 'form.onnx', bytes, external: {} },
    {
      shape: SHAPE,
      layout: 'nchw',
      range: [-1, 1],
      preprocessing: { mean: [0], std: [1], channelOrder: 'rgb' },
      losses: ['cross-entropy'],
      run: runModel,
    },
  )
  const feeds = new Map<string, Tensor>([
    ['image', reals('float32', [3, ...SHAPE], 7, -1, 1)],
    ['label', integers([0, 1, 2])],
    ['loss', integers([0, 0, 0])],
    ['target', integers([0, 0, 0])],
    ['direction', floating('float32', [3, CLASSES], new Array(9).fill(0))],
  ])
  const { gradient, logits } = Object.fromEntries(await runModel(gradientModel, feeds))
  expect(Math.max(...(gradient.data as Float32Array))).toBeGreaterThan(0.01)
  return { gradient, logits }
}

interface More {
  readonly functions?: readonly FunctionProto[]
  readonly opsets?: Readonly<Record<string, number>>
}

function model(
  nodes: readonly Node[],
  constants: Readonly<Record<string, Tensor>>,
  { functions, opsets = {} }: More = {},
): Uint8Array {
  return encodeModel({
    name: 'form',
    opsets: new Map([['', 17], ...Object.entries(opsets)]),
    irVersion: 8,
    inputs: [{ name: 'x', type: 'float32', dims: ['batch', ...SHAPE] }],
    outputs: [{ name: 'y', type: 'float32', dims: ['batch', CLASSES] }],
    nodes,
    constants: new Map(Object.entries(constants)),
    functions,
  })
}

function changed(bytes: Uint8Array, change: (proto: ModelProto) => void): Uint8Array {
  const proto = fromBinary(ModelProtoSchema, bytes)
  change(proto)
  return toBinary(ModelProtoSchema, proto)
}

/** Numbers below 1 of both signs that look like nothing in particular. */
function spread(length: number): readonly number[] {
  return Array.from({ length }, (_, at) => Math.sin(12.9898 * (at + 1)))
}
