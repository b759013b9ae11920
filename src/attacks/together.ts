import type { Answer, Asking, Question } from './protocol.js'

interface Piece<Result> {
  readonly asking: Asking<Result>
  readonly place: number
  /** What it asked last. */
  readonly questions: readonly Question[]
}

/**
 * Runs pieces of an attack side by side: what they ask goes out in one breath, so that the last few images of an
 * evaluation fill a batch, too. When one ends the next starts.
 *
 * @param width how many run at a time, at least 1
 * @returns their results, in the order of the pieces
 */
export function* together<Result>(pieces: readonly Asking<Result>[], width: number): Asking<readonly Result[]> {
  const results = new Array<Result>(pieces.length)
  const queue = [...pieces.entries()]
  let waiting: Piece<Result>[] = []
  let answers: readonly Answer[] = []
  for (;;) {
    const asked: Piece<Result>[] = []
    const resume = (asking: Asking<Result>, place: number, own: readonly Answer[]): void => {
      const next = asking.next(own)
      if (next.done) results[place] = next.value
      else asked.push({ asking, place, questions: next.value })
    }
    let heard = 0
    for (const { asking, place, questions } of waiting)
      resume(asking, place, answers.slice(heard, (heard += questions.length)))
    while (asked.length < width) {
      const next = queue.shift()
      if (!next) break
      resume(next[1], next[0], [])
    }
    if (asked.length === 0) return results
    waiting = asked
    answers = yield waiting.flatMap(({ questions }) => questions)
  }
}
