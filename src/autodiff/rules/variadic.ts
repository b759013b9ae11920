import { rule, subgradient } from '../rule.js'
import type { Rule } from '../rule.js'

/** The gradient goes to the operands that reached the output, in equal parts. */
const extreme = subgradient(
  'equal operands share alike, as in PyTorch’s maximum and minimum',
  rule((node, gradient, b) => {
    const { inputs } = node
    const [y] = node.outputs
    if (inputs.length === 1) return [gradient]
    const reached = inputs.map((input) => b.add('Equal', [input, y]))
    const ones = reached.map((is) => b.add('CastLike', [is, y]))
    const share = b.add('Div', [gradient, b.add('Sum', ones)])
    return inputs.map((input, place) =>
      b.isActive(input) ? b.unbroadcast(b.where(reached[place], share, y), y, input) : undefined,
    )
  }),
)

/** Operators of any number of operands, which broadcast. */
export const variadic: Readonly<Record<string, Rule>> = {
  Sum: rule((node, gradient, b) =>
    node.inputs.map((input) => (b.isActive(input) ? b.unbroadcast(gradient, node.outputs[0], input) : undefined)),
  ),
  Mean: rule((node, gradient, b) => {
    const [y] = node.outputs
    const share = b.mul(gradient, b.number(1 / node.inputs.length, y))
    return node.inputs.map((input) => (b.isActive(input) ? b.unbroadcast(share, y, input) : undefined))
  }),
  Max: extreme,
  Min: extreme,
}
