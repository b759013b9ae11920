import type { ApgdSpec, AttackSpec } from '../config/attackTypes.js'
import type { Norm, ThreatSpec } from '../config/types.js'
import { attacksRun, withFallback } from '../engine/attacksRun.js'
import { isAscent, longerSteps } from '../engine/diagnosis.js'

/** Questions that an image's attacks ask at most. */
export interface Cost {
  readonly gradients: number
  readonly forwards: number
}

export interface Asked {
  readonly attacks: readonly AttackSpec[]
  readonly threats: readonly ThreatSpec[]
  readonly classes: number
  /** Whether the model has one. */
  readonly gradient: boolean
}

/**
 * What one image costs that the model is right on and that withstands every attack, an upper bound: an image that breaks
 * costs less, or as much where search alone does and attacks for survivors have their turn all the same; one on which the
 * model is wrong costs next to nothing.
 *
 * @param diagnosed - The image is one of those that are looked at more closely.
 */
export function mostPerImage(asked: Asked, diagnosed: boolean): Cost {
  const { threats, classes, gradient } = asked
  const attacks = attacksRun(withFallback(asked.attacks, gradient), gradient)
  const suite = threats.flatMap(({ norm }) => attacks.map((attack) => mostOf(attack, norm, classes)))
  const closer = diagnosed ? [closerLook({ ...asked, attacks })] : []
  return total([{ gradients: 0, forwards: 1 }, ...suite, ...closer])
}

export function total(costs: readonly Cost[]): Cost {
  return costs.reduce<Cost>(
    (sum, { gradients, forwards }) => ({ gradients: sum.gradients + gradients, forwards: sum.forwards + forwards }),
    { gradients: 0, forwards: 0 },
  )
}

/** Of an attack that ends with a search between two points, and a last replay. */
const SHORTEN = 8

function mostOf(attack: AttackSpec, norm: Norm, classes: number): Cost {
  const rivals = classes - 1
  switch (attack.name) {
    case 'fgsm':
      return { gradients: 1, forwards: 1 }
    case 'pgd':
      return { gradients: attack.steps * attack.restarts, forwards: (attack.steps + 1) * attack.restarts }
    case 'bim':
    case 'mi-fgsm':
      return { gradients: attack.steps, forwards: attack.steps + 1 }
    case 'apgd':
      return ascents(attack, norm, attack.restarts[norm])
    case 'apgd-t': {
      const climbs = ascents(attack, norm, attack.restarts[norm] * Math.min(attack.targets[norm], rivals))
      return { ...climbs, gradients: climbs.gradients + 1 }
    }
    case 'fab':
      return descents(attack.steps * attack.restarts, rivals)
    case 'fab-t':
      return descents(attack.steps * attack.restarts * Math.min(attack.targets, rivals), 1)
    case 'deepfool':
      return descents(attack.steps, Math.min(attack.candidates - 1, rivals))
    case 'cw':
      return descents(attack.steps * attack.binarySearchSteps, 1)
    case 'ddn':
      return descents(attack.steps, 1)
    case 'square':
      return { gradients: 0, forwards: attack.queries * attack.restarts }
    case 'noise':
      return { gradients: 0, forwards: attack.points }
  }
}

/** Through larger balls, as always under L1, an ascent is three, of which each asks at its start. */
function ascents(
  { steps, eot, largerBalls }: Pick<ApgdSpec, 'steps' | 'eot' | 'largerBalls'>,
  norm: Norm,
  number: number,
): Cost {
  const points = number * (steps + (largerBalls || norm === 'l1' ? 3 : 1))
  return { gradients: points * eot, forwards: points + 1 }
}

/** One gradient more, for the likeliest classes. */
function descents(steps: number, rivals: number): Cost {
  return { gradients: 1 + steps * rivals, forwards: steps + SHORTEN }
}

/** Steps of the ascent in a ball that holds every image. */
const HUGE = 20

/** What src/engine/diagnosis.ts asks beyond the suite. */
function closerLook({ attacks, threats, gradient, classes }: Asked): Cost {
  if (!gradient) return { gradients: 0, forwards: 8 }
  const longer = longerSteps(attacks) * threats.length
  const norms = [...new Set(threats.map(({ norm }) => norm))]
  const [cheapest] = attacks.filter(isAscent).toSorted((one, other) => one.steps - other.steps)
  const again = cheapest ? total(norms.map((norm) => mostOf(cheapest, norm, classes))).gradients : 0
  const gradients = longer + HUGE + again
  // The square attack, where the suite has none, asks a hundred times.
  return { gradients, forwards: gradients + 100 * threats.length + 8 }
}
