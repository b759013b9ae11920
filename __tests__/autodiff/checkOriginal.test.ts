import { expect, test } from '@jest/globals'
import { makeNode } from '../../src/onnx/attributes.js'
import type { Graph, Node, RunModel, Tensor } from '../../src/onnx/graph.js'
import { run } from './asking.js'
import { build, dense, four, gemm, model } from './smallClassifier.js'
import { floating } from './support.js'

const scalar = (value: number): Tensor => floating('float32', [], [value])

/** As exporters before opset 20 write it: one operator takes its place after the last run of the rewritten model. */
const GELU: readonly Node[] = [
  gemm('z'),
  makeNode('Div', ['z', 'root'], ['scaled']),
  makeNode('Erf', ['scaled'], ['error']),
  makeNode('Add', ['error', 'one'], ['shifted']),
  makeNode('Mul', ['z', 'shifted'], ['product']),
  makeNode('Mul', ['product', 'half'], ['y']),
]
const gelu = model(GELU, { ...dense(3), root: scalar(Math.SQRT2), one: scalar(1), half: scalar(0.5) })

const ofBatch = (size: number, nodes: readonly Node[], changes: Partial<Graph> = {}): Uint8Array =>
  model(nodes, dense(3), { inputs: [{ name: 'x', type: 'float32', dims: [size, 4] }], ...changes })

/** The mean of its rows is no image's own: such a batch is never freed. */
const shared: readonly Node[] = [
  gemm('z'),
  makeNode('ReduceMean', ['z'], ['mean'], { axes: [0] }),
  makeNode('Sub', ['z', 'mean'], ['y']),
]

const CASES = [
  ['of any batch', model([gemm('y')], dense(3)), 2],
  ['of a batch of four that is freed', ofBatch(4, [gemm('y')]), 3],
  ['of a batch of four that is not', ofBatch(4, shared), 3],
  ['that is changed after it was run', gelu, 3],
] as const

/** Tells the models it runs, and may run the original as if it were another by a share of its numbers. */
function watching(original: Uint8Array, share = 0): { readonly run: RunModel; readonly models: Set<Uint8Array> } {
  const models = new Set<Uint8Array>()
  const watched: RunModel = async (bytes, feeds, outputs) => {
    models.add(bytes)
    const results = await run(bytes, feeds, outputs)
    if (bytes !== original) return results
    return new Map([...results].map(([name, tensor]) => [name, scaled(tensor, 1 + share)]))
  }
  return { run: watched, models }
}

function scaled(tensor: Tensor, factor: number): Tensor {
  return { ...tensor, data: (tensor.data as Float32Array).map((number) => number * factor) }
}

// Weights of hundreds of megabytes take a second to open.
test.each(CASES)('what was run is not opened once more to be compared: a model %s', async (_name, bytes, opened) => {
  const { run: watched, models } = watching(bytes)
  await build(bytes, { ...four, run: watched })
  expect(models.size).toBe(opened)
})

const MODELS = CASES.map(([name, bytes]) => [name, bytes] as const)

test.each(MODELS)('a gradient of another function is refused: a model %s', async (_name, bytes) => {
  const { run: watched } = watching(bytes, 0.01)
  await expect(build(bytes, { ...four, run: watched })).rejects.toThrow('gives other outputs than the original')
})

test('the original is asked about the same images once', async () => {
  const [[, bytes]] = CASES
  const asked: string[] = []
  const watched: RunModel = (model, feeds, outputs) => {
    const [{ data }] = feeds.values()
    if (model === bytes) asked.push(String(data))
    return run(model, feeds, outputs)
  }
  await build(bytes, { ...four, run: watched })
  // Three images together, and each of them alone.
  expect(asked).toHaveLength(4)
  expect(new Set(asked).size).toBe(4)
})
