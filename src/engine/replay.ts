import { predictionAt, type Asking } from '../attacks/protocol.js'
import type { ImageTask } from './messages.js'

/** What the original says at a point. */
export interface Replayed {
  readonly index: number
  /** The number of classes when it says none of them. */
  readonly predicted: number
}

/** Asks the original, and nobody else, about one point. */
export function* replayPoint({ index, pixels }: ImageTask): Asking<Replayed> {
  const { predicted } = yield* predictionAt(pixels)
  return { index, predicted }
}
