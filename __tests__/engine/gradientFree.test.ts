import { expect, test } from '@jest/globals'
import { published } from '../../src/config/attackSchemas.js'
import { evaluateImage, type ImageResult } from '../../src/engine/image.js'
import { loadModel } from '../../src/engine/load.js'
import { Scheduler } from '../../src/engine/scheduler.js'
import { dataset, imagesOf, loadRequest } from './support/fixtures.js'

const data = dataset('fashion/fashion-test.npz', 8)
const attacks = [published('noise', { points: 20 }), published('square', { queries: 300 })]

// Exported with a batch of 1 and a Softmax at its end; labels are what the model says, for it was never trained.
test.each(['linf', 'l2', 'l1'] as const)(
  '%s: a suite without gradients breaks a model that gives probabilities, one image at a time',
  async (norm) => {
    const epsilon = { linf: 0.3, l2: 6, l1: 80 }[norm]
    const threats = [{ id: 'threat', norm, epsilon }]
    const { engine, plan } = await loadModel(
      loadRequest('models/softmax-dynamo-18-fixed.onnx', data, { attacks, threats, batch: 16 }),
    )
    expect(engine.prediction.batch).toBe(1)
    const images = imagesOf(data)
    const labels: number[] = []
    for (const { pixels } of images) {
      const [{ predicted }] = await engine.prediction.answer([{ kind: 'prediction', point: pixels }])
      labels.push(predicted)
    }

    const results: ImageResult[] = []
    let gradients = 0
    const scheduler = new Scheduler<ImageResult>(engine, (result, cost) => {
      results.push(result)
      gradients += cost.gradients
    })
    await scheduler.run(images.map((task, i) => evaluateImage({ ...task, label: labels[i] }, plan)))
    expect(gradients).toBe(0)

    const broken = results.filter(({ outcome }) => outcome.threats.threat.attacks.square.success)
    expect(broken).toHaveLength(images.length)
    for (const { outcome, witnesses } of broken) {
      const [{ predicted }] = await engine.prediction.answer([{ kind: 'prediction', point: witnesses.threat }])
      expect(predicted).not.toBe(outcome.label)
    }
  },
)
