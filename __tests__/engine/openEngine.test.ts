import { describe, expect, test } from '@jest/globals'
import { gradientModelOf } from '../../src/autodiff/gradientModel.js'
import { NoGradient } from '../../src/autodiff/noGradient.js'
import { buildSurrogate } from '../../src/autodiff/surrogate.js'
import { loadModel } from '../../src/engine/load.js'
import { openEngine } from '../../src/engine/openEngine.js'
import { optimisationFor } from '../../src/engine/optimisation.js'
import { modelRunner } from '../../src/engine/session.js'
import { UsageError } from '../../src/errors.js'
import { makeNode } from '../../src/onnx/attributes.js'
import { decodeModel, encodeModel } from '../../src/onnx/codec.js'
import type { Graph, Node, Tensor } from '../../src/onnx/graph.js'
import { dataset, loadRequest } from './support/fixtures.js'

const fashion = dataset('fashion/fashion-test.npz', 3)
const healthy = loadRequest('fashion/fashion-hardened.onnx', fashion, { batch: 16 })

const small = (nodes: readonly Node[], constants: Readonly<Record<string, Tensor>>, shape = [4, 3], opset = 17) => ({
  ...healthy,
  shape,
  model: {
    name: 'small.onnx',
    bytes: encodeModel({
      name: 'small',
      opsets: new Map([['', opset]]),
      irVersion: opset > 20 ? 10 : 8,
      inputs: [{ name: 'x', type: 'float32', dims: ['n', ...shape] }],
      outputs: [{ name: 'y', type: 'float32', dims: ['n', 3] }],
      nodes,
      constants: new Map(Object.entries(constants)),
    }),
    external: {},
  },
})

/** [1, 2, 3, 4] · x for x of 4 × 3, each weight for one row; onnxruntime's fusion reads x as 3 × 4. */
const turnedVector = small(
  [makeNode('Transpose', ['x'], ['t'], { perm: [0, 2, 1] }), makeNode('MatMul', ['t', 'v'], ['y'])],
  { v: { type: 'float32', dims: [4], data: Float32Array.of(1, 2, 3, 4) } },
)
const rows = [
  [0.5, 0, 0.25],
  [0, 0.25, 0.5],
  [0.25, 0.5, 0],
  [0.75, 0, 1],
]
/** By hand: 0.5 + 0.75 + 3, 0.5 + 1.5, 0.25 + 1 + 4. */
const expected = [4.25, 2, 5.25]
const point = Float32Array.from(rows.flat())

describe('the model is what its file says, also where onnxruntime’s optimisations say something else', () => {
  test('the original and the surrogate give the product by hand, the gradient its weights, and a flag tells', async () => {
    const { engine, plan, flags } = await loadModel(turnedVector)
    const [{ logits, predicted }] = await engine.prediction.answer([{ kind: 'prediction', point }])
    expect([...logits]).toEqual(expected)
    expect(predicted).toBe(2)
    expect(plan.gradient).toBe(true)
    const loss = { name: 'cross-entropy', label: 2 } as const
    const [answer] = await engine.gradient.answer([{ kind: 'gradient', point, loss }])
    expect([...answer.logits]).toEqual(expected)
    // d cross-entropy / d logits = softmax − onehot, times the weight of the row.
    const powers = expected.map((logit) => Math.exp(logit))
    const total = powers.reduce((sum, power) => sum + power, 0)
    const slopes = powers.map((power, place) => power / total - (place === 2 ? 1 : 0))
    const gradient = [1, 2, 3, 4].flatMap((weight) => slopes.map((slope) => weight * slope))
    gradient.forEach((slope, pixel) => expect(answer.gradient[pixel]).toBeCloseTo(slope, 5))
    expect(flags.map(({ code }) => code)).toEqual(['runtime-optimisation'])
  })

  /** A BiT's stem: zeros around what has negative numbers, and maxima; onnxruntime's fusion leaves the zeros out of them. */
  test('zeros that are padded before a MaxPool count', async () => {
    const padded = small(
      [
        makeNode('Sub', ['x', 'half'], ['s']),
        makeNode('Pad', ['s', 'pads'], ['p']),
        makeNode('MaxPool', ['p'], ['m'], { kernel_shape: [3, 3] }),
        makeNode('Flatten', ['m'], ['y']),
      ],
      {
        half: { type: 'float32', dims: [], data: Float32Array.of(0.5) },
        pads: { type: 'int64', dims: [8], data: BigInt64Array.of(0n, 0n, 1n, 1n, 0n, 0n, 1n, 1n) },
      },
      [3, 1, 1],
    )
    expect(await optimisationFor(padded)).toBe('pads apart')
    const { engine } = await loadModel(padded)
    const [{ logits }] = await engine.prediction.answer([{ kind: 'prediction', point: Float32Array.of(0.75, 0, 0.25) }])
    expect([...logits]).toEqual([0.25, 0, 0])
  })

  test('only what goes wrong is left out, and nothing where nothing does', async () => {
    expect(await optimisationFor(turnedVector)).toBe('transposes apart')
    expect(await optimisationFor(healthy)).toBe('all')
    for (const name of ['models/int8-qdq.onnx', 'models/int8-qoperator.onnx', 'models/half-float16.onnx'])
      expect(await optimisationFor(loadRequest(name, fashion))).toBe('all')
  })
})

