import type { CarliniWagnerSpec } from '../config/attackTypes.js'
import { replay, type Attack } from './protocol.js'
import type { Target } from './target.js'

export function* carliniWagner(target: Target, _spec: CarliniWagnerSpec): Attack {
  return yield* replay(target, target.threat.image)
}
