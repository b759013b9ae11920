import { operatorOf } from '../onnx/attributes.js'
import { BY_THEIR_MEAN } from '../onnx/chance.js'
import type { Node } from '../onnx/graph.js'
import { EXPANSIONS } from './expansions/index.js'
import type { Inspection } from './inspection.js'
import { isStraightThrough } from './rule.js'
import type { Marked } from './rule.js'
import { RULES, WITHOUT_GRADIENT } from './rules/index.js'

/** What the tables say of a node's gradient: see the inspection's schema. */
export function gradientKind(node: Node): Inspection['operators'][number]['gradient'] {
  const operator = operatorOf(node)
  const marked: Marked | undefined = EXPANSIONS.get(operator) ?? RULES.get(operator)
  if (isStraightThrough(node, marked) || BY_THEIR_MEAN.has(operator)) return 'straight-through'
  if (marked) return marked.kind === 'subgradient' ? 'subgradient' : 'rule'
  return WITHOUT_GRADIENT.has(operator) ? 'none' : 'missing'
}
