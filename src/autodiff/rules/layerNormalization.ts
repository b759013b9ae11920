import { UsageError } from '../../errors.js'
import { floatAttribute, intAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { fromFront } from '../rule.js'
import type { Rule } from '../rule.js'
import { imageByImage } from './imageByImage.js'

/** x · scale / √(mean(x²) + ε): RMSNormalization, which onnxruntime also calls SimplifiedLayerNormalization. */
const rootMeanSquare: Rule = (node, gradients, b) => {
  const gradient = onlyGradient(node, gradients)
  if (gradient === undefined) return []
  const [x, scale] = node.inputs
  const axes = normalizedAxes(node, b)
  const inverse = inverseRms(node, axes, b)
  const forX = (): string => {
    const scaled = scaledGradient(gradient, scale, b)
    const along = b.mul(mean(b.mul(scaled, x), axes, b), cube(inverse, b))
    return b.add('Sub', [b.mul(scaled, inverse), b.mul(x, along)])
  }
  const forScale = (): string => b.unbroadcast(b.mul(gradient, b.mul(x, inverse)), x, scale)
  return [b.isActive(x) ? forX() : undefined, b.isActive(scale) ? forScale() : undefined]
}

/**
 * With x̂ = a·(x − μ), a = 1 / √(variance + ε) and h = gradient · scale: d x = a·(h − mean(h) − x̂·mean(h·x̂)), arranged as in
 * PyTorch's kernel, a·h − c·x + (c·μ − a·mean(h)) with c = a³·mean(h·(x − μ)), which is two passes fewer.
 */
export const layerNormalization: Readonly<Record<string, Rule>> = {
  LayerNormalization: (node, gradients, b) => {
    const gradient = onlyGradient(node, gradients)
    if (gradient === undefined) return []
    const [x, scale, bias] = node.inputs
    const axes = normalizedAxes(node, b)
    const { center, inverse } = statistics(node, axes, b)
    const forX = ([upstream, image, middle, factor]: readonly string[]): string => {
      const scaled = scaledGradient(upstream, scale, b)
      const average = mean(scaled, axes, b)
      const covariance = b.add('Sub', [mean(b.mul(scaled, image), axes, b), b.mul(middle, average)])
      const along = b.mul(covariance, cube(factor, b))
      const offset = b.add('Sub', [b.mul(along, middle), b.mul(factor, average)])
      return b.add('Add', [b.add('Sub', [b.mul(scaled, factor), b.mul(image, along)]), offset])
    }
    const whole = [gradient, x, center, inverse]
    // Its axes end with those of x, so that it is one scale for every image, unless it has all of them or is made from images.
    const isApart = axes.length < b.rank(x) && b.rank(scale) < b.rank(x) && !b.isActive(scale)
    const forImages = (): string => (isApart ? imageByImage(whole, x, b, forX) : forX(whole))
    const forScale = (): string => {
      const standard = b.mul(b.add('Sub', [x, center]), inverse)
      return b.unbroadcast(b.mul(gradient, standard), x, scale)
    }
    return [
      b.isActive(x) ? forImages() : undefined,
      b.isActive(scale) ? forScale() : undefined,
      bias && b.isActive(bias) ? b.unbroadcast(gradient, x, bias) : undefined,
    ]
  },
  RMSNormalization: rootMeanSquare,
  SimplifiedLayerNormalization: rootMeanSquare,
}

/** The statistics are outputs, too, but no exported model reads them. */
function onlyGradient(node: Node, [gradient, ...others]: readonly (string | undefined)[]): string | undefined {
  if (others.every((other) => other === undefined)) return gradient
  throw new UsageError(
    `${node.op} (node "${node.name}") has a mean or deviation that the model uses: there is no gradient rule for that; export it as ReduceMean and Sqrt`,
  )
}

/** Counted from the back: they are those of one image, too. */
function normalizedAxes(node: Node, b: GradientBuilder): readonly number[] {
  const rank = b.rank(node.inputs[0])
  const first = fromFront(intAttribute(node, 'axis', -1), rank)
  return Array.from({ length: rank - first }, (_, at) => first + at - rank)
}

/** Mean and 1 / deviation: onnxruntime gives them, in float32. */
function statistics(
  node: Node,
  axes: readonly number[],
  b: GradientBuilder,
): { readonly center: string; readonly inverse: string } {
  const [x] = node.inputs
  if (b.observed(x).type === 'float32') return { center: b.extraOutput(node, 1), inverse: b.extraOutput(node, 2) }
  const center = mean(x, axes, b)
  const centred = b.add('Sub', [x, center])
  return { center, inverse: inverseRoot(mean(b.mul(centred, centred), axes, b), node, b) }
}

function inverseRms(node: Node, axes: readonly number[], b: GradientBuilder): string {
  const [x] = node.inputs
  const isGiven = node.op === 'SimplifiedLayerNormalization' && b.observed(x).type === 'float32'
  return isGiven ? b.extraOutput(node, 1) : inverseRoot(mean(b.mul(x, x), axes, b), node, b)
}

function inverseRoot(square: string, node: Node, b: GradientBuilder): string {
  const [x] = node.inputs
  const epsilon = b.number(floatAttribute(node, 'epsilon', 1e-5), x)
  return b.add('Reciprocal', [b.add('Sqrt', [b.add('Add', [square, epsilon])])])
}

function mean(value: string, axes: readonly number[], b: GradientBuilder): string {
  return b.add('ReduceMean', [value, b.ints(axes)], { keepdims: 1 })
}

function cube(value: string, b: GradientBuilder): string {
  return b.mul(value, b.mul(value, value))
}

function scaledGradient(gradient: string, scale: string, b: GradientBuilder): string {
  const values = b.constantOf(scale)?.data
  const isOne = values !== undefined && Array.from<unknown>(values).every((value) => value === 1)
  return isOne ? gradient : b.mul(gradient, scale)
}
