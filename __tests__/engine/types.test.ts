import { describe, expect, test } from '@jest/globals'
import { gradientModelOf } from '../../src/autodiff/gradientModel.js'
import { loadModel } from '../../src/engine/load.js'
import type { LoadedModel } from '../../src/engine/load.js'
import { modelRunner } from '../../src/engine/session.js'
import { makeNode } from '../../src/onnx/attributes.js'
import { encodeModel } from '../../src/onnx/codec.js'
import type { ElementType, Graph, Node, Tensor, TensorData } from '../../src/onnx/graph.js'
import { widenTensor } from '../../src/onnx/widen.js'
import { plain } from './support/fixtures.js'

/** Classifiers in other types than float32, of images of 1 × 6 × 6. */

const SHAPE = [1, 6, 6]
const CLASSES = 3
const points = [0, 1].map((row) => Float32Array.from({ length: 36 }, (_, at) => ((row * 36 + at + 1) * 0.618034) % 1))

describe.each<['float16' | 'float64']>([['float16'], ['float64']])('a classifier in %s', (type) => {
  const bytes = classifier(type)

  test('is asked for its word in its own type', async () => {
    const model = await load(bytes)
    const answers = await model.engine.prediction.answer(points.map((point) => ({ kind: 'prediction', point })))
    const expected = await logitsOf(await load(classifier('float32', type)))
    answers.forEach(({ logits }, row) => {
      expect(logits).toHaveLength(CLASSES)
      // float16 rounds what each of three layers gives: to 2⁻¹¹ of numbers below 4.
      logits.forEach((logit, at) => expect(Math.abs(logit - expected[row][at])).toBeLessThan(3 * 4 * 2 ** -11))
    })
  })

  test('has the gradient of the same weights in float32', async () => {
    const gradients = await gradientsOf(await load(bytes))
    const expected = await gradientsOf(await load(classifier('float32', type)))
    gradients.forEach((gradient, row) => {
      expect(Math.max(...gradient.map(Math.abs))).toBeGreaterThan(0.01)
      gradient.forEach((slope, at) => expect(slope).toBeCloseTo(expected[row][at], 6))
    })
  })
})

test.each<[ElementType]>([['float16'], ['bfloat16']])(
  'weights stored in %s and cast when the model runs',
  async (type) => {
    const w = narrow(type, [36, CLASSES])
    const nodes = [
      makeNode('Flatten', ['x'], ['f']),
      makeNode('Cast', ['w'], ['wide'], { to: 1 }),
      makeNode('MatMul', ['f', 'wide'], ['y']),
    ]
    const gradients = await gradientsOf(await load(assembled('float32', nodes, { w })))
    // d log softmax / d x = W (1{label} − p), by hand.
    const weights = Array.from(widenTensor(w).data, Number)
    points.forEach((point, row) => {
      const logits = [0, 1, 2].map((k) => point.reduce((sum, x, at) => sum + x * weights[at * CLASSES + k], 0))
      const total = logits.reduce((sum, z) => sum + Math.exp(z), 0)
      const seed = logits.map((z, k) => Math.exp(z) / total - (k === row ? 1 : 0))
      gradients[row].forEach((slope, at) => {
        const expected = seed.reduce((sum, s, k) => sum + s * weights[at * CLASSES + k], 0)
        expect(slope).toBeCloseTo(expected, 5)
      })
    })
  },
)

test('the gradient model of a classifier in float16 is in float32, for anyone to run', async () => {
  const run = modelRunner()
  try {
    const bytes = await gradientModelOf({ name: 'typed.onnx', bytes: classifier('float16'), external: {} }, run)
    const pixels = Float32Array.from(points.flatMap((point) => [...point]))
    const label: Tensor = { type: 'int64', dims: [2], data: BigInt64Array.of(0n, 1n) }
    const x: Tensor = { type: 'float32', dims: [2, ...SHAPE], data: pixels }
    const gradient = (
      await run(
        bytes,
        new Map([
          ['x', x],
          ['label', label],
        ]),
      )
    ).get('gradient')
    const expected = await gradientsOf(await load(classifier('float16')))
    expect(gradient?.type).toBe('float32')
    expected.forEach((row, at) =>
      row.forEach((slope, place) => expect(gradient?.data[at * 36 + place]).toBeCloseTo(slope, 6)),
    )
  } finally {
    await run.close()
  }
})

