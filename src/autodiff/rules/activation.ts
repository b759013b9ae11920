import { floatAttribute, intAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { elementwise, fromFront, rule, subgradient } from '../rule.js'
import type { Rule } from '../rule.js'
import { affine, isFeatureMap } from './featureMaps.js'

/** Kinks take PyTorch's side. */
export const activation: Readonly<Record<string, Rule>> = {
  Relu: subgradient(
    'slope 0 at 0',
    elementwise((_x, y, b) => isPositive(y, b)),
  ),
  LeakyRelu: subgradient(
    'slope alpha at 0',
    elementwise((x, y, b, node) => {
      const alpha = floatAttribute(node, 'alpha', 0.01)
      // x and y have one sign, and where nobody else reads x the Conv in front does both.
      if (isFeatureMap(x, b) && alpha >= 0 && alpha <= 1) return clip(affine(y, STEEP, 0, x, b), alpha, 1, x, b)
      return b.add('Where', [positive(x, b), b.number(1, x), b.number(alpha, x)])
    }),
  ),
  Elu: subgradient(
    'slope alpha at 0',
    elementwise((x, y, b, node) => {
      const alpha = b.number(floatAttribute(node, 'alpha', 1), x)
      return b.add('Where', [positive(x, b), b.number(1, x), b.add('Add', [y, alpha])])
    }),
  ),
  Sigmoid: elementwise((_x, y, b) => b.mul(y, oneMinus(y, b))),
  Tanh: elementwise((_x, y, b) => b.add('Sub', [b.number(1, y), b.mul(y, y)])),
  HardSigmoid: subgradient(
    'slope 0 at both ends',
    rule((node, gradient, b) => {
      const [x] = node.inputs
      const [y] = node.outputs
      const slope = floatAttribute(node, 'alpha', 0.2)
      if (isFeatureMap(x, b) && slope >= 0) {
        const inside = b.mul(y, oneMinus(y, b))
        return [b.mul(gradient, clip(affine(inside, STEEP, 0, x, b), 0, slope, x, b))]
      }
      return [b.where(between(y, x, b), b.mul(gradient, b.number(slope, x)), x)]
    }),
  ),
  HardSwish: subgradient(
    'slope 0 at −3, 1 at 3',
    elementwise((x, _y, b) => (isFeatureMap(x, b) ? mapSlope(x, b) : slope(x, b))),
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
    const y = guarded(node.outputs[0], b)
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
 * vectorised pass, in whatever layout y is in (bench/alternatives.mjs has the others).
 */
function isPositive(y: string, b: GradientBuilder): string {
  if (b.observed(y).type !== 'float32') return b.add('Sign', [y])
  return b.add('HardSigmoid', [y], { alpha: { float: STEEP }, beta: { float: 0 } })
}

/** 1.2e−38 · 3.4e38 > 1 */
const STEEP = 3.4e38

/** HardSwish is x·h(x) with h = HardSigmoid(1/6, 1/2): h + x/6 where |x| < 3, which a steep HardSigmoid of 9 − x² tells. */
function slope(x: string, b: GradientBuilder): string {
  const gate = b.add('HardSigmoid', [x], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } })
  const inside = b.add('HardSigmoid', [b.mul(x, x)], { alpha: { float: -1e30 }, beta: { float: 9e30 } })
  return b.add('Add', [gate, b.mul(b.mul(x, b.number(1 / 6, x)), inside)])
}

/** The greatest float32 below 3. */
const BELOW_THREE = 3 - 2 ** -22

/**
 * The same for maps, in three passes: with c = x clipped to ±3 it is c/3 plus 1 below, ½
 * inside, 0 above, which a steep HardSigmoid of x − c tells (inside it is exactly 0). Between
 * convolutions it takes less time (`node bench/alternatives.mjs featureMaps`).
 *
 * −c is what is clipped: a copy of x like the one that the forward pass makes (mapLayout.ts) would be one with it to
 * onnxruntime, which then makes neither function part of its Conv.
 */
function mapSlope(x: string, b: GradientBuilder): string {
  const opposite = clip(affine(x, -1, 0, x, b), -BELOW_THREE, BELOW_THREE, x, b)
  const beyond = b.add('Add', [affine(opposite, 1, 0, x, b), x])
  const side = b.add('HardSigmoid', [beyond], { alpha: { float: -1e30 }, beta: { float: 0.5 } })
  return b.add('Add', [affine(opposite, -1 / BELOW_THREE, 0, x, b), side])
}

function oneMinus(y: string, b: GradientBuilder): string {
  return isFeatureMap(y, b) ? affine(y, -1, 1, y, b) : b.add('Sub', [b.number(1, y), y])
}

function clip(value: string, low: number, high: number, like: string, b: GradientBuilder): string {
  return b.add('Clip', [value, b.number(low, like), b.number(high, like)])
}

/** 0 where Softmax has nothing but −∞ in a row, if the model looks for that: what it puts there no gradient comes from. */
function guarded(y: string, b: GradientBuilder): string {
  const isLookedFor = b.nodes.some(({ op, inputs }) => op === 'IsNaN' && inputs[0] === y)
  return isLookedFor ? b.add('Where', [b.add('IsNaN', [y]), b.number(0, y), y]) : y
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
