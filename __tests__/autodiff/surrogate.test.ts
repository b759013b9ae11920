import { readFile } from 'node:fs/promises'
import { describe, expect, test } from '@jest/globals'
import { LOSSES } from '../../src/autodiff/lossHead.js'
import { buildSurrogate } from '../../src/autodiff/surrogate.js'
import type { Surrogate, SurrogateOptions } from '../../src/autodiff/surrogate.js'
import type { Tensor } from '../../src/onnx/graph.js'
import { ask, mnist, plain, run } from './asking.js'
import type { Answer } from './asking.js'
import { count, floating, generator, numbersOf, reals } from './support.js'

const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.225], channelOrder: 'rgb' } as const
const cifar = { ...mnist, shape: [3, 32, 32], preprocessing: imagenet } as const

const MODELS: readonly (readonly [string, SurrogateOptions])[] = [
  ['fashion/fashion-standard.onnx', mnist],
  ['fashion/fashion-hardened.onnx', mnist],
  ['fashion/fashion-finetuned.onnx', mnist],
  ['cifar/cifar_base_kw.onnx', cifar],
  ['cifar/cifar_deep_kw.onnx', cifar],
  ['mnist/colt_mnist_0.1.onnx', { ...mnist, preprocessing: { ...plain, mean: [0.1307], std: [0.3081] } }],
  ['mnist/cnn_max_mninst2.onnx', { ...mnist, preprocessing: { ...plain, layout: 'nhwc' } }],
  ['mnist/self-attention-mnist-pgd-medium-sim.onnx', { ...mnist, preprocessing: { ...plain, layout: 'nhwc' } }],
  ['mnist/cntk_mnist_8.onnx', { ...mnist, range: [0, 255] }],
]

async function surrogateOf(file: string, options: SurrogateOptions): Promise<Surrogate> {
  const bytes = await readFile(new URL(`../../fixtures/${file}`, import.meta.url))
  return buildSurrogate({ name: file, bytes, external: {} }, options)
}

describe.each(MODELS)('%s', (file, options) => {
  test('any number of images goes through at once, though most exports fix it at one', async () => {
    const surrogate = await surrogateOf(file, options)
    expect(surrogate.gradientBatch).toBe('free')
    const x = reals('float32', [3, ...options.shape], 41, ...options.range)
    const together = await ask(surrogate, x, 0, [0, 1, 2])
    const size = count(options.shape)
    for (const at of [0, 1, 2]) {
      const image = floating('float32', [1, ...options.shape], numbersOf(x).slice(at * size, (at + 1) * size))
      const alone = await ask(surrogate, image, 0, [at])
      const scale = Math.max(...alone.gradient.map(Math.abs))
      alone.gradient.forEach((slope, place) =>
        // The order of summation may differ between batches: a few units in the last place, some layers deep.
        expect(Math.abs(together.gradient[at * size + place] - slope)).toBeLessThan(1e-4 * scale),
      )
    }
  })

  /**
   * Along the gradient restricted to a random quarter of the pixels the loss rises by that part's squared length. The
   * models and their losses are in float32 and piecewise smooth: kinks crossed on the way and 6e−8 / h leave about a
   * percent, a wrong rule is off by tens of percents.
   */
  test('the gradient of every loss is how the loss changes', async () => {
    const surrogate = await surrogateOf(file, options)
    const size = count(options.shape)
    const x = reals('float32', [1, ...options.shape], 43, ...options.range)
    // The least likely class: of a class the model is sure of, cross-entropy would be flat.
    const { logits } = await ask(surrogate, x, 0, [0])
    const label = logits.indexOf(Math.min(...logits))
    for (const [code] of LOSSES.entries()) {
      const { gradient } = await ask(surrogate, x, code, [label])
      const random = generator(code + 5)
      for (const part of [0, 1, 2, 3]) {
        const direction = gradient.map((slope) => (Math.floor(random() * 4) === part ? slope : 0))
        const length = Math.hypot(...direction)
        const h = ((options.range[1] - options.range[0]) * 1e-3) / length
        const moved = (t: number): Promise<Answer> =>
          ask(
            surrogate,
            floating(
              'float32',
              x.dims,
              numbersOf(x).map((value, at) => value + t * direction[at]),
            ),
            code,
            [label],
          )
        const rise = ((await moved(h)).value[0] - (await moved(-h)).value[0]) / (2 * h)
        expect(rise / length ** 2).toBeGreaterThan(0.97)
        expect(rise / length ** 2).toBeLessThan(1.03)
      }
      expect(gradient).toHaveLength(size)
    }
  })
})

test('attacks see the logits behind a final Softmax, where probabilities would saturate', async () => {
  const surrogate = await surrogateOf('mnist/self-attention-mnist-pgd-medium-sim.onnx', MODELS[7][1])
  expect(surrogate.output.kind).toBe('probabilities')
  const x = reals('float32', [1, 1, 28, 28], 47, 0, 1)
  const { logits } = await ask(surrogate, x, 0, [0])
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0)
  expect(Math.abs(total - 1)).toBeGreaterThan(0.01)
})

test('the preprocessing alone leads to what the original takes, under the name the engine asks for', async () => {
  const surrogate = await surrogateOf('cifar/cifar_base_kw.onnx', cifar)
  const x = reals('float32', [2, 3, 32, 32], 71, 0, 1)
  const prepared = await run(surrogate.preprocessingModel as Uint8Array, new Map([['image', x]]), ['output'])
  const values = numbersOf(prepared.get('output') as Tensor)
  const mean = [0.485, 0.456, 0.406]
  numbersOf(x).forEach((pixel, at) => {
    const channel = Math.floor(at / 1024) % 3
    expect(values[at]).toBeCloseTo((pixel - mean[channel]) / 0.225, 5)
  })
})
