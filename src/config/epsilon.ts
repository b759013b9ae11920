import { UsageError } from '../errors.js'
import { quote } from './keys.js'
import type { Norm, ThreatSpec } from './types.js'
import { choice, list, number } from './values.js'

const norms: readonly Norm[] = ['linf', 'l2', 'l1']

export function norm(value: unknown): Norm {
  return choice(norms)(typeof value === 'string' ? value.toLowerCase() : value)
}

export interface Epsilon {
  /** In pixel units of the dataset's range. */
  readonly value: number
  /** What the user wrote, fit for a name: `8_255`, `0.1`. */
  readonly slug: string
}

/**
 * One radius, or several: `0.1`, `"8/255"`, `"2/255,8/255"`, `["2/255", "8/255"]`.
 *
 * @throws UsageError for text, and for a radius of 0 or less.
 */
export function epsilons(value: unknown): readonly Epsilon[] {
  return list(value, (part) => ({ value: radius(part), slug: slug(part) }))
}

export function threatOf(norm: Norm, epsilon: Epsilon): ThreatSpec {
  return { id: `${norm}-${epsilon.slug}`, norm, epsilon: epsilon.value }
}

function radius(value: unknown): number {
  const parsed = number(value)
  if (parsed <= 0) throw new UsageError(`${quote(value)} is not above 0; write the radius of the attack, like 8/255`)
  return parsed
}

/** `0.10` and `.1` are the same threat as `0.1`; `8/255` and its decimal are not, since nobody would write the latter. */
function slug(value: unknown): string {
  return String(value)
    .split('/')
    .map((part) => String(Number(part)))
    .join('_')
}