/** A crash would end the gate of a model that onnxruntime runs: as a function writes it that has a bias for others. */
test('a LayerNormalization whose bias is an empty name runs, has its gradient, and a flag tells who would crash', async () => {
  const request = small(
    [{ ...makeNode('LayerNormalization', ['x', 's'], ['y'], { axis: -1 }), inputs: ['x', 's', ''] }],
    { s: { type: 'float32', dims: [3], data: Float32Array.of(2, 2, 2) } },
    [3],
  )
  const { engine, plan, flags } = await loadModel(request)
  expect(plan.gradient).toBe(true)
  expect(flags).toEqual([
    {
      code: 'runtime-optimisation',
      message: expect.stringMatching(/^A LayerNormalization without a bias crashes onnxruntime where /),
    },
  ])
  // (0, 0.5, 1) less its mean, over a standard deviation of √(1/6), times 2; the 1e-5 that is added to the variance takes 3e-5 of it off.
  const [{ logits }] = await engine.prediction.answer([{ kind: 'prediction', point: Float32Array.of(0, 0.5, 1) }])
  ;[-Math.sqrt(6), 0, Math.sqrt(6)].forEach((logit, at) => expect(logits[at]).toBeCloseTo(logit, 3))
  await gradientModelOf(request.model, modelRunner())
})

/**
 * 32 pixels times weights of four bits, their steps ½ in the first half and ¼ in the second. By itself onnxruntime rounds the
 * pixels to 8 bits there, by up to 1/254 of the largest: sums of 32 products with weights of up to 4 are then off by up to ½.
 */
test('weights of four bits are multiplied by the pixels as they are, at full speed, and nothing else is flagged', async () => {
  const steps = Float32Array.from({ length: 6 }, (_, at) => (at < 3 ? 0.5 : 0.25))
  const whole = Int8Array.from({ length: 96 }, (_, at) => ((at * 5) % 16) - 8)
  const request = small(
    [
      makeNode('DequantizeLinear', ['w', 's'], ['real'], { axis: 0, block_size: 16 }),
      makeNode('MatMul', ['x', 'real'], ['y']),
    ],
    { w: { type: 'int4', dims: [32, 3], data: whole }, s: { type: 'float32', dims: [2, 3], data: steps } },
    [32],
    21,
  )
  expect(await optimisationFor(request)).toBe('all')
  const { engine, plan, flags } = await loadModel(request)
  expect(plan.gradient).toBe(true)
  expect(flags).toEqual([])
  const pixels = Float32Array.from({ length: 32 }, (_, at) => ((at * 7) % 13) / 13)
  const [{ logits }] = await engine.prediction.answer([{ kind: 'prediction', point: pixels }])
  const product = [0, 1, 2].map((column) =>
    pixels.reduce((sum, pixel, row) => sum + pixel * whole[3 * row + column] * (row < 16 ? 0.5 : 0.25), 0),
  )
  // 32 roundings of sums below 64, of 6e-8 each.
  product.forEach((logit, at) => expect(Math.abs(logits[at] - logit)).toBeLessThan(32 * 64 * 6e-8))
})

/** What buildSurrogate would give if one of our rewritings went wrong. */
const tampered =
  (change: (graph: Graph) => Graph): typeof buildSurrogate =>
  async (model, options) => {
    const surrogate = await buildSurrogate(model, options)
    const graph = decodeModel(surrogate.gradientModel, { name: 'gradient', external: {} })
    return { ...surrogate, gradientModel: encodeModel(change(graph)) }
  }

const replaced = (output: string, op: string) =>
  tampered((graph) => ({
    ...graph,
    nodes: graph.nodes.map((node) => (node.outputs[0] === output ? makeNode(op, node.inputs, [output]) : node)),
  }))

