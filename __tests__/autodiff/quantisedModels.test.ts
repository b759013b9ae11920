import { readFile } from 'node:fs/promises'
import { describe, expect, test } from '@jest/globals'
import { inspectModel } from '../../src/autodiff/inspect.js'
import { LOSSES } from '../../src/autodiff/lossHead.js'
import { buildSurrogate } from '../../src/autodiff/surrogate.js'
import type { ModelSource, Surrogate } from '../../src/autodiff/surrogate.js'
import { decodeModel } from '../../src/onnx/codec.js'
import type { Tensor } from '../../src/onnx/graph.js'
import { runModelWith } from '../support/onnxruntime.js'
import { floating, generator, integers, numbersOf } from './support.js'

const run = runModelWith('all')

/** Scale 0.039 and zero point −1: what its own input quantisation can tell apart. */
const range = [-5, 5] as const

async function source(file: string): Promise<ModelSource> {
  const bytes = await readFile(new URL(`../../fixtures/kws/${file}.onnx`, import.meta.url))
  return { name: file, bytes, external: {} }
}

function surrogateOf(model: ModelSource): Promise<Surrogate> {
  const preprocessing = { mean: [0], std: [1], channelOrder: 'rgb' } as const
  return buildSurrogate(model, { shape: [1960], layout: 'flat', range, preprocessing, run })
}

/** Waves over 49 moments of 40 frequencies, and noise: smoother than noise alone, so that the model tells some apart. */
function sounds(rows: number): Tensor {
  const values = Array.from({ length: rows }, (_, row) => {
    const random = generator(100 + row)
    const [slow, fast, phase, loud] = [random() * 2, random() * 3, random() * 6, random() * 4]
    return Array.from({ length: 1960 }, (__, at) => {
      const wave = Math.sin((Math.floor(at / 40) * slow) / 4 + ((at % 40) * fast) / 5 + phase)
      return Math.min(Math.max(loud * wave + random() - 0.5, range[0]), range[1])
    })
  })
  return floating('float32', [rows, 1960], values.flat())
}

async function ask({ gradientModel, classes }: Surrogate, x: Tensor, loss: number, labels: readonly number[]) {
  const directions = floating(
    'float32',
    [labels.length, classes],
    Array.from({ length: labels.length * classes }, (_, at) => Math.sin((at % classes) + 1)),
  )
  const feeds = new Map<string, Tensor>([
    ['image', x],
    ['label', integers(labels)],
    ['loss', integers(labels.map(() => loss))],
    ['target', integers(labels.map((label) => (label + 1) % classes))],
    ['direction', directions],
  ])
  const results = await run(gradientModel, feeds)
  const of = (name: string): readonly number[] => Array.from(results.get(name)?.data as Float32Array)
  return { logits: of('logits'), gradient: of('gradient') }
}

async function originalOn({ bytes }: ModelSource, x: Tensor): Promise<readonly number[]> {
  const [input] = decodeModel(bytes).inputs
  return numbersOf([...(await run(bytes, new Map([[input.name, x]]))).values()][0])
}

const argmax = (values: readonly number[]): number => values.indexOf(Math.max(...values))

const rowsOf = (tensor: Tensor): readonly Tensor[] =>
  Array.from({ length: tensor.dims[0] }, (_, row) =>
    floating('float32', [1, 1960], numbersOf(tensor).slice(row * 1960, (row + 1) * 1960)),
  )

describe.each([
  ['micro_kws_m_qdq', ['QuantizeLinear']],
  [
    'micro_kws_m_static_qoperator',
    [
      'QuantizeLinear',
      'QLinearConv',
      'com.microsoft.QLinearAveragePool',
      'QLinearMatMul',
      'com.microsoft.QLinearAdd',
      'com.microsoft.QLinearSoftmax',
    ],
  ],
] as const)('%s', (file, straightThrough) => {
  test('attacks get the logits in front of the quantised Softmax, and they say what the model says', async () => {
    const model = await source(file)
    const surrogate = await surrogateOf(model)
    expect(surrogate).toMatchObject({ classes: 10, output: { kind: 'probabilities' } })
    let named = new Set<number>()
    for (const x of rowsOf(sounds(30))) {
      const { logits } = await ask(surrogate, x, 0, [0])
      const said = await originalOn(model, x)
      const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0)
      // Half a step of 1/255 for rounding, and one for averages of whole numbers that end on half a step.
      logits.forEach((logit, at) => expect(Math.abs(Math.exp(logit) / total - said[at])).toBeLessThan(1.5 / 255 + 1e-6))
      expect(argmax(logits)).toBe(argmax(said))
      named = named.add(argmax(said))
    }
    expect(named.size).toBeGreaterThan(1)
  })

  test('any number of images goes through at once, and each gets a gradient of its own', async () => {
    const surrogate = await surrogateOf(await source(file))
    expect(surrogate.gradientBatch).toBe('free')
    const x = sounds(3)
    const { logits } = await ask(surrogate, x, 0, [0, 0, 0])
    const labels = [0, 1, 2].map((row) => argmax(logits.slice(row * 10, row * 10 + 10)))
    for (const loss of LOSSES.keys()) {
      const together = await ask(surrogate, x, loss, labels)
      expect(together.gradient.every(Number.isFinite)).toBe(true)
      for (const [row, image] of rowsOf(x).entries()) {
        const alone = await ask(surrogate, image, loss, [labels[row]])
        const size = Math.max(...alone.gradient.map(Math.abs))
        expect(size).toBeGreaterThan(0)
        alone.gradient.forEach((slope, at) =>
          expect(Math.abs(together.gradient[row * 1960 + at] - slope)).toBeLessThanOrEqual(1e-4 * size),
        )
      }
    }
  })

  test('what is straight-through is said', async () => {
    const model = await source(file)
    expect((await surrogateOf(model)).straightThrough).toEqual(straightThrough)
    const { operators, problems } = await inspectModel(model)
    const marked = operators.filter(({ gradient }) => gradient === 'straight-through').map(({ operator }) => operator)
    expect(marked.toSorted()).toEqual([...straightThrough].toSorted())
    expect(problems).toEqual([])
  })
})
