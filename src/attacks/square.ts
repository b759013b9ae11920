import type { SquareSpec } from '../config/attackTypes.js'
import { replay, type Attack } from './protocol.js'
import type { RandomSource } from './random.js'
import type { Target } from './target.js'

export function* square(target: Target, _spec: SquareSpec, _random: RandomSource): Attack {
  return yield* replay(target, target.threat.image)
}
