import { describe, expect, test } from '@jest/globals'
import type { Asking, Question } from '../../src/attacks/protocol.js'
import { gradientAt, predictionAt } from '../../src/attacks/protocol.js'
import { Scheduler, type Cost } from '../../src/engine/scheduler.js'
import { answerTo, binaryLinear } from '../attacks/support/linear.js'
import { recordingEngine } from './support/fakeEngine.js'

const model = binaryLinear([2], -1)
const loss = { name: 'margin', label: 0 } as const

/** Asks about the clean image, follows so many gradients, asks about the end: what an attack looks like from here. */
function* walk(name: number, steps: number): Asking<number> {
  yield* predictionAt(Float32Array.of(name))
  for (let step = 0; step < steps; step++) yield* gradientAt(Float32Array.of(name), loss)
  yield* predictionAt(Float32Array.of(name))
  return name
}

const expectAnswer = (question: Question, answer: unknown): void => expect(answer).toEqual(answerTo(question, model))

describe('batches are full, or an evaluation takes many times as long as it must', () => {
  test.each([
    ['attacks of one length', 96, () => 20],
    ['attacks that end at any step', 160, (name: number) => 1 + ((name * 7) % 20)],
  ])('%s', async (_, images, steps) => {
    const { engine, gradients, predictions } = recordingEngine(model, 16)
    const scheduler = new Scheduler<number>(engine, () => undefined)
    await scheduler.run(Array.from({ length: images }, (_, name) => walk(name, steps(name))))
    const total = Array.from({ length: images }, (_, name) => steps(name)).reduce((sum, n) => sum + n, 0)
    expect(gradients.reduce((sum, n) => sum + n, 0)).toBe(total)
    expect(predictions.reduce((sum, n) => sum + n, 0)).toBe(2 * images)
    // Until the queue is empty and fewer than two batches of attacks are left, every batch of gradients is full. Those
    // last 31 attacks take at most 20 gradients each, in step or nearly so: at most two batches for each of their steps.
    const full = gradients.filter((size) => size === 16).length
    expect(full).toBeGreaterThanOrEqual(Math.floor((total - 31 * 20) / 16))
    expect(gradients.length - full).toBeLessThanOrEqual(2 * 20)
  })

  test('with 32 attacks of equal length every single batch is full: 40 of gradients and 4 of predictions', async () => {
    const { engine, gradients, predictions } = recordingEngine(model, 16)
    await new Scheduler(engine, () => undefined).run(Array.from({ length: 32 }, (_, name) => walk(name, 20)))
    expect(gradients).toEqual(new Array(40).fill(16))
    expect(predictions).toEqual(new Array(4).fill(16))
  })

  test('never more than a batch holds, with different batches for original and gradient', async () => {
    const { engine, gradients, predictions } = recordingEngine(model, 4, 16)
    await new Scheduler(engine, () => undefined).run(Array.from({ length: 50 }, (_, name) => walk(name, 3)))
    expect(Math.max(...gradients)).toBe(16)
    expect(Math.max(...predictions)).toBe(4)
  })
})

test('everybody gets the answers to their own questions, also to several that do not fit one batch', async () => {
  function* several(name: number): Asking<number> {
    const questions: Question[] = Array.from({ length: 7 }, (_, i) => {
      const point = Float32Array.of(name + i / 8)
      return i % 2 ? { kind: 'prediction', point } : { kind: 'gradient', point, loss }
    })
    const answers = yield questions
    questions.forEach((question, i) => expectAnswer(question, answers[i]))
    yield []
    return name
  }
  const done: [number, Cost][] = []
  const scheduler = new Scheduler<number>(recordingEngine(model, 3).engine, (name, cost) => done.push([name, cost]))
  await scheduler.run(Array.from({ length: 10 }, (_, name) => several(name)))
  expect(done.map(([name]) => name).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  for (const [, cost] of done) expect(cost).toEqual({ gradients: 4, forwards: 3 })
})

test('an image that is done is reported at once, while the others go on', async () => {
  const events: string[] = []
  const { engine } = recordingEngine(model, 2, 2, () => events.push('gradient'))
  const scheduler = new Scheduler<number>(engine, (name) => events.push(`done ${name}`))
  await scheduler.run([walk(0, 10), walk(1, 0)])
  expect(events.indexOf('done 1')).toBeLessThan(events.indexOf('gradient') + 3)
  expect(events.at(-1)).toBe('done 0')
})

test('images that come while others are under attack join them; an idle scheduler can be started again', async () => {
  const done: number[] = []
  const scheduler: Scheduler<number> = new Scheduler(recordingEngine(model, 2).engine, (name) => {
    if (name === 0 && done.length === 0) void scheduler.run([walk(7, 2)])
    done.push(name)
  })
  await scheduler.run([])
  await scheduler.run([walk(0, 1), walk(1, 5)])
  expect(done.toSorted()).toEqual([0, 1, 7])
  await scheduler.run([walk(2, 1)])
  expect(done).toHaveLength(4)
})

test('the caller learns of an engine that fails', async () => {
  const { engine } = recordingEngine(model, 2)
  const broken = { ...engine, gradient: { batch: 2, answer: () => Promise.reject(new Error('out of memory')) } }
  await expect(new Scheduler(broken, () => undefined).run([walk(0, 1)])).rejects.toThrow('out of memory')
})
