import type { GradientAnswer, PredictionAnswer } from '../../../src/attacks/protocol.js'
import type { Engine } from '../../../src/engine/scheduler.js'
import { answerTo, type FakeModel } from '../../attacks/support/linear.js'

/** An engine without a runtime that keeps the sizes of the batches it was given. */
export function recordingEngine(
  model: FakeModel,
  predictionBatch: number,
  gradientBatch = predictionBatch,
  onGradients: () => void = () => undefined,
): { engine: Engine; predictions: number[]; gradients: number[] } {
  const predictions: number[] = []
  const gradients: number[] = []
  const engine: Engine = {
    prediction: {
      batch: predictionBatch,
      answer(questions) {
        predictions.push(questions.length)
        return Promise.resolve(questions.map((question) => answerTo(question, model) as PredictionAnswer))
      },
    },
    gradient: {
      batch: gradientBatch,
      answer(questions) {
        gradients.push(questions.length)
        onGradients()
        return Promise.resolve(questions.map((question) => answerTo(question, model) as GradientAnswer))
      },
    },
  }
  return { engine, predictions, gradients }
}
