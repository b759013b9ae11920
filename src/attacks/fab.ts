import type { FabSpec, FabTargetedSpec } from '../config/attackTypes.js'
import { replay, type Attack } from './protocol.js'
import type { RandomSource } from './random.js'
import type { Target } from './target.js'

export function* fab(target: Target, _spec: FabSpec, _random: RandomSource): Attack {
  return yield* replay(target, target.threat.image)
}

export function* fabTargeted(target: Target, _spec: FabTargetedSpec, _random: RandomSource): Attack {
  return yield* replay(target, target.threat.image)
}
