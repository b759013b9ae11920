import type { DdnSpec } from '../config/attackTypes.js'
import { replay, type Attack } from './protocol.js'
import type { Target } from './target.js'

export function* ddn(target: Target, _spec: DdnSpec): Attack {
  return yield* replay(target, target.threat.image)
}
