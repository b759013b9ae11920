import { stringAttribute } from '../../onnx/attributes.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { elementwise } from '../rule.js'
import type { Rule } from '../rule.js'

export const gelu: Readonly<Record<string, Rule>> = {
  Gelu: elementwise((x, _y, b, node) =>
    stringAttribute(node, 'approximate', 'none') === 'tanh' ? tanhSlope(x, b) : exactSlope(x, b),
  ),
}

/**
 * Φ(x) + x·φ(x) (Hendrycks & Gimpel 2016), with s = x/√2: Φ = (1 + erf s)/2 and x·φ(x) = s·exp(−s²)/√π, whose constant
 * goes into the exponent.
 */
function exactSlope(x: string, b: GradientBuilder): string {
  const scaled = b.mul(x, b.number(Math.SQRT1_2, x))
  // Half of 1 + erf in one pass; erf stays between −1 and 1, so nothing is cut off.
  const cumulative = b.add('HardSigmoid', [b.add('Erf', [scaled])], { alpha: { float: 0.5 }, beta: { float: 0.5 } })
  const exponent = b.add('Sub', [b.number(-0.5 * Math.log(Math.PI), x), b.mul(scaled, scaled)])
  return b.add('Add', [cumulative, b.mul(scaled, b.add('Exp', [exponent]))])
}

/**
 * (1 + tanh u)/2 is σ(2u), so that y = x·σ(v) with v = 2u = x·(a + c·x²), a = 2√(2/π), c = 0.044715·a: the slope is
 * σ + x·v′·σ·(1 − σ) with v′ = a + 3c·x².
 */
function tanhSlope(x: string, b: GradientBuilder): string {
  const a = 2 * Math.sqrt(2 / Math.PI)
  const cubic = b.mul(b.mul(x, x), b.number(0.044715 * a, x))
  const v = b.mul(x, b.add('Add', [cubic, b.number(a, x)]))
  const gate = b.add('Sigmoid', [v])
  // x·v′ = v + 2c·x³
  const slope = b.add('Add', [v, b.mul(b.mul(x, cubic), b.number(2, x))])
  const rest = b.mul(slope, b.add('Sub', [b.number(1, x), gate]))
  return b.mul(gate, b.add('Add', [rest, b.number(1, x)]))
}
