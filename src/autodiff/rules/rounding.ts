import { intAttribute } from '../../onnx/attributes.js'
import { rule, straightThrough, subgradient } from '../rule.js'
import type { Rule } from '../rule.js'
import { activation } from './activation.js'

const identity: Rule = straightThrough(
  'the identity',
  rule((_node, gradient) => [gradient]),
)

/** Steps: flat almost everywhere, so a smooth stand-in's gradient takes their place (Bengio 2013; Athalye 2018, BPDA). */
export const rounding: Readonly<Record<string, Rule>> = {
  Round: identity,
  Floor: identity,
  Ceil: identity,

  // As binarised networks are trained (Courbariaux & Hubara 2016, eq. 4).
  Sign: straightThrough(
    'the identity where |x| ≤ 1, nothing beyond',
    rule((node, gradient, b) => {
      const [x] = node.inputs
      return [b.where(b.add('LessOrEqual', [b.add('Abs', [x]), b.number(1, x)]), gradient, x)]
    }),
  ),

  Hardmax: straightThrough(
    'Softmax',
    rule((node, gradient, b) => {
      const [x] = node.inputs
      const soft = b.add('Softmax', [x], { axis: intAttribute(node, 'axis', -1) })
      return activation.Softmax({ ...node, outputs: [soft] }, [gradient], b)
    }),
  ),

  // y = a − b·trunc(a/b) with the quotient, a whole number, held fixed.
  Mod: subgradient(
    'the jumps at multiples of the divisor are not seen',
    rule((node, gradient, b) => {
      const [dividend, divisor] = node.inputs
      const [y] = node.outputs
      const forDivisor = (): string => {
        const quotient = b.add('Round', [b.add('Div', [b.add('Sub', [dividend, y]), divisor])])
        return b.add('Neg', [b.mul(gradient, quotient)])
      }
      return [
        b.isActive(dividend) ? b.unbroadcast(gradient, y, dividend) : undefined,
        b.isActive(divisor) ? b.unbroadcast(forDivisor(), y, divisor) : undefined,
      ]
    }),
  ),
}
