import { floatAttribute, intAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { rule } from '../rule.js'
import type { Rule } from '../rule.js'

export const normalization: Readonly<Record<string, Rule>> = {
  /** At inference a line per channel: its slope is scale / √(var + ε), folded when the graph is built. */
  BatchNormalization: rule((node, gradient, b) => {
    const [x, scale, , , variance] = node.inputs
    const epsilon = floatAttribute(node, 'epsilon', 1e-5)
    const rank = b.rank(x)
    if (intAttribute(node, 'training_mode', 0) === 1) return [trainingGradient(node, gradient, b)]
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

/**
 * In training the mean and variance are those of the batch, and images move them: with x̂ the normalised x and means over all
 * axes but the channels', dx = scale / √(var + ε) · (dy − mean(dy) − x̂ · mean(dy · x̂)) (Ioffe & Szegedy 2015, section 3).
 */
function trainingGradient(node: Node, gradient: string, b: GradientBuilder): string {
  const [x, scale] = node.inputs
  const rank = b.rank(x)
  const others = b.ints(Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== 1))
  const mean = (value: string): string => b.add('ReduceMean', [value, others], { keepdims: 1 })
  const centred = b.add('Sub', [x, mean(x)])
  const variance = b.add('Add', [mean(b.mul(centred, centred)), b.number(floatAttribute(node, 'epsilon', 1e-5), x)])
  const deviation = b.add('Sqrt', [variance])
  const normalised = b.add('Div', [centred, deviation])
  const along = b.mul(normalised, mean(b.mul(gradient, normalised)))
  const across = b.add('Sub', [b.add('Sub', [gradient, mean(gradient)]), along])
  const scales = b.reshape(scale, [1, -1, ...Array.from({ length: rank - 2 }, () => 1)])
  return b.mul(across, b.add('Div', [scales, deviation]))
}
