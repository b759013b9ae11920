import type { GradientBuilder } from '../gradientBuilder.js'
import { elementwise, rule, subgradient } from '../rule.js'
import type { Rule } from '../rule.js'

/** g / d, where f′ = 1 / d. At the ends of the domain f′ is infinite, and so is this, as in PyTorch. */
function over(denominator: (x: string, b: GradientBuilder) => string): Rule {
  return rule((node, gradient, b) => [b.add('Div', [gradient, denominator(node.inputs[0], b)])])
}

const onePlusSquare = (x: string, b: GradientBuilder): string => b.add('Add', [b.mul(x, x), b.number(1, x)])
const oneMinusSquare = (x: string, b: GradientBuilder): string => b.add('Sub', [b.number(1, x), b.mul(x, x)])
const squareMinusOne = (x: string, b: GradientBuilder): string => b.add('Sub', [b.mul(x, x), b.number(1, x)])
const root = (value: string, b: GradientBuilder): string => b.add('Sqrt', [value])

/** Functions of the calculus books. */
export const elementary: Readonly<Record<string, Rule>> = {
  Abs: subgradient(
    'slope 0 at 0',
    elementwise((x, _y, b) => b.add('Sign', [x])),
  ),
  Log: over((x) => x),
  Reciprocal: elementwise((_x, y, b) => b.add('Neg', [b.mul(y, y)])),

  Sin: elementwise((x, _y, b) => b.add('Cos', [x])),
  Cos: elementwise((x, _y, b) => b.add('Neg', [b.add('Sin', [x])])),
  Tan: elementwise((_x, y, b) => onePlusSquare(y, b)),
  Asin: over((x, b) => root(oneMinusSquare(x, b), b)),
  Acos: over((x, b) => b.add('Neg', [root(oneMinusSquare(x, b), b)])),
  Atan: over(onePlusSquare),

  Sinh: elementwise((x, _y, b) => b.add('Cosh', [x])),
  Cosh: elementwise((x, _y, b) => b.add('Sinh', [x])),
  Asinh: over((x, b) => root(onePlusSquare(x, b), b)),
  Acosh: over((x, b) => root(squareMinusOne(x, b), b)),
  Atanh: over(oneMinusSquare),
}
