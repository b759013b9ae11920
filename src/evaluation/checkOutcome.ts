import type { SampleOutcome } from '../engine/messages.js'

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
  const brokenBefore = breaksInSmaller(outcome, threat, expected)
  const stranger = Object.keys(attacks).find((id) => !expected.attacks.some((attack) => attack.id === id))
  if (stranger !== undefined) return `nobody asked for attack ${stranger}`
  let broken = !correct
  for (const { id, survivorsOnly } of expected.attacks) {
    const attack = ownEntry(attacks, id)
    const due = !(survivorsOnly === true && broken)
    if (attack === undefined) {
      if (correct && due && !(survivorsOnly === true && brokenBefore)) return `attack ${id} is missing`
      continue
    }
    if (correct && !due) return `attack ${id} is for survivors, and the image was broken before`
    if (attack.predicted >= expected.classes)
      return `${id}'s prediction ${attack.predicted} is not one of ${expected.classes} classes`
    if (!(attack.distance <= threat.epsilon))
      return `${id} left the ball: ${attack.distance} is more than ${threat.epsilon}`
    if (correct && attack.success !== (attack.predicted !== label))
      return `${id} says success: ${attack.success}, with prediction ${attack.predicted} for label ${label}`
    broken ||= attack.success
  }
  if (robust !== !broken) return `robust: ${robust} is not what the attacks say`
  if (robust && brokenBefore) return 'robust: true is not what a smaller ε says'
  return undefined
}

/** Whether what was found in a smaller ball of the same norm breaks the image in this one, too. */
function breaksInSmaller({ threats }: SampleOutcome, threat: Ball, expected: Expected): boolean {
  return expected.threats
    .filter(({ id, norm, epsilon }) => id !== threat.id && norm === threat.norm && epsilon <= threat.epsilon)
    .flatMap(({ id }) => Object.values(ownEntry(threats, id)?.attacks ?? {}))
    .some(({ success, nearest = Infinity }) => success || nearest <= threat.epsilon)
}

/** An id like `constructor` must not find what every object inherits. */
function ownEntry<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}
