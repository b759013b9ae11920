import { predictedClass, type Loss } from '../../../src/attacks/losses.js'
import type { Answer, Asking, Question } from '../../../src/attacks/protocol.js'

/** A model written as functions: what the surrogate and what the original says of a point. */
export interface FakeModel {
  gradient(point: Float32Array, loss: Loss): { logits: Float32Array; value: number; gradient: Float32Array }
  predict(point: Float32Array): Float32Array
}

export function answerTo(question: Question, model: FakeModel): Answer {
  if (question.kind === 'gradient') return { kind: 'gradient', ...model.gradient(question.point, question.loss) }
  const logits = model.predict(question.point)
  return { kind: 'prediction', predicted: predictedClass(logits), logits }
}

/** Runs one coroutine to its end and keeps every question it put. */
export function converse<Result>(coroutine: Asking<Result>, model: FakeModel): { result: Result; asked: Question[] } {
  const asked: Question[] = []
  let next = coroutine.next([])
  while (!next.done) {
    asked.push(...next.value)
    next = coroutine.next(next.value.map((question) => answerTo(question, model)))
  }
  return { result: next.value, asked }
}

/**
 * The binary classifier with logits [0, w·x + b], and the gradient of its cross-entropy by hand: with p = σ(w·x + b) it
 * is p·w for label 0 and (p − 1)·w for label 1. Of the margin: ±w.
 */
export function binaryLinear(weights: readonly number[], bias: number): FakeModel {
  const logits = (point: Float32Array): Float32Array =>
    Float32Array.of(
      0,
      weights.reduce((sum, w, i) => sum + w * point[i], bias),
    )
  return {
    predict: logits,
    gradient(point, loss) {
      const z = logits(point)
      if (loss.name === 'linear') throw new Error('not needed here')
      const p = 1 / (1 + Math.exp(-z[1]))
      const factor = loss.name === 'cross-entropy' ? p - loss.label : loss.label === 0 ? 1 : -1
      const value =
        loss.name === 'cross-entropy' ? -Math.log(loss.label === 1 ? p : 1 - p) : loss.label === 0 ? z[1] : -z[1]
      return { logits: z, value, gradient: Float32Array.from(weights, (w) => factor * w) }
    },
  }
}
