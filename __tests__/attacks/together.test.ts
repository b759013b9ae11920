import { expect, test } from '@jest/globals'
import { predictionAt, predictionsAt, type Asking } from '../../src/attacks/protocol.js'
import { together } from '../../src/attacks/together.js'
import { linearClasses } from './support/linearClasses.js'
import { answerTo } from './support/linear.js'

/** Logits [0, x]: what a piece is answered tells which question the answer belongs to. */
const echo = linearClasses([[0], [1]], [0, 0])

/** Asks about `first`, `first + 1`, … in so many steps, and about the point and its negative in its last step. */
function* piece(first: number, steps: number): Asking<number[]> {
  const heard: number[] = []
  for (let step = 0; step < steps; step++) heard.push((yield* predictionAt(Float32Array.of(first + step))).logits[1])
  const answers = yield* predictionsAt([Float32Array.of(first), Float32Array.of(-first)])
  return [...heard, ...answers.map(({ logits }) => logits[1])]
}

/** The points of each breath. */
function breaths<Result>(asking: Asking<Result>): { result: Result; asked: number[][] } {
  const asked: number[][] = []
  let next = asking.next([])
  while (!next.done) {
    asked.push(next.value.map(({ point }) => point[0]))
    next = asking.next(next.value.map((question) => answerTo(question, echo)))
  }
  return { result: next.value, asked }
}

test('pieces of different length ask together, and each hears the answers to its own questions', () => {
  const { result, asked } = breaths(together([piece(10, 0), piece(20, 2), piece(30, 1)], 9))
  expect(asked).toEqual([
    [10, -10, 20, 30],
    [21, 30, -30],
    [20, -20],
  ])
  expect(result).toEqual([
    [10, -10],
    [20, 21, 20, -20],
    [30, 30, -30],
  ])
})

test('no more of them than allowed run at a time, and the answers are the same', () => {
  const { result, asked } = breaths(together([piece(10, 0), piece(20, 2), piece(30, 1)], 2))
  expect(asked).toEqual([
    [10, -10, 20],
    [21, 30],
    [20, -20, 30, -30],
  ])
  expect(result).toEqual(breaths(together([piece(10, 0), piece(20, 2), piece(30, 1)], 1)).result)
})

test('nothing to run is nothing to ask', () => {
  expect(breaths(together([], 3))).toEqual({ result: [], asked: [] })
})
