import type { MiFgsmSpec } from '../config/attackTypes.js'
import { replay, type Attack } from './protocol.js'
import type { Target } from './target.js'

export function* miFgsm(target: Target, _spec: MiFgsmSpec): Attack {
  return yield* replay(target, target.threat.image)
}
