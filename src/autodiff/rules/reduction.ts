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
    if (axes.length === 0) return [gradient]
    const keep = (value: string): string =>
      intAttribute(node, 'keepdims', 1) === 1 ? value : b.add('Unsqueeze', [value, b.ints(axes)])
    return [vjp({ gradient: keep(gradient), y: keep(node.outputs[0]), x, axes }, b)]
  })
}

export const reductions: Readonly<Record<string, Rule>> = {
  ReduceSum: reduction(({ gradient, x }, b) => b.expandLike(gradient, x)),
  ReduceMean: reduction(({ gradient, x, axes }, b) => {
    const { dims } = b.observed(x)
    const count = axes.reduce((total, axis) => total * dims[axis], 1)
    return b.expandLike(b.mul(gradient, b.number(1 / count, x)), x)
  }),
  ReduceMax: subgradient(
    'equal maxima share alike, as in PyTorch’s amax',
    reduction(({ gradient, y, x, axes }, b) => {
      const isMaximum = b.add('CastLike', [b.add('Equal', [x, y]), x])
      return b.mul(isMaximum, b.add('Div', [gradient, b.sum(isMaximum, axes, true)]))
    }),
  ),
}

/** Axes from the front; left out they are all, or none with noop_with_empty_axes. */
function axesOf(node: Node, b: GradientBuilder): readonly number[] {
  const rank = b.rank(node.inputs[0])
  const given = b.integersOf(node.inputs[1]) ?? []
  if (given.length > 0) return given.map((axis) => fromFront(axis, rank))
  return intAttribute(node, 'noop_with_empty_axes', 0) === 1 ? [] : Array.from({ length: rank }, (_, axis) => axis)
}
