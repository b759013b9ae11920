import type { SampleOutcome } from '../engine/messages.js'

/** What an outcome is held against. */
export interface Expected {
  readonly classes: number
  readonly threats: readonly { readonly id: string; readonly epsilon: number }[]
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
    const problem = underThreat(outcome, found, threat.epsilon, expected)
    if (problem !== undefined) return `under ${threat.id}, ${problem}`
  }
  return undefined
}

function underThreat(
  { label, predicted }: SampleOutcome,
  { robust, attacks }: SampleOutcome['threats'][string],
  epsilon: number,
  expected: Expected,
): string | undefined {
  const correct = predicted === label
  const stranger = Object.keys(attacks).find((id) => !expected.attacks.some((attack) => attack.id === id))
  if (stranger !== undefined) return `nobody asked for attack ${stranger}`
  let broken = !correct
  for (const { id, survivorsOnly } of expected.attacks) {
    const attack = ownEntry(attacks, id)
    const due = !(survivorsOnly === true && broken)
    if (attack === undefined) {
      if (correct && due) return `attack ${id} is missing`
      continue
    }
    if (correct && !due) return `attack ${id} is for survivors, and the image was broken before`
    if (attack.predicted >= expected.classes)
      return `${id}'s prediction ${attack.predicted} is not one of ${expected.classes} classes`
    if (!(attack.distance <= epsilon)) return `${id} left the ball: ${attack.distance} is more than ${epsilon}`
    if (correct && attack.success !== (attack.predicted !== label))
      return `${id} says success: ${attack.success}, with prediction ${attack.predicted} for label ${label}`
    broken ||= attack.success
  }
  if (robust !== !broken) return `robust: ${robust} is not what the attacks say`
  return undefined
}

/** An id like `constructor` must not find what every object inherits. */
function ownEntry<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}