function load(bytes: Uint8Array): Promise<LoadedModel> {
  return loadModel({
    type: 'load',
    model: { name: 'typed.onnx', bytes, external: {} },
    preprocessing: plain,
    shape: SHAPE,
    layout: 'nchw',
    range: [0, 1],
    threats: [],
    attacks: [{ name: 'fgsm', id: 'fgsm', loss: 'cross-entropy', survivorsOnly: false }],
    seed: 0,
    quantised: false,
    batch: 16,
    witnesses: false,
  })
}

async function logitsOf({ engine }: LoadedModel): Promise<readonly Float32Array[]> {
  const answers = await engine.prediction.answer(points.map((point) => ({ kind: 'prediction', point })))
  return answers.map(({ logits }) => logits)
}

async function gradientsOf({ engine }: LoadedModel): Promise<readonly Float32Array[]> {
  const loss = (label: number) => ({ name: 'cross-entropy' as const, label })
  const answers = await engine.gradient.answer(
    points.map((point, row) => ({ kind: 'gradient', point, loss: loss(row) })),
  )
  return answers.map(({ gradient }) => gradient)
}

/** With weights that `held` can hold, so that they are the same numbers in float32. onnxruntime has no Conv in float64. */
function classifier(type: ElementType, held: ElementType = type): Uint8Array {
  const weights = (dims: readonly number[]): Tensor => {
    const tensor = narrow(held, dims)
    return type === 'float32' ? inFloat32(tensor) : tensor
  }
  const first =
    held === 'float64'
      ? [makeNode('Flatten', ['x'], ['i']), makeNode('MatMul', ['i', 'k'], ['z'])]
      : [makeNode('Conv', ['x', 'k', 'b'], ['z'], { kernel_shape: [3, 3] })]
  const kernels: Readonly<Record<string, Tensor>> =
    held === 'float64' ? { k: weights([36, 64]) } : { k: weights([4, 1, 3, 3]), b: weights([4]) }
  const nodes = [
    ...first,
    makeNode('Sigmoid', ['z'], ['s']),
    makeNode('Flatten', ['s'], ['f']),
    makeNode('Gemm', ['f', 'w', 'c'], ['y']),
  ]
  return assembled(type, nodes, { ...kernels, w: weights([64, CLASSES]), c: weights([CLASSES]) })
}

function assembled(type: ElementType, nodes: readonly Node[], constants: Readonly<Record<string, Tensor>>): Uint8Array {
  const graph: Graph = {
    name: 'typed',
    opsets: new Map([['', 17]]),
    irVersion: 8,
    inputs: [{ name: 'x', type, dims: ['batch', ...SHAPE] }],
    outputs: [{ name: 'y', type, dims: ['batch', CLASSES] }],
    nodes,
    constants: new Map(Object.entries(constants)),
  }
  return encodeModel(graph)
}

/** Multiples of 1/64 below 1: any floating type holds them. */
function narrow(type: ElementType, dims: readonly number[]): Tensor {
  const count = dims.reduce((product, size) => product * size, 1)
  const values = Float32Array.from({ length: count }, (_, at) => (((at * 37) % 61) - 30) / 64)
  return { type, dims, data: held(type, values) }
}

function inFloat32({ dims, data, type }: Tensor): Tensor {
  return {
    type: 'float32',
    dims,
    data: type === 'float64' ? Float32Array.from(data as Float64Array) : widenTensor({ type, dims, data }).data,
  }
}

function held(type: ElementType, values: Float32Array): TensorData {
  if (type === 'float64') return Float64Array.from(values)
  if (type === 'float32') return values
  const words = new Uint32Array(values.buffer)
  if (type === 'bfloat16') return Uint16Array.from(words, (word) => word >>> 16)
  // binary16 out of binary32: none of these is too small, too large or too long for it.
  return Uint16Array.from(words, (word) =>
    word << 1 === 0 ? 0 : ((word >>> 16) & 0x8000) | ((((word >>> 23) & 0xff) - 112) << 10) | ((word >>> 13) & 0x3ff),
  )
}
