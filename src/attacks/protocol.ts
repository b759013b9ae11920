import { predictedClass, type Loss } from './losses.js'
import type { Target } from './target.js'

/**
 * How an attack speaks with whoever runs models. An attack is a coroutine for one image: it yields questions, several
 * at once when they do not depend on each other, and is resumed with their answers in the same order. The scheduler
 * answers the questions of many attacks in one batch.
 */
export type Question = GradientQuestion | PredictionQuestion

/** "Loss and gradient at this point?", put to the differentiable surrogate. */
export interface GradientQuestion {
  readonly kind: 'gradient'
  /** float32 [pixels]; must not be written to once asked. */
  readonly point: Float32Array
  readonly loss: Loss
}

/** "What is this?", put to the original: the unmodified bytes of the model. */
export interface PredictionQuestion {
  readonly kind: 'prediction'
  readonly point: Float32Array
}

export type Answer = GradientAnswer | PredictionAnswer

export interface GradientAnswer {
  readonly kind: 'gradient'
  /** The surrogate's, float32 [classes]. */
  readonly logits: Float32Array
  /** The loss, to be ascended. */
  readonly value: number
  /** d loss / d point, float32 [pixels]. */
  readonly gradient: Float32Array
}

export interface PredictionAnswer {
  readonly kind: 'prediction'
  /** The number of classes when every output is NaN: it said none of them. */
  readonly predicted: number
  /** The original's outputs, float32 [classes]: logits, or logarithms of probabilities. `predicted` is not read off them. */
  readonly logits: Float32Array
}

/** A piece of an attack: asks, is answered, returns. */
export type Asking<Result> = Generator<readonly Question[], Result, readonly Answer[]>

/** The point an attack ends with. It is a witness when `success`: the original itself was fooled by it. */
export interface AttackResult {
  readonly success: boolean
  /** By the original, at `point`. */
  readonly predicted: number
  readonly point: Float32Array
  /** Of attacks that look for the least distance: the nearest point that fooled the original, inside the ball or beyond. */
  readonly nearest?: NearestPoint
  /** The loss had not settled when the attack ended: it rose within the last tenth of its steps. */
  readonly rising?: boolean
}

export interface NearestPoint {
  readonly point: Float32Array
  readonly predicted: number
  /** In the threat's norm. */
  readonly distance: number
}

export type Attack = Asking<AttackResult>

/** Asks for loss and gradient at one point. */
export function* gradientAt(point: Float32Array, loss: Loss): Asking<GradientAnswer> {
  const [answer] = yield [{ kind: 'gradient', point, loss }]
  return asGradient(answer)
}

/** Asks for loss and gradient at several points at once. */
export function* gradientsAt(
  questions: readonly { readonly point: Float32Array; readonly loss: Loss }[],
): Asking<readonly GradientAnswer[]> {
  const answers = yield questions.map(({ point, loss }) => ({ kind: 'gradient', point, loss }))
  return answers.map(asGradient)
}

/** Asks the original about one point. */
export function* predictionAt(point: Float32Array): Asking<PredictionAnswer> {
  const [answer] = yield [{ kind: 'prediction', point }]
  return asPrediction(answer)
}

/** Asks the original about several points at once. */
export function* predictionsAt(points: readonly Float32Array[]): Asking<readonly PredictionAnswer[]> {
  const answers = yield points.map((point) => ({ kind: 'prediction', point }))
  return answers.map(asPrediction)
}

/** Puts a point of the ball to the original, in the form in which a witness has to stand: its word alone makes one. */
export function* replay({ threat, label }: Target, candidate: Float32Array): Attack {
  const point = threat.witness(candidate)
  const { predicted } = yield* predictionAt(point)
  return { success: predicted !== label, predicted, point }
}

/**
 * Loss and gradient at a point, and the witness it is, if it is one: only where the surrogate is fooled is the
 * original asked, and where the original is not fooled the attack goes on.
 */
export function* probe(
  target: Target,
  point: Float32Array,
  loss: Loss,
): Asking<{ readonly at: GradientAnswer; readonly witness?: AttackResult }> {
  const at = yield* gradientAt(point, loss)
  if (predictedClass(at.logits) === target.label) return { at }
  const replayed = yield* replay(target, point)
  return replayed.success ? { at, witness: replayed } : { at }
}

function asGradient(answer: Answer): GradientAnswer {
  if (answer?.kind !== 'gradient') throw new TypeError('A question for a gradient was not answered with one.')
  return answer
}

function asPrediction(answer: Answer): PredictionAnswer {
  if (answer?.kind !== 'prediction') throw new TypeError('A question for a prediction was not answered with one.')
  return answer
}
