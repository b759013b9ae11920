import { expect, test } from '@jest/globals'
import { makeNode } from '../../src/onnx/attributes.js'
import { decodeModel } from '../../src/onnx/codec.js'
import type { Node, RunModel, Tensor } from '../../src/onnx/graph.js'
import { run } from './asking.js'
import { build, dense, four, gemm, model } from './smallClassifier.js'
import { floating, integers } from './support.js'

const step: Tensor = floating('float32', [], [1 / 64])

const quantised = (from: string, to: string): readonly Node[] => [
  makeNode('QuantizeLinear', [from, 'step'], [`${to}/steps`]),
  makeNode('DequantizeLinear', [`${to}/steps`, 'step'], [to]),
]

const free = model([gemm('z'), ...quantised('z', 'y')], { ...dense(3), step })
const ofOne = model(
  [gemm('z'), ...quantised('z', 'flat'), makeNode('Reshape', ['flat', 'shape'], ['y'])],
  { ...dense(3), step, shape: integers([1, 3]) },
  { inputs: [{ name: 'x', type: 'float32', dims: [1, 4] }] },
)

/**
 * Runs what quantises as a machine does where the sums of one image and of several, in another order, fall on two sides of
 * a step: one number of the first image is another by one step.
 */
function flipping(original: Uint8Array) {
  const models = new Set<Uint8Array>()
  const rows: number[] = []
  const flipped: RunModel = async (bytes, feeds, outputs) => {
    models.add(bytes)
    const results = await run(bytes, feeds, outputs)
    if (bytes === original || !hasSteps(bytes)) return results
    const [images] = feeds.values()
    rows.push(images.dims[0])
    if (images.dims[0] === 1) return results
    return new Map([...results].map(([name, tensor]) => [name, name.endsWith('y') ? flippedFirst(tensor) : tensor]))
  }
  return { run: flipped, models, rows }
}

function hasSteps(bytes: Uint8Array): boolean {
  return decodeModel(bytes).nodes.some(({ op }) => op === 'QuantizeLinear')
}

function flippedFirst(tensor: Tensor): Tensor {
  const data = Float32Array.from(tensor.data as Float32Array)
  data[0] += 1 / 64
  return { ...tensor, data }
}

// Weights of hundreds of megabytes take a second to open.
test.each([
  ['of any batch', free, 3],
  ['whose batch of one is lifted', ofOne, 4],
])('a step that falls on its other side is no cause to rewrite a model %s once more', async (_name, bytes, opened) => {
  const { run: flipped, models } = flipping(bytes)
  expect((await build(bytes, { ...four, run: flipped })).gradientBatch).toBe('free')
  expect(models.size).toBe(opened)
})

// Weights that are still to be dequantised are dequantised in every run.
test('a quantised model is run as it is on no more images than its shapes are seen from', async () => {
  const { run: flipped, rows } = flipping(free)
  await build(free, { ...four, run: flipped })
  expect(rows).toEqual([1, 1, 2])
})

/** 80,000 weights in int8, four times as many bytes in float32. */
const wide = model(
  [
    makeNode('DequantizeLinear', ['w8', 'step'], ['w32']),
    makeNode('MatMul', ['x', 'w32'], ['h']),
    ...quantised('h', 'flat'),
    makeNode('Reshape', ['flat', 'shape'], ['rows']),
    makeNode('ReduceMean', ['rows'], ['y'], { axes: [2] }),
  ],
  {
    w8: { type: 'int8', dims: [4, 20_000], data: Int8Array.from({ length: 80_000 }, (_, at) => at % 255) },
    step,
    shape: integers([1, 2, 10_000]),
  },
  { inputs: [{ name: 'x', type: 'float32', dims: [1, 4] }] },
)

test('weights are not written in float32 to lift the batch of a model whose steps are still to be written out', async () => {
  const { run: watched, models } = flipping(wide)
  expect((await build(wide, { ...four, run: watched })).gradientBatch).toBe('free')
  const sizes = [...models].filter(hasSteps).map(({ byteLength }) => byteLength)
  // As it is, lifted, and the original.
  expect(sizes).toHaveLength(3)
  expect(Math.max(...sizes)).toBeLessThan(2 * 80_000)
})

/**
 * Each row has those after it on top, which of the images that a model is tried on is less than a step may move a number:
 * (x − x²)³ is at most 0.0475³ of dark pixels and bright ones, and 0.2492³ of the others' 0.472, 145 times as much. Of the
 * steps beside it none is on a way with a gradient, so none is written out.
 */
const entangled = model(
  [
    makeNode('Mul', ['x', 'x'], ['square']),
    makeNode('Sub', ['x', 'square'], ['hill']),
    makeNode('Pow', ['hill', 'three'], ['narrow']),
    makeNode('CumSum', ['narrow', 'first'], ['sums'], { reverse: 1 }),
    makeNode('Greater', ['x', 'step'], ['bright']),
    makeNode('Cast', ['bright'], ['whole'], { to: 1 }),
    ...quantised('whole', 'beside'),
    makeNode('Add', ['sums', 'beside'], ['h']),
    makeNode('Gemm', ['h', 'w', 'c'], ['y']),
  ],
  { ...dense(3), step, three: floating('float32', [], [3]), first: integers([0], []) },
)

test('images that see each other a little are kept apart though the model has steps', async () => {
  expect((await build(entangled)).gradientBatch).toBe(1)
})
