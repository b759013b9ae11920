import type { AttackSpec } from '../config/types.js'
import { leastClasses } from '../attacks/losses.js'
import type { Flag } from './messages.js'

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
