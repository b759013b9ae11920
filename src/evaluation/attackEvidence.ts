import { needsGradient } from '../engine/attacksRun.js'
import type { SampleOutcome } from '../engine/messages.js'

export interface NamedAttack {
  readonly id: string
  readonly name: string
}

/** By what they do to one image; an attack may be in none of them. */
const ONE_STEP: ReadonlySet<string> = new Set(['fgsm'])
const MANY_STEPS: ReadonlySet<string> = new Set(['pgd', 'bim', 'mi-fgsm', 'apgd', 'apgd-t'])

export function hasGradientFree(attacks: readonly NamedAttack[]): boolean {
  return attacks.some((attack) => !needsGradient(attack))
}

/** Under some threat search without gradients broke the image, and all attacks with gradients that were tried did not. */
export function beatenWithoutGradient(sample: SampleOutcome, attacks: readonly NamedAttack[]): boolean {
  return isBeaten(sample, attacks, (attack) => !needsGradient(attack), needsGradient)
}

/** Under some threat one step broke the image, and all attacks of many steps that were tried did not. */
export function beatenByOneStep(sample: SampleOutcome, attacks: readonly NamedAttack[]): boolean {
  return isBeaten(
    sample,
    attacks,
    ({ name }) => ONE_STEP.has(name),
    ({ name }) => MANY_STEPS.has(name),
  )
}

function isBeaten(
  { threats }: SampleOutcome,
  attacks: readonly NamedAttack[],
  isSimple: (attack: NamedAttack) => boolean,
  isStrong: (attack: NamedAttack) => boolean,
): boolean {
  return Object.values(threats).some(({ attacks: outcomes }) => {
    const successes = (of: (attack: NamedAttack) => boolean): readonly boolean[] =>
      attacks.filter((attack) => of(attack) && Object.hasOwn(outcomes, attack.id)).map(({ id }) => outcomes[id].success)
    const strong = successes(isStrong)
    return successes(isSimple).includes(true) && strong.length > 0 && !strong.includes(true)
  })
}
