import { makeNode } from '../../../src/onnx/attributes.js'
import { composed, floating, integers, reals, single } from '../support.js'
import type { Case, Pointwise } from '../support.js'

const cube = [2, 3, 4]

/** Nonlinear, with kernels in double: checked against central differences in float64. */
export const SMOOTH: readonly Case[] = [
  single('Relu', cube, { type: 'float64' }),
  single('Sigmoid', cube, { type: 'float64' }),
  single('Tanh', cube, { type: 'float64' }),
  single('Exp', cube, { type: 'float64' }),
  single('Clip', cube, {
    type: 'float64',
    constants: { low: floating('float64', [], [-0.5]), high: floating('float64', [], [0.8]) },
  }),
  single('Clip', cube, {
    label: 'no lower bound',
    type: 'float64',
    inputs: ['x', '', 'high'],
    constants: { high: floating('float64', [], [0.3]) },
  }),
  single('Softmax', cube, { type: 'float64' }),
  single('Softmax', cube, { label: 'axis −2', type: 'float64', attributes: { axis: -2 } }),
  single('Softmax', cube, { label: 'axis 1', type: 'float64', attributes: { axis: 1 } }),
  // As PyTorch writes attention of rows that may look at nothing.
  composed(
    'Softmax of nothing but −∞, and 0 in its place',
    [2, 3],
    [
      makeNode('Add', ['x', 'mask'], ['masked']),
      makeNode('Softmax', ['masked'], ['made']),
      makeNode('IsNaN', ['made'], ['none']),
      makeNode('Where', ['none', 'zero', 'made'], ['y']),
    ],
    {
      mask: floating('float64', [2, 3], [0, -Infinity, 0, -Infinity, -Infinity, -Infinity]),
      zero: floating('float64', [], [0]),
    },
    'float64',
  ),
  single('LogSoftmax', cube, { label: 'axis −2', type: 'float64', attributes: { axis: -2 } }),
  single('Pow', cube, { label: 'square', type: 'float64', constants: { p: floating('float64', [], [2]) } }),
  single('Pow', cube, { label: 'cube, an integer exponent', type: 'float64', constants: { p: integers([3], []) } }),
  composed(
    'Pow, a fractional exponent per column',
    cube,
    [makeNode('Exp', ['x'], ['e']), makeNode('Pow', ['e', 'p'], ['y'])],
    { p: floating('float64', [4], [0.5, 1.5, -1, 2.5]) },
    'float64',
  ),
  single('Pow', cube, {
    label: 'x as the exponent',
    type: 'float64',
    inputs: ['c', 'x'],
    constants: { c: floating('float64', [4], [0.5, 1.5, 3, 2]) },
  }),
  composed('Sqrt', cube, [makeNode('Exp', ['x'], ['e']), makeNode('Sqrt', ['e'], ['y'])], {}, 'float64'),
  single('Mul', cube, { label: 'x with itself', type: 'float64', inputs: ['x', 'x'] }),
  composed('Div, both sides', cube, [makeNode('Exp', ['x'], ['e']), makeNode('Div', ['x', 'e'], ['y'])], {}, 'float64'),
  composed(
    'Div, by x, broadcast',
    [1, 4],
    [makeNode('Exp', ['x'], ['e']), makeNode('Div', ['c', 'e'], ['y'])],
    { c: reals('float64', [3, 1], 5) },
    'float64',
  ),
  single('MaxPool', [2, 6, 6], {
    label: 'tiles',
    type: 'float64',
    attributes: { kernel_shape: [2, 2], strides: [2, 2] },
  }),
  single('MaxPool', [2, 7, 6], {
    label: 'overlapping, padded',
    type: 'float64',
    attributes: { kernel_shape: [3, 3], strides: [2, 1], pads: [1, 1, 1, 1] },
  }),
  single('MaxPool', [1, 7, 8], {
    label: 'ceil mode',
    type: 'float64',
    attributes: { kernel_shape: [2, 3], strides: [2, 2], ceil_mode: 1 },
  }),
  single('MaxPool', [1, 9], {
    label: 'one axis, dilated',
    type: 'float64',
    attributes: { kernel_shape: [3], dilations: [2] },
  }),
  single('ReduceMax', cube, { type: 'float64', constants: { axes: [-1] } }),
  single('ReduceMax', cube, {
    label: 'not kept',
    type: 'float64',
    constants: { axes: [1, 2] },
    attributes: { keepdims: 0 },
  }),
  single('BatchNormalization', [3, 4], {
    type: 'float64',
    constants: {
      scale: reals('float64', [3], 5),
      bias: reals('float64', [3], 6),
      mean: reals('float64', [3], 7),
      variance: reals('float64', [3], 8, 0.5, 3),
    },
  }),
  composed(
    'MatMul of x with itself (attention)',
    [2, 3, 4],
    [makeNode('Transpose', ['x'], ['t'], { perm: [0, 1, 3, 2] }), makeNode('MatMul', ['x', 't'], ['y'])],
    {},
    'float64',
  ),
  composed(
    'Concat and Slice of one value, used three times',
    cube,
    [
      makeNode('Mul', ['x', 'x'], ['s']),
      makeNode('Concat', ['s', 'x'], ['c'], { axis: 1 }),
      makeNode('Add', ['c', 'c'], ['y']),
    ],
    {},
    'float64',
  ),
  composed(
    'Where on a condition that depends on x',
    cube,
    [
      makeNode('Greater', ['x', 'zero'], ['positive']),
      makeNode('Exp', ['x'], ['e']),
      makeNode('Where', ['positive', 'e', 'x'], ['y']),
    ],
    { zero: floating('float64', [], [0]) },
    'float64',
  ),
]

const sixths = (x: number): number => Math.min(Math.max(x / 6 + 0.5, 0), 1)

/** Abramowitz & Stegun 7.1.6, whose terms have one sign: nothing cancels. */
function erf(x: number): number {
  let [term, total] = [x, x]
  for (let n = 1; n < 60; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    total += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total
}

export const POINTWISE: readonly Pointwise[] = [
  { tested: single('Relu', cube), reference: (x) => Math.max(x, 0) },
  { tested: single('Relu', [16, 2, 3], { label: 'feature maps' }), reference: (x) => Math.max(x, 0) },
  {
    tested: single('LeakyRelu', cube, { attributes: { alpha: { float: 0.1 } } }),
    reference: (x) => (x > 0 ? x : 0.1 * x),
  },
  { tested: single('LeakyRelu', cube, { label: 'default slope' }), reference: (x) => (x > 0 ? x : 0.01 * x) },
  {
    tested: single('Elu', cube, { attributes: { alpha: { float: 0.7 } } }),
    reference: (x) => (x > 0 ? x : 0.7 * Math.expm1(x)),
  },
  {
    tested: single('HardSigmoid', cube, { attributes: { alpha: { float: 0.3 }, beta: { float: 0.6 } } }),
    reference: (x) => Math.min(Math.max(0.3 * x + 0.6, 0), 1),
  },
  {
    tested: single('HardSigmoid', cube, { label: 'defaults' }),
    reference: (x) => Math.min(Math.max(0.2 * x + 0.5, 0), 1),
  },
  { tested: single('HardSwish', cube), reference: (x) => x * sixths(x) },
  { tested: single('Erf', cube), reference: erf },
]
