import { setImmediate } from 'node:timers/promises'
import type {
  Answer,
  Asking,
  GradientAnswer,
  GradientQuestion,
  PredictionAnswer,
  PredictionQuestion,
} from '../attacks/protocol.js'

/** Answers a batch of questions of one kind, in order. No more questions than its `batch` are put at once. */
export interface Oracle<Q, A> {
  readonly batch: number
  answer(questions: readonly Q[]): Promise<readonly A[]>
}

export interface Engine {
  /** The original model. */
  readonly prediction: Oracle<PredictionQuestion, PredictionAnswer>
  /** The surrogate with its gradient. */
  readonly gradient: Oracle<GradientQuestion, GradientAnswer>
}

/** How many questions one coroutine has put. */
export interface Cost {
  readonly gradients: number
  readonly forwards: number
}

interface Job<Result> {
  readonly coroutine: Asking<Result>
  answers: Answer[]
  missing: number
  gradients: number
  forwards: number
}

interface Waiting<Q, Result> {
  readonly job: Job<Result>
  readonly place: number
  readonly question: Q
}

/**
 * Runs coroutines side by side so that the batches of the engine are full. Twice as many are in flight as a batch
 * holds: as each of them waits for a gradient or for a prediction, one kind then has a batch full until the queue
 * runs dry. A coroutine that returns is handed on at once and the next in the queue takes its place. Which questions
 * share a batch has no influence on an answer, so neither have order, batch and the number of schedulers on a result.
 */
export class Scheduler<Result> {
  readonly #engine: Engine
  readonly #emit: (result: Result, cost: Cost) => void
  readonly #queue: Asking<Result>[] = []
  readonly #predictions: Waiting<PredictionQuestion, Result>[] = []
  readonly #gradients: Waiting<GradientQuestion, Result>[] = []
  #inFlight = 0
  #running: Promise<void> | undefined

  constructor(engine: Engine, emit: (result: Result, cost: Cost) => void) {
    this.#engine = engine
    this.#emit = emit
  }

  /** Queues coroutines; may be called while others run. Resolves when the queue is empty; rejects with the first error. */
  run(coroutines: Iterable<Asking<Result>>): Promise<void> {
    for (const coroutine of coroutines) this.#queue.push(coroutine)
    this.#running ??= this.#drain()
    return this.#running
  }

  async #drain(): Promise<void> {
    for (;;) {
      // A batch is native code that blocks: between two of them messages come in and outcomes go out.
      await setImmediate()
      this.#admit()
      if (this.#inFlight === 0) {
        this.#running = undefined
        return
      }
      if (this.#predictionsFirst()) await answerBatch(this.#predictions, this.#engine.prediction, this.#resume)
      else await answerBatch(this.#gradients, this.#engine.gradient, this.#resume)
    }
  }

  #admit(): void {
    const most = 2 * Math.max(this.#engine.gradient.batch, this.#engine.prediction.batch)
    while (this.#inFlight < most) {
      const coroutine = this.#queue.shift()
      if (!coroutine) return
      this.#inFlight++
      this.#resume({ coroutine, answers: [], missing: 0, gradients: 0, forwards: 0 })
    }
  }

  /**
   * A full batch of gradients goes first. At the end of the queue nothing is full: a prediction costs less than half of
   * a gradient, and who waits for one is missing from the batches of gradients, so predictions go once they are
   * a quarter as many.
   */
  #predictionsFirst(): boolean {
    const { gradient, prediction } = this.#engine
    if (this.#gradients.length >= gradient.batch) return false
    return (
      this.#predictions.length >= prediction.batch ||
      (this.#predictions.length > 0 && 4 * this.#predictions.length >= this.#gradients.length)
    )
  }

  readonly #resume = (job: Job<Result>): void => {
    // A coroutine that asks nothing is resumed at once.
    do {
      const next = job.coroutine.next(job.answers)
      if (next.done) {
        this.#inFlight--
        this.#emit(next.value, { gradients: job.gradients, forwards: job.forwards })
        return
      }
      job.answers = new Array<Answer>(next.value.length)
      job.missing = next.value.length
      for (const [place, question] of next.value.entries()) {
        if (question.kind === 'gradient') {
          job.gradients++
          this.#gradients.push({ job, place, question })
        } else {
          job.forwards++
          this.#predictions.push({ job, place, question })
        }
      }
    } while (job.missing === 0)
  }
}

/** Takes a batch from the front of those who wait, has it answered, and resumes whoever has all answers. */
async function answerBatch<Q, A extends Answer, Result>(
  waiting: Waiting<Q, Result>[],
  oracle: Oracle<Q, A>,
  resume: (job: Job<Result>) => void,
): Promise<void> {
  const batch = waiting.splice(0, oracle.batch)
  const answers = await oracle.answer(batch.map(({ question }) => question))
  for (let i = 0; i < batch.length; i++) {
    const { job, place } = batch[i]
    job.answers[place] = answers[i]
    if (--job.missing === 0) resume(job)
  }
}
