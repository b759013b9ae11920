import type { AttackSpec } from '../config/types.js'
import { fgsm } from './fgsm.js'
import { pgd } from './pgd.js'
import type { Attack } from './protocol.js'
import type { RandomSource } from './random.js'
import type { ThreatModel } from './threat.js'

/** The attack a suite names, ready to run on one image. A new attack is a file of its own and an entry here. */
export function attackFor(spec: AttackSpec, threat: ThreatModel, label: number, random: RandomSource): Attack {
  switch (spec.name) {
    case 'fgsm':
      return fgsm(threat, label, spec)
    case 'pgd':
      return pgd(threat, label, spec, random)
  }
}
