import type { Random } from './random.js'

/** Where a random search looks: points of the ball. */
export interface Proposals {
  start(random: Random): Float32Array
  /** Not far from the best point so far: about `share` of the cells are changed. */
  next(best: Float32Array, share: number, random: Random): Float32Array
}

export function randomSign(random: Random): 1 | -1 {
  return random.uniform() < 0.5 ? -1 : 1
}
