import { stringAttribute } from '../../onnx/attributes.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { rule } from '../rule.js'
import type { Rule } from '../rule.js'
import { imageByImage } from './imageByImage.js'

export const gelu: Readonly<Record<string, Rule>> = {
  Gelu: rule((node, gradient, b) => {
    const [x] = node.inputs
    const slope = stringAttribute(node, 'approximate', 'none') === 'tanh' ? tanhSlope : exactSlope
    const constant = (value: number): string => b.number(value, x)
    return [imageByImage([gradient, x], x, b, ([upstream, image]) => b.mul(upstream, slope(image, constant, b)))]
  }),
}

/**
 * Φ(x) + x·φ(x) (Hendrycks & Gimpel 2016), with s = x/√2: Φ = (1 + erf s)/2 and x·φ(x) = s·exp(−s²)/√π, whose constant
 * goes into the exponent.
 */
function exactSlope(x: string, constant: (value: number) => string, b: GradientBuilder): string {
  const scaled = b.mul(x, constant(Math.SQRT1_2))
  // Half of 1 + erf in one pass; erf stays between −1 and 1, so nothing is cut off.
  const cumulative = b.add('HardSigmoid', [b.add('Erf', [scaled])], { alpha: { float: 0.5 }, beta: { float: 0.5 } })
  const exponent = b.add('Sub', [constant(-0.5 * Math.log(Math.PI)), b.mul(scaled, scaled)])
  return b.add('Add', [cumulative, b.mul(scaled, b.add('Exp', [exponent]))])
}

/**
 * (1 + tanh u)/2 is σ(2u), so that y = x·σ(v) with v = 2u = x·(a + c·x²), a = 2√(2/π), c = 0.044715·a: the slope is
 * σ + x·v′·σ·(1 − σ) with v′ = a + 3c·x².
 */
function tanhSlope(x: string, constant: (value: number) => string, b: GradientBuilder): string {
  const a = 2 * Math.sqrt(2 / Math.PI)
  const cubic = b.mul(b.mul(x, x), constant(0.044715 * a))
  const v = b.mul(x, b.add('Add', [cubic, constant(a)]))
  const gate = b.add('Sigmoid', [v])
  // x·v′ = v + 2c·x³
  const slope = b.add('Add', [v, b.mul(b.mul(x, cubic), constant(2))])
  const rest = b.mul(slope, b.add('Sub', [constant(1), gate]))
  return b.mul(gate, b.add('Add', [rest, constant(1)]))
}
