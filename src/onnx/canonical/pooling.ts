import { intAttribute, makeNode } from '../attributes.js'
import type { Node } from '../graph.js'
import { int64Tensor } from '../tensor.js'
import type { Context, Upgrades } from './context.js'
import { floatScalar } from './elementwise.js'
import { writeOutMaxRoiPool } from './maxRoiPool.js'
import { sayOldCoordinates, writeOutRoiAlign } from './roiAlign.js'

/**
 * onnxruntime has no kernel for GlobalLpPool since opset 22, so it is written out: the p-norm over all axes but the first
 * two. How many there are is left to the graph itself, which computes it from nothing but a shape.
 */
function writeOutNorm(node: Node, context: Context): readonly Node[] {
  const [x] = node.inputs
  const [output] = node.outputs
  const p = intAttribute(node, 'p', 2)
  const value = (stem: string): string => context.fresh(`${output}/${stem}`)
  const scalar = (stem: string, size: number): string => context.constant(`${output}/${stem}`, int64Tensor([size], []))
  const [shape, rank, axes] = ['shape', 'rank', 'axes'].map(value)
  const spatial = [
    makeNode('Shape', [x], [shape]),
    makeNode('Size', [shape], [rank]),
    makeNode('Range', [scalar('first', 2), rank, scalar('step', 1)], [axes]),
  ]
  if (p === 1 || p === 2) return [...spatial, makeNode(`ReduceL${p}`, [x, axes], [output])]
  const type = context.floatTypeOf(x)
  const exponent = (stem: string, power: number): string =>
    context.constant(`${output}/${stem}`, floatScalar(type, power))
  const [size, powers, sum, isPositive, base, norm] = ['size', 'powers', 'sum', 'is_positive', 'base', 'norm'].map(
    value,
  )
  const [zero, one] = [0, 1].map((number) => exponent('number', number))
  return [
    ...spatial,
    makeNode('Abs', [x], [size]),
    makeNode('Pow', [size, exponent('p', p)], [powers]),
    makeNode('ReduceSum', [powers, axes], [sum]),
    // A root is infinitely steep at 0, where a norm has the slope 0 as one of many.
    makeNode('Greater', [sum, zero], [isPositive]),
    makeNode('Where', [isPositive, sum, one], [base]),
    makeNode('Pow', [base, exponent('root', 1 / p)], [norm]),
    makeNode('Where', [isPositive, norm, zero], [output]),
  ]
}

export const POOLING: Upgrades = {
  GlobalLpPool: [{ since: 22, upgrade: writeOutNorm }],
  MaxRoiPool: [{ since: 22, upgrade: writeOutMaxRoiPool }],
  RoiAlign: [
    { since: 16, upgrade: sayOldCoordinates },
    { since: 22, upgrade: writeOutRoiAlign },
  ],
}
