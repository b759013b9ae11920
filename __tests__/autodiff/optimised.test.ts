import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { InferenceSession } from 'onnxruntime-node'
import { gradientModelOf } from '../../src/autodiff/gradientModel.js'
import { operatorOf } from '../../src/onnx/attributes.js'
import { decodeModel } from '../../src/onnx/codec.js'
import type { Graph } from '../../src/onnx/graph.js'
import { runModel, runModelWith } from '../support/onnxruntime.js'
import { integers, numbersOf, reals } from './support.js'

const models = fileURLToPath(new URL('../../fixtures/models/', import.meta.url))

type Level = 'extended' | 'all'

/** The model as onnxruntime's optimiser saves it. */
async function optimised(file: string, graphOptimizationLevel: Level): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'optimised-'))
  try {
    const optimizedModelFilePath = join(folder, file)
    const session = await InferenceSession.create(join(models, file), {
      graphOptimizationLevel,
      optimizedModelFilePath,
      logSeverityLevel: 4,
    })
    await session.release()
    return await readFile(optimizedModelFilePath)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function gradientOf(graph: Graph, name: string, bytes: Uint8Array): Promise<readonly number[]> {
  const model = await gradientModelOf({ name, bytes, external: {} }, runModel)
  const [{ name: input, dims = [] }] = graph.inputs
  const image = [2, ...dims.slice(1).map(Number)]
  const feeds = new Map([
    [input, reals('float32', image, 3, 0, 1)],
    ['label', integers([3, 1])],
  ])
  const gradient = (await runModelWith('all')(model, feeds)).get('gradient')
  expect(gradient?.dims).toEqual(image)
  return gradient ? numbersOf(gradient) : []
}

/** Each may miss PyTorch's float64 by 16 times what PyTorch's float32 does (models.test.ts): 9e−7 for the worst of these. */
const TOLERANCE = 2 * 16 * 9e-7

/** Of opset 17, and onnxruntime's optimiser writes them into models of older ones. */
const OF_THE_STANDARD: ReadonlySet<string> = new Set(['LayerNormalization', 'SimplifiedLayerNormalization'])

/** Who saved a model with graph optimisations on (many do, for speed) gets the gradient of the model as it was. */
test.each([
  ['densenet-torchscript-13.onnx', ['FusedConv']],
  ['mobilenet-v3-torchscript-14.onnx', ['FusedConv']],
  ['resnet-stem-torchscript-7.onnx', ['FusedConv']],
  ['vgg-torchscript-11.onnx', ['FusedConv', 'FusedGemm']],
  ['efficientnet-dynamo-18.onnx', ['FusedConv', 'QuickGelu']],
  ['convnext-torchscript-13.onnx', ['BiasGelu', 'LayerNormalization', 'SimplifiedLayerNormalization']],
  ['convnext-torchscript-17-fixed.onnx', ['Gelu']],
  ['resnet-dynamo-18.onnx', ['FusedConv']],
  ['swin-torchscript-16-fixed.onnx', ['FusedMatMul', 'Gelu']],
  ['vit-timm-torchscript-14.onnx', ['FusedMatMul', 'LayerNormalization']],
  ['vit-dynamo-18.onnx', ['FusedMatMul', 'SkipLayerNormalization']],
  ['vit-dynamo-23.onnx', ['BiasGelu', 'SkipLayerNormalization']],
])('%s fused by onnxruntime (%s) has the same gradient', async (file, operators) => {
  const plain = await readFile(join(models, file))
  const fused = await optimised(file, 'extended')
  const graph = decodeModel(plain, { name: file })
  const found = new Set(decodeModel(fused, { name: file }).nodes.map(operatorOf))
  for (const operator of operators)
    expect(found).toContain(OF_THE_STANDARD.has(operator) ? operator : `com.microsoft.${operator}`)
  const expected = await gradientOf(graph, file, plain)
  const actual = await gradientOf(graph, file, fused)
  const largest = Math.max(...expected.map(Math.abs))
  const worst = Math.max(...actual.map((value, at) => Math.abs(value - expected[at])))
  expect(actual).toHaveLength(expected.length)
  expect(largest).toBeGreaterThan(0)
  expect(worst / largest).toBeLessThan(TOLERANCE)
})

/** The same whole numbers, summed exactly: of the gradient only the order of sums differs. */
test.each(['int8-qdq.onnx', 'int8-qoperator.onnx'])('%s with its channels last has the same gradient', async (file) => {
  const turned = await optimised(file, 'all')
  const found = new Set(decodeModel(turned, { name: file }).nodes.map(operatorOf))
  for (const operator of ['QLinearConv', 'NhwcMaxPool']) expect(found).toContain(`com.microsoft.${operator}`)
  const graph = decodeModel(await readFile(join(models, file)), { name: file })
  const expected = await gradientOf(graph, file, await optimised(file, 'extended'))
  const actual = await gradientOf(graph, file, turned)
  const largest = Math.max(...expected.map(Math.abs))
  const worst = Math.max(...actual.map((value, at) => Math.abs(value - expected[at])))
  expect(largest).toBeGreaterThan(0)
  expect(worst / largest).toBeLessThan(TOLERANCE)
})

test('a model laid out for one processor is refused with advice', async () => {
  const bytes = await optimised('resnet-dynamo-18.onnx', 'all')
  const gradient = gradientModelOf({ name: 'resnet.onnx', bytes, external: {} }, runModel)
  await expect(gradient).rejects.toThrow(/operator com\.microsoft\.nchwc\.\w+ .*ORT_ENABLE_EXTENDED or below/)
})
