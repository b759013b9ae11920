import type { Node } from '../graph.js'
import type { Context, Upgrades } from './context.js'
import { ELEMENTWISE } from './elementwise.js'
import { EXPERIMENTAL } from './experimental.js'
import { NORMALIZATION } from './normalization.js'
import { POOLING } from './pooling.js'
import { REDUCTIONS } from './reductions.js'
import { RESAMPLING } from './resampling.js'
import { SHAPES } from './shapes.js'
import { SIGNAL } from './signal.js'
import { SOFTMAX } from './softmax.js'

/**
 * Every change of an operator between opsets 7 and 24 that an older node does not satisfy by itself. Operators, and
 * versions, that only gained types or attributes with a neutral default are not listed.
 */
const UPGRADES: Upgrades = {
  ...ELEMENTWISE,
  ...EXPERIMENTAL,
  ...NORMALIZATION,
  ...POOLING,
  ...REDUCTIONS,
  ...RESAMPLING,
  ...SHAPES,
  ...SIGNAL,
  ...SOFTMAX,
}

/** Brings a node written for `opset` to the canonical one, through every version in between. */
export function upgradeNode(node: Node, opset: number, context: Context): readonly Node[] {
  const changes = node.domain === '' && Object.hasOwn(UPGRADES, node.op) ? UPGRADES[node.op] : []
  const next = changes.find(({ since }) => since > opset)
  if (next === undefined) return [node]
  const upgraded = next.upgrade(node, context)
  const nodes: readonly Node[] = 'op' in upgraded ? [upgraded] : upgraded
  return nodes.flatMap((one) => upgradeNode(one, next.since, context))
}
