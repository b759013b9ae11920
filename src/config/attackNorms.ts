import { UsageError } from '../errors.js'
import type { AttackName } from './attackTypes.js'
import type { Norm, Suite, ThreatSpec } from './types.js'

/** Attacks that are defined in one norm only. */
const onlyNorm: Partial<Readonly<Record<AttackName, Norm>>> = { cw: 'l2', ddn: 'l2' }

/** @throws UsageError when an attack of the suite is not defined in the norm of a threat. */
export function requireDefinedNorms({ attacks }: Suite, threats: readonly ThreatSpec[]): void {
  for (const { id, name } of attacks) {
    const norm = onlyNorm[name]
    const misfit = norm && threats.find((threat) => threat.norm !== norm)
    if (misfit)
      throw new UsageError(
        `the attack ${id} works in ${norm} only; threat ${misfit.id} is ${misfit.norm}; take one of them out`,
      )
  }
}
