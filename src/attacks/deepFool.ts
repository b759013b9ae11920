import type { DeepFoolSpec } from '../config/attackTypes.js'
import { replay, type Attack } from './protocol.js'
import type { Target } from './target.js'

export function* deepFool(target: Target, _spec: DeepFoolSpec): Attack {
  return yield* replay(target, target.threat.image)
}
