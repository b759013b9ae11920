import type { BimSpec } from '../config/attackTypes.js'
import { replay, type Attack } from './protocol.js'
import type { Target } from './target.js'

export function* bim(target: Target, _spec: BimSpec): Attack {
  return yield* replay(target, target.threat.image)
}
