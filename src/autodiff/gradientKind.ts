import { BY_THEIR_MEAN } from '../onnx/chance.js'
import { EXPANSIONS } from './expansions/index.js'
import type { Inspection } from './inspection.js'
import type { Marked } from './rule.js'
import { RULES, WITHOUT_GRADIENT } from './rules/index.js'

/** What the tables say of an operator's gradient: see the inspection's schema. */
export function gradientKind(operator: string): Inspection['operators'][number]['gradient'] {
  const marked: Marked | undefined = EXPANSIONS.get(operator) ?? RULES.get(operator)
  if (marked) return marked.kind ?? 'rule'
  if (BY_THEIR_MEAN.has(operator)) return 'straight-through'
  return WITHOUT_GRADIENT.has(operator) ? 'none' : 'missing'
}
