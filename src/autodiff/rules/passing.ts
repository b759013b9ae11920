import { UsageError } from '../../errors.js'
import { scopeOf, trains } from '../../onnx/training.js'
import { rule } from '../rule.js'
import type { Rule } from '../rule.js'

/** What passes its first input on and only looks at the others. */
export const passing: Readonly<Record<string, Rule>> = {
  CastLike: rule((node, gradient, b) => [b.add('CastLike', [gradient, node.inputs[0]])]),

  /** Canonical graphs have it only where its mask is read, or where it trains. */
  Dropout: rule((node, gradient, b) => {
    if (!trains(node, scopeOf(b))) return [gradient]
    throw new UsageError(
      `Dropout (node "${node.name}") with training_mode has no gradient rule: its output is random; export the model in inference mode`,
    )
  }),
}
