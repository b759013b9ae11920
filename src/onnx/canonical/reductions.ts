import { intsAttribute } from '../attributes.js'
import type { Node } from '../graph.js'
import type { Context, Upgrade, Upgrades } from './context.js'
import { intsToInput, intToInput, without } from './edit.js'

/** Axes of a reduction became an input; none at all means all axes, before and after. */
function axesToInput(node: Node, context: Context): Node {
  const axes = intsAttribute(node, 'axes', [])
  return axes.length === 0 ? without(node, 'axes') : intsToInput(node, 'axes', 1, context)
}

const AXES_18: readonly Upgrade[] = [{ since: 18, upgrade: axesToInput }]

/** ReduceSum-13, the other reductions at 18, TopK-10. */
export const REDUCTIONS: Upgrades = {
  ReduceSum: [{ since: 13, upgrade: axesToInput }],
  ReduceL1: AXES_18,
  ReduceL2: AXES_18,
  ReduceLogSum: AXES_18,
  ReduceLogSumExp: AXES_18,
  ReduceMax: AXES_18,
  ReduceMean: AXES_18,
  ReduceMin: AXES_18,
  ReduceProd: AXES_18,
  ReduceSumSquare: AXES_18,
  TopK: [{ since: 10, upgrade: (node, context) => intToInput(node, 'k', 1, context) }],
}
