import { floatAttribute, intAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { fromFront, noted } from '../rule.js'
import type { Rule } from '../rule.js'
import { imageByImage } from './imageByImage.js'

/** x · scale / √(mean(x²) + ε): RMSNormalization, which onnxruntime also calls SimplifiedLayerNormalization. */
const rootMeanSquare: Rule = (node, [gradient, ofInverse], b) => {
  const [x, scale] = node.inputs
  const axes = normalizedAxes(node, b)
  const inverse = inverseRms(node, axes, b)
  const forX = (gradient: string): string => {
    const scaled = scaledGradient(gradient, scale, b)
    const along = b.mul(mean(b.mul(scaled, x), axes, b), cube(inverse, b))
    return b.add('Sub', [b.mul(scaled, inverse), b.mul(x, along)])
  }
  const forScale = (gradient: string): string => b.unbroadcast(b.mul(gradient, b.mul(x, inverse)), x, scale)
  const statistic = ofInverse && inverseShare(ofInverse, inverse, x, axes, b)
  const whole = gradient && b.isActive(x) ? [forX(gradient)] : []
  return [
    b.isActive(x) ? summed([...whole, ...(statistic ? [b.mul(statistic, x)] : [])], b) : undefined,
    gradient && b.isActive(scale) ? forScale(gradient) : undefined,
  ]
}

/**
 * With x̂ = a·(x − μ), a = 1 / √(variance + ε) and h = gradient · scale: d x = a·(h − mean(h) − x̂·mean(h·x̂)), arranged as in
 * PyTorch's kernel, a·h − c·x + (c·μ − a·mean(h)) with c = a³·mean(h·(x − μ)), which is two passes fewer.
 */
export const layerNormalization: Readonly<Record<string, Rule>> = {
  LayerNormalization: noted(
    'also where onnxruntime’s optimiser wrote it into a model of an older opset',
    (node, [gradient, ofMean, ofInverse], b) => {
      const [x, scale, bias] = node.inputs
      const axes = normalizedAxes(node, b)
      const { center, inverse } = momentsOf(node, axes, b)
      const forX = ([upstream, image, middle, factor]: readonly string[]): string => {
        const scaled = scaledGradient(upstream, scale, b)
        const average = mean(scaled, axes, b)
        const covariance = b.add('Sub', [mean(b.mul(scaled, image), axes, b), b.mul(middle, average)])
        const along = b.mul(covariance, cube(factor, b))
        const offset = b.add('Sub', [b.mul(along, middle), b.mul(factor, average)])
        return b.add('Add', [b.add('Sub', [b.mul(scaled, factor), b.mul(image, along)]), offset])
      }
      // Its axes end with those of x, so that it is one scale for every image, unless it has all of them or is made from images.
      const isApart = axes.length < b.rank(x) && b.rank(scale) < b.rank(x) && !b.isActive(scale)
      const forImages = (upstream: string): string => {
        const whole = [upstream, x, center, inverse]
        return isApart ? imageByImage(whole, x, b, forX) : forX(whole)
      }
      const forScale = (upstream: string): string => {
        const standard = b.mul(b.add('Sub', [x, center]), inverse)
        return b.unbroadcast(b.mul(upstream, standard), x, scale)
      }
      const statistics = (): readonly string[] => [
        ...(ofMean ? [b.expandLike(b.mul(inTypeOf(x, ofMean, b), b.number(1 / counted(x, axes, b), x)), x)] : []),
        ...(ofInverse ? [b.mul(inverseShare(ofInverse, inverse, x, axes, b), b.add('Sub', [x, center]))] : []),
      ]
      return [
        b.isActive(x) ? summed([...(gradient ? [forImages(gradient)] : []), ...statistics()], b) : undefined,
        gradient && b.isActive(scale) ? forScale(gradient) : undefined,
        gradient && bias && b.isActive(bias) ? b.unbroadcast(gradient, x, bias) : undefined,
      ]
    },
  ),
  RMSNormalization: rootMeanSquare,
  SimplifiedLayerNormalization: rootMeanSquare,
}

/**
 * The statistics are outputs, too, and a model may read them. With a = 1 / √(mean(d²) + ε) over n numbers d, d a / d x = −a³·d / n:
 * this is the factor in front of d.
 */
function inverseShare(
  gradient: string,
  inverse: string,
  x: string,
  axes: readonly number[],
  b: GradientBuilder,
): string {
  const each = b.number(-1 / counted(x, axes, b), x)
  return b.mul(inTypeOf(x, gradient, b), b.mul(cube(inverse, b), each))
}

/** Numbers that are normalised together. */
function counted(x: string, axes: readonly number[], b: GradientBuilder): number {
  const dims = b.dims(x)
  return axes.reduce((total, axis) => total * dims[axis + dims.length], 1)
}

/** onnxruntime gives statistics of doubles in a type of its own. */
function inTypeOf(x: string, gradient: string, b: GradientBuilder): string {
  return b.observed(x).type === 'float32' ? gradient : b.add('CastLike', [gradient, x])
}

function summed(parts: readonly string[], b: GradientBuilder): string | undefined {
  return parts.length < 2 ? parts[0] : b.add('Sum', parts)
}

/** Counted from the back: they are those of one image, too. */
function normalizedAxes(node: Node, b: GradientBuilder): readonly number[] {
  const rank = b.rank(node.inputs[0])
  const first = fromFront(intAttribute(node, 'axis', -1), rank)
  return Array.from({ length: rank - first }, (_, at) => first + at - rank)
}

/** Mean and 1 / deviation: onnxruntime gives them, in float32. */
function momentsOf(
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
