import { UsageError } from '../../errors.js'
import { describe, intAttribute, makeNode } from '../attributes.js'
import type { Node } from '../graph.js'
import { int64Tensor } from '../tensor.js'
import type { Context, Upgrades } from './context.js'
import { floatScalar } from './elementwise.js'

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
  const [size, powers, sum] = ['size', 'powers', 'sum'].map(value)
  return [
    ...spatial,
    makeNode('Abs', [x], [size]),
    makeNode('Pow', [size, exponent('p', p)], [powers]),
    makeNode('ReduceSum', [powers, axes], [sum]),
    makeNode('Pow', [sum, exponent('root', 1 / p)], [output]),
  ]
}

/** Regions belong to detectors: their outputs count regions, not images. */
function refuseRegions(node: Node): Node {
  throw new UsageError(
    `${describe(node)} pools regions, for which onnxruntime has no kernel since opset 22; export the classifier without it`,
  )
}

export const POOLING: Upgrades = {
  GlobalLpPool: [{ since: 22, upgrade: writeOutNorm }],
  MaxRoiPool: [{ since: 22, upgrade: refuseRegions }],
  RoiAlign: [{ since: 22, upgrade: refuseRegions }],
}
