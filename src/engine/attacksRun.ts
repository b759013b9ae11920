import { published } from '../config/attackSchemas.js'
import type { AttackSpec } from '../config/attackTypes.js'

/** An attack as it is run; `fallback`: the suite does not name it, it stands in where nothing else can be run. */
export type RunAttack = AttackSpec & { readonly fallback?: true }

const GRADIENT_FREE: ReadonlySet<string> = new Set<AttackSpec['name']>(['square', 'noise'])

/** Queries of the square attack that stands in: a fifth of the published number, for it has to break images on its own. */
const FALLBACK_QUERIES = 1_000

export function needsGradient({ name }: { readonly name: string }): boolean {
  return !GRADIENT_FREE.has(name)
}

/**
 * The suite for a model with or without a gradient. Without one, and without an attack that needs none, square and noise
 * are added, under ids the suite has not taken.
 */
export function withFallback(attacks: readonly AttackSpec[], gradient: boolean): readonly RunAttack[] {
  if (gradient || attacks.some((attack) => !needsGradient(attack))) return attacks
  const idOf = (name: string): string => (attacks.some(({ id }) => id === name) ? `${name}-fallback` : name)
  return [
    ...attacks,
    { ...published('square', { queries: FALLBACK_QUERIES }), id: idOf('square'), fallback: true },
    { ...published('noise'), id: idOf('noise'), fallback: true },
  ]
}

/** Those of a suite that were run: without a gradient the ones that need none. Child, parent and reader of a file agree by this. */
export function attacksRun<Attack extends { readonly name: string }>(
  attacks: readonly Attack[],
  gradient: boolean,
): readonly Attack[] {
  return gradient ? attacks : attacks.filter((attack) => !needsGradient(attack))
}
