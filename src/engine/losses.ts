import type { AttackSpec, LossName } from '../config/types.js'
import { leastClasses } from '../attacks/losses.js'
import type { Flag } from './messages.js'

/**
 * The losses that attacks may come to ask for: theirs, and the margin loss that may take the place of DLR. Undefined,
 * all there are, when no attack is named.
 */
export function lossesOf(attacks: readonly AttackSpec[]): readonly LossName[] | undefined {
  if (attacks.length === 0) return undefined
  const losses = attacks.map(({ loss }) => loss)
  return [...new Set([...losses, ...(losses.includes('dlr') ? (['margin'] as const) : [])])]
}

/**
 * The attacks as they can be run on a model with so many classes: where a loss needs more of them the margin loss takes
 * its place, and a flag says so.
 */
export function withApplicableLosses(
  attacks: readonly AttackSpec[],
  classes: number,
): { readonly attacks: readonly AttackSpec[]; readonly flags: readonly Flag[] } {
  const unfit = attacks.filter(({ loss }) => classes < leastClasses[loss])
  return {
    attacks: attacks.map((attack) => (unfit.includes(attack) ? { ...attack, loss: 'margin' } : attack)),
    flags: unfit.map(({ id, loss }) => ({
      code: 'loss-fallback',
      message: `The attack ${id} used the margin loss: ${loss} needs ${leastClasses[loss]} classes and the model has ${classes}.`,
    })),
  }
}