describe('a gradient that is not the model’s is not followed, and does not end the evaluation', () => {
  test('as it is made it passes', async () => {
    expect((await openEngine(healthy, 'all')).obstacle).toBeUndefined()
  })

  test.each([
    ['other logits', replaced('logits', 'Neg'), /gives other logits than the model/],
    ['NaN', replaced('logits', 'Sqrt'), /gives other logits than the model/],
    ['no such operator', replaced('value', 'Foo'), /onnxruntime does not open it: .*Foo/],
    [
      'one gradient for all images',
      tampered((graph) => ({
        ...graph,
        nodes: graph.nodes.map((node) =>
          node.outputs[0] === 'gradient'
            ? makeNode('ReduceSum', [...node.inputs, 'first'], ['gradient'], { keepdims: 1 })
            : node,
        ),
        constants: new Map(graph.constants).set('first', { type: 'int64', dims: [1], data: BigInt64Array.of(0n) }),
        outputs: graph.outputs.map((output) => ({ name: output.name })),
      })),
      /fails to run it: the gradient model gave \[16, 10\] and \[1, 1, 28, 28\] for 16 images/,
    ],
    ['a mistake of ours', () => Promise.reject(new TypeError('x is undefined')), /x is undefined/],
  ])('%s: attacked without, and the reason is told', async (_, build, reason) => {
    const { engine, facts, obstacle } = await openEngine(healthy, 'all', build)
    expect(obstacle).toMatch(reason)
    expect(facts.classes).toBe(10)
    const [{ predicted }] = await engine.prediction.answer([
      { kind: 'prediction', point: fashion.pixels.slice(0, 784) },
    ])
    expect(predicted).toBe(fashion.labels[0])
    const question = {
      kind: 'gradient',
      point: fashion.pixels.slice(0, 784),
      loss: { name: 'margin', label: 0 },
    } as const
    await expect(engine.gradient.answer([question])).rejects.toThrow('has none')
  })

  /** Rounding, the batch and noise make honest surrogates differ: their logits are not compared, but they must run. */
  test('a rounding model is allowed other logits, but not to fail, nor to give none', async () => {
    const request = loadRequest('models/int8-qdq.onnx', fashion, { batch: 16 })
    expect((await openEngine(request, 'all', replaced('logits', 'Abs'))).obstacle).toBeUndefined()
    expect((await openEngine(request, 'all', replaced('value', 'Foo'))).obstacle).toMatch(/does not open/)
    expect((await openEngine(request, 'all', replaced('logits', 'Sqrt'))).obstacle).toBe(
      'what was made gives NaN where the model gives numbers',
    )
  })

  test('what is no classifier still is the user’s to mend, and nothing hides why nothing runs', async () => {
    const notRunnable = small([makeNode('MatMul', ['x', 'w'], ['y'])], {
      w: { type: 'float32', dims: [5], data: new Float32Array(5) },
    })
    await expect(openEngine(notRunnable, 'all')).rejects.toThrow(/MatMul/)
    // Twelve numbers of an image, or twenty-four of two, are not seven rows of three.
    const sevenRows: Tensor = { type: 'int64', dims: [2], data: BigInt64Array.of(7n, 3n) }
    const failed = openEngine(small([makeNode('Reshape', ['x', 'to'], ['y'])], { to: sevenRows }), 'all')
    await expect(failed).rejects.toThrow(UsageError)
    await expect(failed).rejects.toThrow(
      /^small\.onnx: onnxruntime fails to run it on an image of \[4, 3\] \(.*Reshape.*\); export a model/,
    )
    const image = { name: 'x', type: 'float64' as const, dims: ['n', 1, 4, 4] }
    const kernel = { type: 'float64' as const, dims: [3, 1, 4, 4], data: new Float64Array(48) }
    const inDouble = encodeModel({
      ...{ name: 'double', opsets: new Map([['', 17]]), irVersion: 8, inputs: [image], outputs: [{ name: 'y' }] },
      nodes: [makeNode('Conv', ['x', 'w'], ['c']), makeNode('Flatten', ['c'], ['y'])],
      constants: new Map([['w', kernel]]),
    })
    const noKernel = openEngine(
      { ...healthy, shape: [1, 4, 4], model: { name: 'double.onnx', bytes: inDouble, external: {} } },
      'all',
    )
    await expect(noKernel).rejects.toThrow(UsageError)
    await expect(noKernel).rejects.toThrow(/^double\.onnx: onnxruntime does not open it \(.*Conv.*\); export a model/)
    const refused = () => Promise.reject(new UsageError('no classifier'))
    await expect(openEngine(healthy, 'all', refused)).rejects.toThrow(UsageError)
    const noRule = () => Promise.reject(new NoGradient('no rule'))
    expect((await openEngine(healthy, 'all', noRule)).obstacle).toBe('no rule')
  })
})
