import { UsageError } from '../../errors.js'
import { intAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { fromFront, rule, subgradient } from '../rule.js'
import type { Rule } from '../rule.js'

/** A reduction's rule from the gradient and the output with the reduced axes kept as 1. */
function reduction(
  vjp: (
    kept: { readonly gradient: string; readonly y: string; readonly x: string; readonly axes: readonly number[] },
    b: GradientBuilder,
  ) => string,
): Rule {
  return rule((node, gradient, b) => {
    const [x] = node.inputs
    const axes = axesOf(node, b)
    const keep = (value: string): string =>
      intAttribute(node, 'keepdims', 1) === 1 || axes.length === 0 ? value : b.add('Unsqueeze', [value, b.ints(axes)])
    return [vjp({ gradient: keep(gradient), y: keep(node.outputs[0]), x, axes }, b)]
  })
}

/** Σ over the axes; over none, each element is its own sum. */
function total(value: string, axes: readonly number[], b: GradientBuilder): string {
  return axes.length === 0 ? value : b.sum(value, axes, true)
}

const extreme = subgradient(
  'equal extremes share alike, as in PyTorch’s amax and amin',
  reduction(({ gradient, y, x, axes }, b) => {
    const reached = b.add('CastLike', [b.add('Equal', [x, y]), x])
    return b.mul(reached, b.add('Div', [gradient, total(reached, axes, b)]))
  }),
)

export const reductions: Readonly<Record<string, Rule>> = {
  ReduceSum: reduction(({ gradient, x }, b) => b.expandLike(gradient, x)),
  ReduceMean: reduction(({ gradient, x, axes }, b) => {
    const { dims } = b.observed(x)
    const count = axes.reduce((product, axis) => product * dims[axis], 1)
    return b.expandLike(b.mul(gradient, b.number(1 / count, x)), x)
  }),
  ReduceMax: extreme,
  ReduceMin: extreme,

  ReduceSumSquare: reduction(({ gradient, x }, b) => b.mul(b.mul(gradient, b.number(2, x)), x)),
  ReduceL1: subgradient(
    'slope 0 at 0',
    reduction(({ gradient, x }, b) => b.mul(gradient, b.add('Sign', [x]))),
  ),
  ReduceL2: subgradient(
    'slope 0 where the norm is 0',
    reduction(({ gradient, y, x }, b) => {
      const zero = b.number(0, x)
      return b.mul(b.add('Where', [b.add('Equal', [y, zero]), zero, b.add('Div', [gradient, y])]), x)
    }),
  ),
  ReduceLogSum: reduction(({ gradient, x, axes }, b) => b.expandLike(b.add('Div', [gradient, total(x, axes, b)]), x)),
  ReduceLogSumExp: reduction(({ gradient, y, x }, b) => b.mul(gradient, b.add('Exp', [b.add('Sub', [x, y])]))),

  /** The product of the others: with one zero only its own place has any, with more nobody has. */
  ReduceProd: reduction(({ gradient, x, axes }, b) => {
    const isZero = b.add('Equal', [x, b.number(0, x)])
    const nonzero = b.add('Where', [isZero, b.number(1, x), x])
    const product = b.add('ReduceProd', axes.length === 0 ? [nonzero] : [nonzero, b.ints(axes)], {
      noop_with_empty_axes: 1,
    })
    const zeros = b.add('CastLike', [isZero, x])
    const areOthersNonzero = b.add('Equal', [total(zeros, axes, b), zeros])
    const ofOthers = b.add('Div', [b.mul(gradient, product), nonzero])
    return b.where(areOthersNonzero, ofOthers, x)
  }),
}

/** Axes from the front; left out they are all, or none with noop_with_empty_axes. */
function axesOf(node: Node, b: GradientBuilder): readonly number[] {
  const [x, axes] = node.inputs
  const rank = b.rank(x)
  const given = b.integersOf(axes)
  if (axes && given === undefined)
    throw new UsageError(
      `${node.op} (node "${node.name}") has axes that are computed from the image: there is no gradient rule for that; export it with constant axes`,
    )
  if (given && given.length > 0) return given.map((axis) => fromFront(axis, rank))
  return intAttribute(node, 'noop_with_empty_axes', 0) === 1 ? [] : Array.from({ length: rank }, (_, axis) => axis)
}
