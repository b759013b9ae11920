import type { GradientBuilder } from '../gradientBuilder.js'
import { elementwise, rule } from '../rule.js'
import type { Rule } from '../rule.js'
import { isGate, overPixels, sumOfPixels } from './featureMaps.js'

/** Two operands that broadcast: each derivative is made only for an operand that needs it, then summed back. */
function binary(
  left: (gradient: string, a: string, b: string, y: string, g: GradientBuilder) => string,
  right: (gradient: string, a: string, b: string, y: string, g: GradientBuilder) => string,
): Rule {
  return rule((node, gradient, g) => {
    const [a, b] = node.inputs
    const y = node.outputs[0]
    return [left, right].map((derivative, place) => {
      const input = node.inputs[place]
      return g.isActive(input) ? g.unbroadcast(derivative(gradient, a, b, y, g), y, input) : undefined
    })
  })
}

const same = (gradient: string): string => gradient

/** d|x|^p at x = 0 with p < 1 is infinite, and so is the root's: onnxruntime's Pow says the same. */
export const arithmetic: Readonly<Record<string, Rule>> = {
  Add: binary(same, same),
  Sub: binary(same, (gradient, _a, _b, _y, g) => g.add('Neg', [gradient])),
  Mul: rule((node, gradient, g) => {
    const [y] = node.outputs
    return [0, 1].map((place) => {
      const own = node.inputs[place]
      const other = node.inputs[1 - place]
      if (!g.isActive(own)) return undefined
      if (isGate(own, y, g)) return sumOfPixels(g.mul(gradient, other), y, g)
      return g.unbroadcast(g.mul(gradient, isGate(other, y, g) ? overPixels(other, y, g) : other), y, own)
    })
  }),
  Div: rule((node, gradient, g) => {
    const [a, b] = node.inputs
    const [y] = node.outputs
    // −Σ g·y / b: a divisor for many, such as a deviation, is divided by once they are summed.
    const forDivisor = (): string => g.add('Neg', [g.add('Div', [g.unbroadcast(g.mul(gradient, y), y, b), b])])
    return [
      g.isActive(a) ? g.unbroadcast(g.add('Div', [gradient, b]), y, a) : undefined,
      g.isActive(b) ? forDivisor() : undefined,
    ]
  }),
  Pow: binary(
    (gradient, a, b, _y, g) => g.mul(gradient, powerDerivative(a, b, g)),
    (gradient, a, _b, y, g) =>
      g.mul(gradient, g.where(g.add('Greater', [a, g.number(0, a)]), g.mul(y, g.add('Log', [a])), a)),
  ),
  Neg: rule((_node, gradient, g) => [g.add('Neg', [gradient])]),
  Exp: elementwise((_x, y) => y),
  Sqrt: elementwise((_x, y, g) => g.add('Div', [g.number(0.5, y), y])),
  Erf: elementwise((x, _y, g) =>
    g.mul(g.number(2 / Math.sqrt(Math.PI), x), g.add('Exp', [g.add('Neg', [g.mul(x, x)])])),
  ),
}

/** b·a^(b−1), short for the squares that variances are made of. The exponent may have another type than the base. */
function powerDerivative(a: string, b: string, g: GradientBuilder): string {
  const exponent = g.constantOf(b)
  if (exponent?.data.length === 1 && Number(exponent.data[0]) === 2) return g.add('Add', [a, a])
  const type = g.observed(a).type
  const power = g.observed(b).type === type ? b : g.add('CastLike', [b, a])
  return g.mul(power, g.add('Pow', [a, g.add('Sub', [power, g.number(1, a)])]))
}
