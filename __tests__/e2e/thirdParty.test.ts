import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { parseConfig } from '../../src/config/parse.js'
import { locateData } from '../../src/data/locate.js'
import { evaluate, loadDataset } from '../../src/evaluation/evaluate.js'
import { readModelFile } from '../../src/evaluation/modelFile.js'
import type { Results } from '../../src/evaluation/results.js'
import { effectsOf, realChildren } from '../evaluation/support.js'

const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url))
const worker = fileURLToPath(new URL('../../.build/engine/worker.js', import.meta.url))

/** A stranger's model on the first 100 images of its test set, as the command line would attack it. */
async function attacked(model: string, data: string, flags: Readonly<Record<string, string>>): Promise<Results> {
  const { startChild } = realChildren(worker)
  const config = parseConfig({ flags })
  const effects = effectsOf(startChild)
  const raw = await locateData(fixture(data), config.dataOptions, 100)
  const dataset = await loadDataset(raw, config.dataOptions, 100, { ...effects, timeLimitSeconds: 300 })
  const { threats, suite, seed, preprocessing, limits } = config
  const request = { model: await readModelFile(fixture(model)), dataset, preprocessing, threats, suite, seed, limits }
  return evaluate({ ...request, toolVersion: 'test' }, effects)
}

/** Whoever weakens an attack, the gradient or the preprocessing leaves images standing that others have broken. */
describe('models nobody here trained fall as they fell to others', () => {
  test('cifar_base_kw at 2/255: AutoAttack leaves 60 of 100, a PyTorch PGD 62', async () => {
    const flags = { mean: '.485,.456,.406', std: '.225', epsilon: '2/255' }
    const { summary } = await attacked('cifar/cifar_base_kw.onnx', 'cifar/cifar10-test-100.npz', flags)
    expect(summary.clean.correct).toBe(73)
    const robust = Math.round(100 * summary.threats['linf-2_255'].robustAccuracy)
    expect(robust).toBeGreaterThanOrEqual(60)
    expect(robust).toBeLessThanOrEqual(63)
  })

  test.each([
    ['cntk_mnist_8: pixels from 0 to 255, opset 8, auto_pad', 'cntk_mnist_8', { range: '0,255', epsilon: '25.5' }],
    [
      'self-attention: NHWC, batch fixed at 1',
      'self-attention-mnist-pgd-medium-sim',
      { inputLayout: 'nhwc', epsilon: '0.1' },
    ],
    ['Keras CNN: NHWC, MaxPool', 'cnn_max_mninst2', { inputLayout: 'nhwc', epsilon: '0.1' }],
  ])('%s runs as declared: right on clean images, weaker under attack', async (_name, model, flags) => {
    const { summary } = await attacked(`mnist/${model}.onnx`, 'mnist/mnist-test-100.npz', flags)
    expect(summary.clean.correct).toBeGreaterThanOrEqual(98) // MNIST: wrong pixels or axes would leave chance
    const [{ robustAccuracy }] = Object.values(summary.threats)
    expect(robustAccuracy).toBeLessThan(summary.clean.accuracy)
  })
})
