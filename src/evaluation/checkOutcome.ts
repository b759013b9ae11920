import type { SampleOutcome } from '../engine/messages.js'
import { breaksWithin, hasItsTurn } from '../engine/smallerBalls.js'

interface Ball {
  readonly id: string
  readonly norm: string
  readonly epsilon: number
}

/** What an outcome is held against. */
export interface Expected {
  readonly classes: number
  readonly threats: readonly Ball[]
  /** Those that are run, in the order of the suite. */
  readonly attacks: readonly { readonly id: string; readonly survivorsOnly?: unknown }[]
}

/**
 * Says what in an outcome cannot be, or nothing. A child that ran a stranger's model, or a file that a stranger wrote,
 * may contradict itself; nothing behind this point asks again.
 */
export function contradiction(outcome: SampleOutcome, label: number, expected: Expected): string | undefined {
  const { classes, threats } = expected
  if (outcome.label !== label) return `its label is ${label}, not ${outcome.label}`
  if (outcome.label >= classes) return `label ${outcome.label} is not one of ${classes} classes`
  if (outcome.predicted >= classes) return `prediction ${outcome.predicted} is not one of ${classes} classes`
  const stranger = Object.keys(outcome.threats).find((id) => !threats.some((threat) => threat.id === id))
  if (stranger !== undefined) return `nobody asked for threat ${stranger}`
  for (const threat of threats) {
    const found = ownEntry(outcome.threats, threat.id)
    if (found === undefined) return `threat ${threat.id} is missing`
    const problem = underThreat(outcome, found, threat, expected)
    if (problem !== undefined) return `under ${threat.id}, ${problem}`
  }
  return undefined
}

function underThreat(
  outcome: SampleOutcome,
  { robust, attacks }: SampleOutcome['threats'][string],
  threat: Ball,
  expected: Expected,
): string | undefined {
  const { label, predicted } = outcome
  const correct = predicted === label
  const brokenBy = breakingInSmaller(outcome, threat, expected)
  const stranger = Object.keys(attacks).find((id) => !expected.attacks.some((attack) => attack.id === id))
  if (stranger !== undefined) return `nobody asked for attack ${stranger}`
  let broken = !correct
  for (const attackOfSuite of expected.attacks) {
    const { id } = attackOfSuite
    const attack = ownEntry(attacks, id)
    const due = hasItsTurn(attackOfSuite, broken, brokenBy)
    if (attack === undefined) {
      if (correct && due) return `attack ${id} is missing`
      continue
    }
    if (correct && !due)
      return `attack ${id} is for survivors, and the image was broken ${broken ? 'before' : 'by a smaller ε'}`
    if (attack.predicted >= expected.classes)
      return `${id}'s prediction ${attack.predicted} is not one of ${expected.classes} classes`
    if (!(attack.distance <= threat.epsilon))
      return `${id} left the ball: ${attack.distance} is more than ${threat.epsilon}`
    if (correct && attack.success !== (attack.predicted !== label))
      return `${id} says success: ${attack.success}, with prediction ${attack.predicted} for label ${label}`
    broken ||= attack.success
  }
  if (robust !== !broken) return `robust: ${robust} is not what the attacks say`
  if (robust && brokenBy.size > 0) return 'robust: true is not what a smaller ε says'
  return undefined
}

/** The attacks that broke the image in a smaller ball of the same norm with what breaks it in this one, too. */
function breakingInSmaller({ threats }: SampleOutcome, threat: Ball, expected: Expected): ReadonlySet<string> {
  // As they are run: the smallest first, equal ones in their order.
  const inOrder = expected.threats.toSorted((one, other) => one.epsilon - other.epsilon)
  const ends = inOrder
    .slice(0, inOrder.indexOf(threat))
    .filter(({ norm }) => norm === threat.norm)
    .flatMap(({ id }) => Object.entries(ownEntry(threats, id)?.attacks ?? {}))
  const breaking = ends.filter(([, { success, nearest }]) => breaksWithin(success, nearest, threat.epsilon))
  return new Set(breaking.map(([id]) => id))
}

/** An id like `constructor` must not find what every object inherits. */
function ownEntry<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}
