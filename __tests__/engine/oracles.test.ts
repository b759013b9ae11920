import { describe, expect, test } from '@jest/globals'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Loss } from '../../src/attacks/losses.js'
import { predictedClass } from '../../src/attacks/losses.js'
import { loadModel } from '../../src/engine/load.js'
import { withApplicableLosses } from '../../src/engine/losses.js'
import { classScores } from '../../src/engine/outputs.js'
import { dataset, fixture, imagesOf, loadRequest } from './support/fixtures.js'

const fashion = dataset('fashion/fashion-test.npz', 40)
const cifar = dataset('cifar/cifar10-test-100.npz', 10)
const crossEntropy = (label: number): Loss => ({ name: 'cross-entropy', label })

test('the original is asked with its own bytes: the answers are what onnxruntime says of each image alone', async () => {
  const { engine } = await loadModel(loadRequest('fashion/fashion-hardened.onnx', fashion, { batch: 16 }))
  const session = await InferenceSession.create(fixture('fashion/fashion-hardened.onnx'))
  for (const size of [1, 3, 16]) {
    const images = imagesOf(fashion).slice(0, size)
    const answers = await engine.prediction.answer(images.map(({ pixels }) => ({ kind: 'prediction', point: pixels })))
    expect(answers).toHaveLength(size)
    for (const [i, { logits, predicted }] of answers.entries()) {
      const alone = await session.run({ image: new Tensor('float32', images[i].pixels, [1, 1, 28, 28]) })
      const expected = alone.logits.data as Float32Array
      // Another batch sums in another order: some units in the last place of logits around 10.
      logits.forEach((value, k) => expect(Math.abs(value - expected[k])).toBeLessThan(1e-4))
      expect(predicted).toBe(predictedClass(expected))
    }
  }
})

test('padding changes nothing: the same image alone, among others and in any place gives the same bits', async () => {
  const { engine } = await loadModel(loadRequest('fashion/fashion-hardened.onnx', fashion, { batch: 32 }))
  const questions = imagesOf(fashion)
    .slice(0, 32)
    .map(({ pixels, label }) => ({ kind: 'gradient', point: pixels, loss: crossEntropy(label) }) as const)
  const full = await engine.gradient.answer(questions)
  const [alone] = await engine.gradient.answer([questions[5]])
  const reversed = (await engine.gradient.answer(questions.toReversed())).toReversed()
  expect(alone).toEqual(full[5])
  expect(reversed).toEqual(full)
})

test('answers stay as they are when the next batch is run', async () => {
  const { engine } = await loadModel(loadRequest('fashion/fashion-hardened.onnx', fashion, { batch: 16 }))
  const [a, b] = imagesOf(fashion)
  const [first] = await engine.gradient.answer([{ kind: 'gradient', point: a.pixels, loss: crossEntropy(a.label) }])
  const kept = { logits: first.logits.slice(), gradient: first.gradient.slice() }
  await engine.gradient.answer([{ kind: 'gradient', point: b.pixels, loss: crossEntropy(b.label) }])
  expect(first.gradient).toEqual(kept.gradient)
  expect(first.logits).toEqual(kept.logits)
})

describe('images with different losses share a batch', () => {
  test('each loss has the value that its paper gives for the logits', async () => {
    const { engine } = await loadModel(
      loadRequest('fashion/fashion-standard.onnx', fashion, { batch: 16, attacks: [] }),
    )
    const { pixels: point, label } = imagesOf(fashion)[0]
    const target = (label + 1) % 10
    const direction = Float32Array.from({ length: 10 }, (_, k) => k - 4)
    const losses: Loss[] = [
      crossEntropy(label),
      { name: 'margin', label },
      { name: 'dlr', label },
      { name: 'targeted-dlr', label, target },
      { name: 'linear', direction },
    ]
    const answers = await engine.gradient.answer(losses.map((loss) => ({ kind: 'gradient', point, loss })))
    const z = [...answers[0].logits]
    const sorted = z.toSorted((a, b) => b - a)
    const other = Math.max(...z.filter((_, k) => k !== label))
    const expected = [
      Math.log(z.reduce((sum, value) => sum + Math.exp(value - z[label]), 0)),
      other - z[label],
      -(z[label] - other) / (sorted[0] - sorted[2]),
      -(z[label] - z[target]) / (sorted[0] - (sorted[2] + sorted[3]) / 2),
      z.reduce((sum, value, k) => sum + value * direction[k], 0),
    ]
    // float32 sums of ten logits: 1e-5 relative is some hundred roundings.
    answers.forEach(({ value }, i) =>
      expect(Math.abs(value - expected[i])).toBeLessThan(1e-5 * (1 + Math.abs(expected[i])) * 10),
    )
  })
})

