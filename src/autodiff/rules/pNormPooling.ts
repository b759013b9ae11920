import { intAttribute } from '../../onnx/attributes.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { rule, subgradient } from '../rule.js'
import type { Rule } from '../rule.js'
import { poolWindow, spread } from './windows.js'

/** y = (Σ|x|^p)^(1/p), so dy/dx = sign(x)·|x|^(p−1)·y^(1−p): what depends on the window is spread, the rest is the pixel's. */
export const pNormPooling: Readonly<Record<string, Rule>> = {
  LpPool: subgradient(
    'slope 0 where a window, or with p = 1 a pixel, is 0',
    rule((node, gradient, b) => {
      const [x] = node.inputs
      const [y] = node.outputs
      const p = intAttribute(node, 'p', 2)
      const window = poolWindow(node, b)
      const channels = b.dims(x)[1]
      const taps = window.kernel.reduce((total, size) => total * size, channels)
      const ones = b.tensor(new Float64Array(taps).fill(1), [channels, 1, ...window.kernel], x)
      const spreadOut = spread(b, p === 1 ? gradient : perWindow(gradient, y, p, b), ones, channels, window)
      return [b.mul(spreadOut, perPixel(x, p, b))]
    }),
  ),
}

/** gradient · y^(1−p) */
function perWindow(gradient: string, y: string, p: number, b: GradientBuilder): string {
  const share = p === 2 ? b.add('Div', [gradient, y]) : b.mul(gradient, power(y, 1 - p, y, b))
  return b.where(b.add('Greater', [y, b.number(0, y)]), share, y)
}

/** sign(x)·|x|^(p−1) */
function perPixel(x: string, p: number, b: GradientBuilder): string {
  if (p === 1) return b.add('Sign', [x])
  if (p === 2) return x
  return b.mul(b.add('Sign', [x]), power(b.add('Abs', [x]), p - 1, x, b))
}

function power(base: string, exponent: number, like: string, b: GradientBuilder): string {
  return b.add('Pow', [base, b.number(exponent, like)])
}
