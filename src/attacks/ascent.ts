import { predictedClass, type Loss } from './losses.js'
import { gradientsAt, replay, type Asking, type AttackResult } from './protocol.js'
import { stillRising } from './rising.js'
import type { Target } from './target.js'

/** The highest point of an ascent so far. */
export interface Summit {
  readonly point: Float32Array
  readonly loss: number
  readonly gradient: Float32Array
}

/** How an ascent moves, made anew for each: its step size and what it remembers. */
export interface Pace {
  step(point: Float32Array, gradient: Float32Array): Float32Array
  /**
   * To be told of each step, in order: the loss where it ended and the summit.
   *
   * @returns whether to go on from the summit
   */
  after(loss: number, summit: Summit): boolean
}

export interface Ascent {
  readonly witness?: AttackResult
  readonly summit: Summit
  /** The loss had not settled. */
  readonly rising: boolean
}

export interface AscentOptions {
  readonly loss: Loss
  readonly start: Float32Array
  readonly steps: number
  /** Answers averaged at every point. */
  readonly eot: number
  /** Whom to fool; undefined on the way to a start, outside the ball. */
  readonly target?: Target
  readonly paceFrom: (start: Summit) => Pace
}

/**
 * Gradient ascent on a loss from one start, at a pace that may send it back to the summit (Croce and Hein 2020,
 * algorithm 1). It asks at the start and after every step, steps + 1 times `eot` questions, and ends at the first witness.
 */
export function* ascend(options: AscentOptions): Asking<Ascent> {
  const { start, steps, paceFrom } = options
  let point = start
  let { loss, gradient, witness } = yield* visit(point, options)
  // A copy, written over by later summits: an answer is a view of a whole batch's and would keep that in memory.
  const copy = gradient.slice()
  let summit: Summit = { point, loss, gradient: copy }
  const pace = paceFrom(summit)
  const losses = [loss]

  for (let step = 1; step <= steps && !witness; step++) {
    point = pace.step(point, gradient)
    ;({ loss, gradient, witness } = yield* visit(point, options))
    if (loss > summit.loss) {
      copy.set(gradient)
      summit = { point, loss, gradient: copy }
    }
    losses.push(loss)
    if (pace.after(loss, summit)) ({ point, gradient } = summit)
  }
  return { summit, rising: stillRising(losses), ...(witness && { witness }) }
}

/** Mean loss and gradient at a point, and the witness it is, if it is one. */
function* visit(
  point: Float32Array,
  { loss, eot, target }: AscentOptions,
): Asking<{ readonly loss: number; readonly gradient: Float32Array; readonly witness?: AttackResult }> {
  const answers = yield* gradientsAt(new Array<{ point: Float32Array; loss: Loss }>(eot).fill({ point, loss }))
  const value = answers.reduce((sum, answer) => sum + answer.value, 0) / eot
  const at = {
    // NaN is no height: whatever comes after is above it.
    loss: Number.isNaN(value) ? -Infinity : value,
    gradient: mean(answers.map(({ gradient }) => gradient)),
  }
  if (!target || predictedClass(mean(answers.map(({ logits }) => logits))) === target.label) return at
  const replayed = yield* replay(target, point)
  return replayed.success ? { ...at, witness: replayed } : at
}

function mean(vectors: readonly Float32Array[]): Float32Array {
  if (vectors.length === 1) return vectors[0]
  const sum = new Float64Array(vectors[0].length)
  for (const vector of vectors) for (let i = 0; i < sum.length; i++) sum[i] += vector[i]
  return Float32Array.from(sum, (value) => value / vectors.length)
}
