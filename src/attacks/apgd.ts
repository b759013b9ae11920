import type { ApgdSpec, ApgdTargetedSpec } from '../config/attackTypes.js'
import { replay, type Attack } from './protocol.js'
import type { RandomSource } from './random.js'
import type { Target } from './target.js'

export function* apgd(target: Target, _spec: ApgdSpec, _random: RandomSource): Attack {
  return yield* replay(target, target.threat.image)
}

export function* apgdTargeted(target: Target, _spec: ApgdTargetedSpec, _random: RandomSource): Attack {
  return yield* replay(target, target.threat.image)
}
