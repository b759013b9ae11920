import { intAttribute } from '../../onnx/attributes.js'
import { rule } from '../rule.js'
import type { Rule } from '../rule.js'

export const scan: Readonly<Record<string, Rule>> = {
  /** Element i is in every sum from its own on: the adjoint adds up the other way. */
  CumSum: rule((node, gradient, b) => [
    b.add('CumSum', [gradient, node.inputs[1]], {
      exclusive: intAttribute(node, 'exclusive', 0),
      reverse: 1 - intAttribute(node, 'reverse', 0),
    }),
  ]),

  Trilu: rule((node, gradient, b) => [
    b.add('Trilu', [gradient, ...node.inputs.slice(1)], { upper: intAttribute(node, 'upper', 1) }),
  ]),
}
