import type { AttackSpec } from '../config/attackTypes.js'
import { apgd, apgdTargeted } from './apgd.js'
import { bim } from './bim.js'
import { carliniWagner } from './carliniWagner.js'
import { ddn } from './ddn.js'
import { deepFool } from './deepFool.js'
import { fab, fabTargeted } from './fab.js'
import { fgsm } from './fgsm.js'
import { miFgsm } from './miFgsm.js'
import { noise } from './noise.js'
import { pgd } from './pgd.js'
import type { Attack } from './protocol.js'
import type { RandomSource } from './random.js'
import { square } from './square.js'
import type { Target } from './target.js'

/** The attack a suite names, ready to run on one image. A new attack is a file of its own and an entry here. */
export function attackFor(spec: AttackSpec, target: Target, random: RandomSource): Attack {
  switch (spec.name) {
    case 'fgsm':
      return fgsm(target, spec)
    case 'pgd':
      return pgd(target, spec, random)
    case 'bim':
      return bim(target, spec)
    case 'mi-fgsm':
      return miFgsm(target, spec)
    case 'apgd':
      return apgd(target, spec, random)
    case 'apgd-t':
      return apgdTargeted(target, spec, random)
    case 'fab':
      return fab(target, spec, random)
    case 'fab-t':
      return fabTargeted(target, spec, random)
    case 'square':
      return square(target, spec, random)
    case 'deepfool':
      return deepFool(target, spec)
    case 'cw':
      return carliniWagner(target, spec)
    case 'ddn':
      return ddn(target, spec)
    case 'noise':
      return noise(target, spec, random)
  }
}
