import { UsageError } from '../../errors.js'
import { intAttribute } from '../../onnx/attributes.js'
import { rule } from '../rule.js'
import type { Rule } from '../rule.js'

/** Linear operators that add up, mask or pass on. */
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

  /** Of the type, its second input takes nothing. */
  CastLike: rule((node, gradient, b) => [b.add('CastLike', [gradient, node.inputs[0]])]),

  /** Canonical graphs have it only where its mask is read, or where it trains. */
  Dropout: rule((node, gradient, b) => {
    const [, , training] = node.inputs
    if (!training || b.constantOf(training)?.data[0] === 0) return [gradient]
    throw new UsageError(
      `Dropout (node "${node.name}") with training_mode has no gradient rule: its output is random; export the model in inference mode`,
    )
  }),
}
