import { floatAttribute } from '../../onnx/attributes.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { elementwise, rule, subgradient } from '../rule.js'
import type { Rule } from '../rule.js'

/** Selu's constants as the standard has them (Klambauer 2017). */
const SELU = { alpha: 1.6732632423543772, gamma: 1.0507009873554805 }

/** Relu's relatives. Kinks take PyTorch's side. */
export const rectifiers: Readonly<Record<string, Rule>> = {
  PRelu: subgradient(
    'that of the slope at 0',
    rule((node, gradient, b) => {
      const [x, slope] = node.inputs
      const [y] = node.outputs
      const isPositive = b.add('Greater', [x, b.number(0, x)])
      const forX = (): string => b.add('Where', [isPositive, gradient, b.mul(gradient, slope)])
      const forSlope = (): string => b.add('Where', [isPositive, b.number(0, x), b.mul(gradient, x)])
      return [
        b.isActive(x) ? b.unbroadcast(forX(), y, x) : undefined,
        b.isActive(slope) ? b.unbroadcast(forSlope(), y, slope) : undefined,
      ]
    }),
  ),

  // α(e^(x/α) − 1) has slope e^(x/α) = y/α + 1, which is 1 at 0: no kink, unlike Elu's.
  Celu: elementwise((x, y, b, node) => {
    const alpha = floatAttribute(node, 'alpha', 1)
    const relative = alpha === 1 ? y : b.mul(y, b.number(1 / alpha, x))
    return whereAbove(0, x, b.number(1, x), b.add('Add', [relative, b.number(1, x)]), b)
  }),

  Selu: subgradient(
    'slope gamma · alpha at 0',
    elementwise((x, y, b, node) => {
      const gamma = floatAttribute(node, 'gamma', SELU.gamma)
      const atZero = gamma * floatAttribute(node, 'alpha', SELU.alpha)
      return whereAbove(0, x, b.number(gamma, x), b.add('Add', [y, b.number(atZero, x)]), b)
    }),
  ),

  ThresholdedRelu: subgradient(
    'slope 0 at alpha, where it jumps',
    rule((node, gradient, b) => {
      const [x] = node.inputs
      const threshold = b.number(floatAttribute(node, 'alpha', 1), x)
      return [b.where(b.add('Greater', [x, threshold]), gradient, x)]
    }),
  ),

  Shrink: subgradient(
    'slope 0 at ± lambd',
    rule((node, gradient, b) => {
      const [x] = node.inputs
      const threshold = b.number(floatAttribute(node, 'lambd', 0.5), x)
      return [b.where(b.add('Greater', [b.add('Abs', [x]), threshold]), gradient, x)]
    }),
  ),

  Softplus: elementwise((x, _y, b) => b.add('Sigmoid', [x])),

  // x / (1 + |x|)
  Softsign: rule((node, gradient, b) => {
    const [x] = node.inputs
    const denominator = b.add('Add', [b.add('Abs', [x]), b.number(1, x)])
    return [b.add('Div', [gradient, b.mul(denominator, denominator)])]
  }),
}

function whereAbove(threshold: number, x: string, above: string, below: string, b: GradientBuilder): string {
  return b.add('Where', [b.add('Greater', [x, b.number(threshold, x)]), above, below])
}