test('a model exported for one image at a time is attacked in batches and judged at its own', async () => {
  const preprocessing = { mean: [0.485, 0.456, 0.406], std: [0.225], channelOrder: 'rgb' } as const
  const request = loadRequest('cifar/cifar_base_kw.onnx', cifar, { preprocessing, batch: 16 })
  const { engine, classes, batch } = await loadModel(request)
  expect({ classes, batch, gradient: engine.gradient.batch, original: engine.prediction.batch }).toEqual({
    classes: 10,
    batch: 16,
    gradient: 16,
    original: 1,
  })
  const [{ pixels, label }] = imagesOf(cifar)
  const session = await InferenceSession.create(fixture('cifar/cifar_base_kw.onnx'))
  const normalised = pixels.map((value, i) => (value - preprocessing.mean[Math.floor(i / 1024)]) / 0.225)
  const input = { [session.inputNames[0]]: new Tensor('float32', normalised, [1, 3, 32, 32]) }
  const expected = (await session.run(input))[session.outputNames[0]].data as Float32Array
  const [{ logits }] = await engine.prediction.answer([{ kind: 'prediction', point: pixels }])
  const [surrogate] = await engine.gradient.answer([{ kind: 'gradient', point: pixels, loss: crossEntropy(label) }])
  for (const [k, value] of expected.entries()) {
    // The same sums in another order, of logits of some units.
    expect(Math.abs(logits[k] - value)).toBeLessThan(1e-4)
    expect(Math.abs(surrogate.logits[k] - value)).toBeLessThan(1e-4)
  }
})

test('a loss that needs more classes than there are gives way to the margin loss, and a flag says so', () => {
  const dlr = { name: 'fgsm', id: 'fgsm-dlr', loss: 'dlr', survivorsOnly: false } as const
  expect(withApplicableLosses([dlr], 3)).toEqual({ attacks: [dlr], flags: [] })
  const { attacks, flags } = withApplicableLosses([dlr], 2)
  expect(attacks).toEqual([{ ...dlr, loss: 'margin' }])
  expect(flags).toEqual([
    {
      code: 'loss-fallback',
      message: 'The attack fgsm-dlr used the margin loss: dlr needs 3 classes and the model has 2.',
    },
  ])
})

describe('a classifier with one output says class 1 above its threshold and class 0 on it', () => {
  test.each([
    ['one-logit', [-0.1, 0, 0.1, Number.NaN], [0, 0, 1, 2]],
    ['one-probability', [0.49999997, 0.5, 0.50000006, Number.NaN], [0, 0, 1, 2]],
  ] as const)('%s', (kind, values, expected) => {
    const scores = classScores({ type: 'float32', dims: [4, 1], data: Float32Array.from(values) }, kind)
    expect(values.map((_, i) => predictedClass(scores.subarray(2 * i, 2 * i + 2)))).toEqual(expected)
  })

  test('whole numbers of a quantised classifier are read as numbers', () => {
    const data = Int8Array.of(-128, 0, 127)
    expect([...classScores({ type: 'int8', dims: [1, 3], data }, 'logits')]).toEqual([-128, 0, 127])
  })

  test('float16 outputs are read as numbers', () => {
    // IEEE 754 binary16 by hand: 1, −2, the least denormal 2⁻²⁴, the largest 65504, −∞.
    const data = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0xfc00)
    expect([...classScores({ type: 'float16', dims: [1, 5], data }, 'logits')]).toEqual([
      1,
      -2,
      2 ** -24,
      65504,
      -Infinity,
    ])
  })
})
