import { floatAttribute, intAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { elementwise, fromFront, rule, subgradient } from '../rule.js'
import type { Rule } from '../rule.js'

/** Kinks take PyTorch's side. */
export const activation: Readonly<Record<string, Rule>> = {
  Relu: subgradient(
    'slope 0 at 0',
    elementwise((_x, y, b) => isPositive(y, b)),
  ),
  LeakyRelu: subgradient(
    'slope alpha at 0',
    elementwise((x, _y, b, node) => {
      const alpha = b.number(floatAttribute(node, 'alpha', 0.01), x)
      return b.add('Where', [positive(x, b), b.number(1, x), alpha])
    }),
  ),
  Elu: subgradient(
    'slope alpha at 0',
    elementwise((x, y, b, node) => {
      const alpha = b.number(floatAttribute(node, 'alpha', 1), x)
      return b.add('Where', [positive(x, b), b.number(1, x), b.add('Add', [y, alpha])])
    }),
  ),
  Sigmoid: elementwise((_x, y, b) => b.mul(y, b.add('Sub', [b.number(1, y), y]))),
  Tanh: elementwise((_x, y, b) => b.add('Sub', [b.number(1, y), b.mul(y, y)])),
  HardSigmoid: subgradient(
    'slope 0 at both ends',
    rule((node, gradient, b) => {
      const [x] = node.inputs
      const slope = b.number(floatAttribute(node, 'alpha', 0.2), x)
      return [b.where(between(node.outputs[0], x, b), b.mul(gradient, slope), x)]
    }),
  ),
  // x·h(x) with h = HardSigmoid(1/6, 1/2): h + x/6 where |x| < 3, which a steep HardSigmoid of 9 − x² tells in one pass.
  HardSwish: subgradient(
    'slope 0 at −3, 1 at 3',
    elementwise((x, _y, b) => {
      const gate = b.add('HardSigmoid', [x], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } })
      const inside = b.add('HardSigmoid', [b.mul(x, x)], { alpha: { float: -1e30 }, beta: { float: 9e30 } })
      return b.add('Add', [gate, b.mul(b.mul(x, b.number(1 / 6, x)), inside)])
    }),
  ),
  Clip: subgradient(
    'slope 1 at both bounds',
    rule((node, gradient, b) => {
      const [x, low, high] = node.inputs
      const bounds = [low && b.add('GreaterOrEqual', [x, low]), high && b.add('LessOrEqual', [x, high])].filter(Boolean)
      if (bounds.length === 0) return [gradient]
      const inside = bounds.length === 1 ? bounds[0] : b.add('And', bounds)
      return [b.where(inside, gradient, x)]
    }),
  ),
  Softmax: rule((node, gradient, b) => {
    const [y] = node.outputs
    const weighted = b.mul(gradient, y)
    const total = b.sum(weighted, [softmaxAxis(node, b)], true)
    return [b.add('Sub', [weighted, b.mul(y, total)])]
  }),
  LogSoftmax: rule((node, gradient, b) => {
    const total = b.sum(gradient, [softmaxAxis(node, b)], true)
    return [b.add('Sub', [gradient, b.mul(b.add('Exp', [node.outputs[0]]), total)])]
  }),
}

/**
 * 1 where y > 0, else 0, for y ≥ 0. In float32 as a HardSigmoid so steep that the smallest normal number reaches 1: one
 * vectorised pass (bench/alternatives.mjs has the others). Of feature maps the factor is a depthwise 1×1 Conv in front of
 * it, which onnxruntime fuses with it and runs in the blocked layout of the convolutions around: else every mask would
 * cost conversions out of that layout and back into it.
 */
function isPositive(y: string, b: GradientBuilder): string {
  const { type, dims } = b.observed(y)
  if (type !== 'float32') return b.add('Sign', [y])
  if (dims.length !== 4 || dims[1] % CHANNEL_BLOCK !== 0) return steepSigmoid(y, STEEP, b)
  const factors = b.tensor(new Float64Array(dims[1]).fill(STEEP), [dims[1], 1, 1, 1], y)
  return steepSigmoid(b.add('Conv', [y, factors], { group: dims[1], kernel_shape: [1, 1] }), 1, b)
}

/** 1.2e−38 · 3.4e38 > 1 */
const STEEP = 3.4e38

/** Channels in a block of onnxruntime's layout for convolutions, at most. */
const CHANNEL_BLOCK = 16

/** min(max(slope · y, 0), 1) */
function steepSigmoid(y: string, slope: number, b: GradientBuilder): string {
  return b.add('HardSigmoid', [y], { alpha: { float: slope }, beta: { float: 0 } })
}

function softmaxAxis(node: Node, b: GradientBuilder): number {
  return fromFront(intAttribute(node, 'axis', -1), b.rank(node.inputs[0]))
}

function positive(x: string, b: GradientBuilder): string {
  return b.add('Greater', [x, b.number(0, x)])
}

/** 0 < y < 1, for y in the type of `like`. */
function between(y: string, like: string, b: GradientBuilder): string {
  const above = b.add('Greater', [y, b.number(0, like)])
  return b.add('And', [above, b.add('Less', [y, b.number(1, like)])])
}
