import type { AttackSpec } from '../config/attackTypes.js'
import { leastClasses } from '../attacks/losses.js'
import type { HeadLoss } from '../autodiff/lossHead.js'
import type { Flag } from './messages.js'

/**
 * The losses that attacks may come to ask for: theirs, and the margin loss, which may take the place of DLR and is what a
 * diagnosis ascends. Undefined, all there are, when no attack is named.
 */
export function lossesOf(attacks: readonly AttackSpec[]): readonly HeadLoss[] | undefined {
  if (attacks.length === 0) return undefined
  return [...new Set([...attacks.flatMap(lossesOfAttack), 'margin' as const])]
}

/** What one attack ascends. */
function lossesOfAttack(attack: AttackSpec): readonly HeadLoss[] {
  switch (attack.name) {
    case 'fgsm':
    case 'pgd':
    case 'bim':
    case 'mi-fgsm':
    case 'apgd':
      return [attack.loss]
    case 'apgd-t':
      // Linear where only the logits are asked for: to rank the targets.
      return ['targeted-dlr', 'linear']
    case 'fab':
    case 'fab-t':
    case 'deepfool':
      return ['linear']
    case 'cw':
      return ['margin']
    case 'ddn':
      return ['cross-entropy']
    case 'square':
    case 'noise':
      return []
  }
}

/**
 * The attacks as they can be run on a model with so many classes: where a loss needs more of them the margin loss takes
 * its place, and a flag says so.
 */
export function withApplicableLosses(
  attacks: readonly AttackSpec[],
  classes: number,
): { readonly attacks: readonly AttackSpec[]; readonly flags: readonly Flag[] } {
  const flags = attacks.flatMap((attack): readonly Flag[] => {
    const [loss] = unfitLosses(attack, classes)
    if (loss === undefined) return []
    const message = `The attack ${attack.id} used the margin loss: ${loss} needs ${leastClasses[loss]} classes and the model has ${classes}.`
    return [{ code: 'loss-fallback', message }]
  })
  return {
    // Of targeted DLR the gradient model itself makes a margin, towards the target.
    attacks: attacks.map((attack) =>
      'loss' in attack && unfitLosses(attack, classes).length > 0 ? { ...attack, loss: 'margin' } : attack,
    ),
    flags,
  }
}

function unfitLosses(attack: AttackSpec, classes: number): readonly HeadLoss[] {
  return lossesOfAttack(attack).filter((loss) => classes < leastClasses[loss])
}
