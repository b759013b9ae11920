import { describe, expect, test } from '@jest/globals'
import type { AttackSpec } from '../../src/config/attackTypes.js'
import type { Preprocessing, ThreatSpec } from '../../src/config/types.js'
import type { Dataset } from '../../src/data/types.js'
import { evaluateImage, type ImageResult } from '../../src/engine/image.js'
import { loadModel } from '../../src/engine/load.js'
import { Scheduler } from '../../src/engine/scheduler.js'
import { dataset, fixture, imagesOf, loadRequest, plain } from './support/fixtures.js'

const pgd = {
  name: 'pgd',
  id: 'pgd',
  loss: 'cross-entropy',
  survivorsOnly: false,
  steps: 20,
  relativeStepSize: 0.25,
  randomStart: true,
  restarts: 1,
} as const
const attacks: readonly AttackSpec[] = [pgd, { ...pgd, id: 'pgd-margin', loss: 'margin', survivorsOnly: true }]
const linf = (epsilon: number): ThreatSpec => ({ id: `linf-${epsilon}`, norm: 'linf', epsilon })

/** Indices of the images that were right, and by threat of those that stayed right under PGD. */
async function attack(
  name: string,
  data: Dataset,
  threats: readonly ThreatSpec[],
  preprocessing: Preprocessing = plain,
) {
  const { engine, plan } = await loadModel(loadRequest(name, data, { attacks, threats, preprocessing, batch: 32 }))
  const outcomes: ImageResult['outcome'][] = []
  const scheduler = new Scheduler<ImageResult>(engine, ({ outcome }) => outcomes.push(outcome))
  await scheduler.run(imagesOf(data).map((task) => evaluateImage(task, plan)))
  const indices = (kept: typeof outcomes) => kept.map(({ index }) => index).sort((a, b) => a - b)
  return {
    clean: indices(outcomes.filter(({ predicted, label }) => predicted === label)),
    robust: threats.map(({ id }) => indices(outcomes.filter((outcome) => outcome.threats[id].robust))),
  }
}

/** The authors' AutoAttack, on the first 200 (Fashion-MNIST) and 100 (CIFAR-10) images. */
interface Reference {
  readonly cleanCorrect: number
  readonly robustIndices: readonly number[]
}
const autoattack = JSON.parse(fixture('fashion/golden-autoattack.json').toString()) as Readonly<
  Record<string, Reference>
>
const fashion = dataset('fashion/fashion-test.npz', 200)
const cifar = dataset('cifar/cifar10-test-100.npz', 100)
const mnist = dataset('mnist/mnist-test-100.npz', 100)
const imagenet: Preprocessing = { mean: [0.485, 0.456, 0.406], std: [0.225], channelOrder: 'rgb' }

describe('PGD finds what AutoAttack finds but for a few images, and nothing that is not there', () => {
  // AutoAttack is much the stronger: what it could not break PGD must not claim. How many more PGD may leave:
  // on CIFAR-10 what a PyTorch PGD left, and one image; 2 % of 200 images elsewhere. In L2 the hardened model hides
  // behind its gradients (AutoAttack needs targeted and gradient-free attacks), so only the first half holds there.
  test.each([
    ['fashion-standard', 'linf', 0.1, 4],
    ['fashion-hardened', 'linf', 0.1, 4],
    ['fashion-standard', 'l2', 1.5, 4],
    ['fashion-hardened', 'l2', 1.5, Infinity],
    ['cifar_base_kw', 'linf', 2 / 255, 3],
    ['cifar_deep_kw', 'linf', 2 / 255, 2],
  ] as const)('%s, %s', async (name, norm, epsilon, more) => {
    const reference = autoattack[`${name}/${norm}`]
    const threat = { id: 'threat', norm, epsilon }
    const { clean, robust } = name.startsWith('fashion')
      ? await attack(`fashion/${name}.onnx`, fashion, [threat])
      : await attack(`cifar/${name}.onnx`, cifar, [threat], imagenet)
    expect(clean.length).toBe(reference.cleanCorrect)
    expect(robust[0]).toEqual(expect.arrayContaining([...reference.robustIndices]))
    expect(robust[0].length - reference.robustIndices.length).toBeLessThanOrEqual(more)
  })
})

test('a network certified at ε 0.1 holds there and falls where PyTorch’s PGD-20 makes it fall', async () => {
  const preprocessing: Preprocessing = { mean: [0.1307], std: [0.3081], channelOrder: 'rgb' }
  const { clean, robust } = await attack(
    'mnist/colt_mnist_0.1.onnx',
    mnist,
    [linf(0.1), linf(0.2), linf(0.3)],
    preprocessing,
  )
  const [certified, beyond, far] = robust.map((indices) => indices.length)
  expect(clean.length).toBe(100)
  expect(certified).toBe(100)
  // PyTorch leaves 96 and 43 of 100 with one run of PGD-20.
  expect(beyond).toBeLessThanOrEqual(97)
  expect(far).toBeLessThanOrEqual(50)
})
