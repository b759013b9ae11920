import { makeNode } from '../../../src/onnx/attributes.js'
import type { AttributeValues } from '../../../src/onnx/attributes.js'
import { composed, floating, reals, single, smallIntegers } from '../support.js'
import type { Case, Pointwise } from '../support.js'

const cube = [2, 3, 4]
const double = 'float64'
const weights = (dims: readonly number[], seed = 3) => smallIntegers('float32', dims, seed)

export const LINEAR: readonly Case[] = [
  single('Dropout', cube, { label: 'opset 7', opset: 7 }),
  single('Sum', cube, { label: 'of one', inputs: ['x'] }),
  single('Sum', cube, {
    label: 'broadcast both ways, x twice',
    inputs: ['x', 'c', 'x'],
    constants: { c: weights([5, 1, 1, 1, 4]) },
    batch: 2,
  }),
  single('Sum', [1, 4], {
    label: 'x broadcast',
    inputs: ['a', 'x', 'c'],
    constants: { a: weights([3, 1]), c: weights([4]) },
  }),
  single('Mean', cube, { label: 'of one', inputs: ['x'] }),
  single('Mean', [3, 1], {
    label: 'of four, broadcast',
    inputs: ['x', 'a', 'x', 'c'],
    constants: { a: weights([4]), c: weights([1, 1, 1]) },
  }),
  single('PRelu', [1, 4], {
    label: 'x as the slope, broadcast',
    inputs: ['c', 'x'],
    constants: { c: weights([3, 4]) },
  }),
  single('CastLike', cube, { constants: { like: floating(double, [], [0]) } }),
  single('Dropout', cube, { label: 'a seed for training', attributes: { seed: 3 } }),
  single('Dropout', cube),
  single('Dropout', cube, {
    label: 'with a mask, not training',
    inputs: ['x', '', 'training'],
    constants: { training: { type: 'bool', dims: [], data: Uint8Array.of(0) } },
  }),
  single('Mod', cube, {
    label: 'by a large number',
    constants: { c: floating('float32', [], [64]) },
    attributes: { fmod: 1 },
  }),
]

const plain = (op: string, attributes: AttributeValues = {}, label?: string): Case =>
  single(op, cube, { type: double, attributes, label })
/** `op` of x² + c, for functions of positive numbers. */
const ofPositive = (op: string, offset: number, type: 'float32' | 'float64' = double): Case =>
  composed(
    `${op} of x² + ${offset}`,
    cube,
    [makeNode('Mul', ['x', 'x'], ['s']), makeNode('Add', ['s', 'c'], ['p']), makeNode(op, ['p'], ['y'])],
    { c: floating(type, [], [offset]) },
    type,
  )

export const SMOOTH: readonly Case[] = [
  plain('Abs'),
  plain('Sin'),
  plain('Cos'),
  ofPositive('Log', 0.5),
  ofPositive('Reciprocal', 0.5),
  plain('Swish'),
  plain('Swish', { alpha: { float: 1.7 } }, 'alpha'),
  plain('Gelu', { approximate: 'tanh' }, 'tanh'),
  single('Mod', cube, {
    type: double,
    constants: { c: floating(double, [4], [0.7, -0.9, 1.1, 0.4]) },
    attributes: { fmod: 1 },
  }),
  single('Mod', [1, 4], {
    label: 'by x, broadcast',
    type: double,
    inputs: ['c', 'x'],
    constants: { c: reals(double, [3, 1], 41, -9, 9) },
    attributes: { fmod: 1 },
  }),
  ...['Max', 'Min'].flatMap((op) => [
    single(op, cube, { label: 'of one', type: double, inputs: ['x'] }),
    single(op, cube, { label: 'with a constant', type: double, constants: { c: reals(double, [3, 1], 41, -1, 1) } }),
    single(op, [3, 1], {
      label: 'of three, x broadcast',
      type: double,
      inputs: ['a', 'x', 'c'],
      constants: { a: reals(double, [4], 42), c: reals(double, [1, 1, 1], 43, -0.2, 0.2) },
    }),
    composed(
      `${op} of two values that depend on x`,
      cube,
      [makeNode('Sin', ['x'], ['s']), makeNode('Cos', ['x'], ['c']), makeNode(op, ['s', 'c'], ['y'])],
      {},
      double,
    ),
  ]),
]

