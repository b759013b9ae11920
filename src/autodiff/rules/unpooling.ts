import { rule } from '../rule.js'
import type { Rule } from '../rule.js'

/** Indices count through the whole output, the batch included; of several values for one place each gets its gradient. */
export const unpooling: Readonly<Record<string, Rule>> = {
  MaxUnpool: rule((node, gradient, b) => {
    const [x, indices] = node.inputs
    const flat = (value: string): string => b.reshape(value, [-1])
    return [b.reshapeLike(b.add('GatherElements', [flat(gradient), flat(indices)]), x)]
  }),
}
