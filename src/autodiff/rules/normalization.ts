import { floatAttribute } from '../../onnx/attributes.js'
import { rule } from '../rule.js'
import type { Rule } from '../rule.js'

export const normalization: Readonly<Record<string, Rule>> = {
  /** At inference a line per channel: its slope is scale / √(var + ε), folded when the graph is built. */
  BatchNormalization: rule((node, gradient, b) => {
    const [x, scale, , , variance] = node.inputs
    const epsilon = floatAttribute(node, 'epsilon', 1e-5)
    const rank = b.rank(x)
    const shape = rank < 2 ? [-1] : [1, -1, ...Array.from({ length: rank - 2 }, () => 1)]
    const [scales, variances] = [b.constantOf(scale)?.data, b.constantOf(variance)?.data]
    if (scales && variances) {
      const slopes = Float64Array.from(
        { length: scales.length },
        (_, at) => Number(scales[at]) / Math.sqrt(Number(variances[at]) + epsilon),
      )
      return [
        b.mul(
          gradient,
          b.tensor(
            slopes,
            shape.map((size) => (size === -1 ? slopes.length : size)),
            x,
          ),
        ),
      ]
    }
    const deviation = b.add('Sqrt', [b.add('Add', [variance, b.number(epsilon, variance)])])
    return [b.mul(gradient, b.reshape(b.add('Div', [scale, deviation]), shape))]
  }),
}
