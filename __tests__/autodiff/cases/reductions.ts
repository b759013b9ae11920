import { makeNode } from '../../../src/onnx/attributes.js'
import { composed, integers, single } from '../support.js'
import type { Case } from '../support.js'

const cube = [2, 3, 4]
const double = 'float64'
const whole = { type: 'int64' as const, dims: [], data: BigInt64Array.of(1n) }

/** Each way to say which axes, for one reduction. */
function reductionOf(op: string): readonly Case[] {
  return [
    single(op, cube, { label: 'negative axes, kept', type: double, constants: { axes: [1, -1] } }),
    single(op, cube, { label: 'not kept', type: double, constants: { axes: [2] }, attributes: { keepdims: 0 } }),
    single(op, [3, 4], { label: 'all axes, batch fixed at 2', type: double, batch: 2, attributes: { keepdims: 0 } }),
    single(op, cube, { label: 'no axes, no reduction', type: double, attributes: { noop_with_empty_axes: 1 } }),
  ]
}

/** The same of x² + 0.5, where the operator wants positive numbers. */
function ofPositive(tested: Case): Case {
  const nodes = tested.nodes.map((node) => ({ ...node, inputs: ['p', ...node.inputs.slice(1)] }))
  return {
    ...tested,
    nodes: [makeNode('Mul', ['x', 'x'], ['s']), makeNode('Add', ['s', 'half'], ['p']), ...nodes],
    constants: { ...tested.constants, half: { type: double, dims: [], data: Float64Array.of(0.5) } },
  }
}

export const LINEAR: readonly Case[] = [
  single('CumSum', [5, 3], { constants: { axis: integers([1], []) } }),
  single('CumSum', [5, 3], {
    label: 'negative axis, exclusive',
    constants: { axis: integers([-1], []) },
    attributes: { exclusive: 1 },
  }),
  single('CumSum', [5, 3], { label: 'reverse', constants: { axis: integers([-2], []) }, attributes: { reverse: 1 } }),
  single('CumSum', [5], {
    label: 'exclusive, reverse',
    constants: { axis: integers([1], []) },
    attributes: { exclusive: 1, reverse: 1 },
  }),
  single('Trilu', [2, 4, 5]),
  single('Trilu', [5, 3], { label: 'lower', attributes: { upper: 0 } }),
  single('Trilu', [4, 4], { label: 'upper, above the diagonal', constants: { k: whole } }),
  single('Trilu', [4, 4], {
    label: 'lower, below the diagonal',
    constants: { k: integers([-2], []) },
    attributes: { upper: 0 },
  }),
]

export const SMOOTH: readonly Case[] = [
  ...['ReduceL1', 'ReduceL2', 'ReduceLogSumExp', 'ReduceMin', 'ReduceMax', 'ReduceProd', 'ReduceSumSquare'].flatMap(
    reductionOf,
  ),
  ...reductionOf('ReduceLogSum').map(ofPositive),
  ...['ReduceSum', 'ReduceMean'].flatMap(reductionOf),
  composed(
    'CumSum and Trilu on the way',
    [4, 4],
    [makeNode('Sin', ['x'], ['s']), makeNode('CumSum', ['s', 'axis'], ['c']), makeNode('Trilu', ['c'], ['y'])],
    { axis: integers([1], []) },
    double,
  ),
  composed(
    'ReduceProd with a factor that stays 0',
    [3],
    [makeNode('Pad', ['x', 'pads'], ['c']), makeNode('ReduceProd', ['c', 'axes'], ['y'])],
    { pads: integers([0, 0, 0, 1]), axes: integers([1]) },
    double,
  ),
]
