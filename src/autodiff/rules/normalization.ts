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
    const line = lineGradients(node, gradient, b)
    if (intAttribute(node, 'training_mode', 0) === 1) return [trainingGradient(node, gradient, b), ...line]
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
        ...line,
      ]
    }
    const deviation = b.add('Sqrt', [b.add('Add', [variance, b.number(epsilon, variance)])])
    return [b.mul(gradient, b.reshape(b.add('Div', [scale, deviation]), shape)), ...line]
  }),
}

/**
 * Where the image computes what normalises it: with σ = √(var + ε) and sums over all axes but the channels',
 * dscale = Σ dy · (x − mean) / σ, dbias = Σ dy, dmean = −scale / σ · dbias, dvar = −scale / 2σ² · dscale.
 */
function lineGradients(node: Node, gradient: string, b: GradientBuilder): readonly (string | undefined)[] {
  const [x, scale, , mean, variance] = node.inputs
  if (!node.inputs.slice(1).some(b.isActive)) return []
  const trains = intAttribute(node, 'training_mode', 0) === 1
  const axes = Array.from({ length: b.rank(x) }, (_, axis) => axis)
  const others = axes.filter((axis) => axis !== 1)
  const perChannel = (value: string): string =>
    b.reshape(
      value,
      axes.map((axis) => (axis === 1 ? -1 : 1)),
    )
  const average = (value: string): string => b.add('ReduceMean', [value, b.ints(others)], { keepdims: 1 })
  const centred = b.add('Sub', [x, trains ? average(x) : perChannel(mean)])
  const spread = trains ? average(b.mul(centred, centred)) : perChannel(variance)
  const shifted = b.add('Add', [spread, b.number(floatAttribute(node, 'epsilon', 1e-5), x)])
  const slope = b.add('Sqrt', [shifted])
  const dScale = b.sum(b.mul(gradient, b.add('Div', [centred, slope])), others, false)
  const dBias = b.sum(gradient, others, false)
  if (trains) return [dScale, dBias]
  const flat = (value: string): string => b.reshape(value, [-1])
  const dMean = b.add('Neg', [b.mul(dBias, b.add('Div', [scale, flat(slope)]))])
  const half = b.mul(b.number(-0.5, x), b.add('Div', [scale, flat(shifted)]))
  return [dScale, dBias, dMean, b.mul(half, dScale)]
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