const softplus = (x: number): number => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0)
/** `op` of k·x, for functions with a bounded domain or large values. */
const scaled = (op: string, factor: number, reference: (x: number) => number): Pointwise => ({
  tested: composed(`${op} of ${factor}·x`, cube, [makeNode('Mul', ['x', 'k'], ['s']), makeNode(op, ['s'], ['y'])], {
    k: floating('float32', [], [factor]),
  }),
  reference: (x) => reference(factor * x),
})
const pointwise = (
  op: string,
  reference: (x: number) => number,
  attributes: AttributeValues = {},
  label?: string,
): Pointwise => ({ tested: single(op, cube, { attributes, label }), reference })

/** Φ(x) = (1 + erf(x/√2))/2 by the series of Abramowitz & Stegun 26.2.11, whose terms have one sign: nothing cancels. */
function normalCdf(x: number): number {
  let [term, total] = [x, x]
  for (let n = 1; n < 60; n++) {
    term *= (x * x) / (2 * n + 1)
    total += term
  }
  return 0.5 + (total * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI)
}

const selu = (alpha: number, gamma: number) => (x: number) => gamma * (x > 0 ? x : alpha * Math.expm1(x))

export const POINTWISE: readonly Pointwise[] = [
  scaled('Tan', 0.375, Math.tan),
  scaled('Asin', 0.25, Math.asin),
  scaled('Acos', 0.25, Math.acos),
  scaled('Atanh', 0.25, Math.atanh),
  scaled('Sinh', 0.5, Math.sinh),
  scaled('Cosh', 0.5, Math.cosh),
  pointwise('Atan', Math.atan),
  pointwise('Asinh', Math.asinh),
  { tested: ofPositive('Acosh', 1.5, 'float32'), reference: (x) => Math.acosh(x * x + 1.5) },
  pointwise('Celu', (x) => Math.max(x, 0) + Math.min(0, Math.expm1(x))),
  pointwise(
    'Celu',
    (x) => Math.max(x, 0) + Math.min(0, 0.75 * Math.expm1(x / 0.75)),
    { alpha: { float: 0.75 } },
    'alpha',
  ),
  pointwise('Selu', selu(1.6732632423543772, 1.0507009873554805)),
  pointwise('Selu', selu(0.5, 1.25), { alpha: { float: 0.5 }, gamma: { float: 1.25 } }, 'both attributes'),
  pointwise('Softplus', softplus),
  pointwise('Softsign', (x) => x / (1 + Math.abs(x))),
  pointwise('ThresholdedRelu', (x) => (x > 1 ? x : 0)),
  pointwise('ThresholdedRelu', (x) => (x > -0.5 ? x : 0), { alpha: { float: -0.5 } }, 'alpha'),
  // onnxruntime's kernel for double computes in float32.
  pointwise('Shrink', (x) => (Math.abs(x) > 0.5 ? x : 0)),
  pointwise(
    'Shrink',
    (x) => (Math.abs(x) > 0.75 ? x - 0.25 * Math.sign(x) : 0),
    { lambd: { float: 0.75 }, bias: { float: 0.25 } },
    'both attributes',
  ),
  pointwise('Mish', (x) => x * Math.tanh(softplus(x))),
  pointwise('Gelu', (x) => x * normalCdf(x)),
  pointwise(
    'Gelu',
    (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    { approximate: 'tanh' },
    'tanh',
  ),
  {
    tested: single('PRelu', cube, { constants: { slope: floating('float32', [3, 1], [0.25, 0.25, 0.25]) } }),
    reference: (x) => (x > 0 ? x : 0.25 * x),
  },
]
