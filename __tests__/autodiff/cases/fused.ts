import { makeNode } from '../../../src/onnx/attributes.js'
import type { AttributeValues } from '../../../src/onnx/attributes.js'
import type { Node, Tensor } from '../../../src/onnx/graph.js'
import { composed, count, floating, integers, numbersOf, reals, smallIntegers } from '../support.js'
import type { Case, Doubled, Pointwise } from '../support.js'

/** One node of onnxruntime's own domain on `x` and the constants. */
function fused(
  op: string,
  shape: readonly number[],
  label: string,
  constants: Readonly<Record<string, Tensor>>,
  attributes: AttributeValues,
  inputs = ['x', ...Object.keys(constants)],
): Case {
  return composed(
    `${op}, ${label}`,
    shape,
    [makeNode(op, inputs, ['y'], attributes, 'tested', 'com.microsoft')],
    constants,
  )
}

const weights = (...dims: readonly number[]) => smallIntegers('float32', dims, 3)

export const LINEAR: readonly Case[] = [
  fused('FusedMatMul', [3, 4], 'alpha', { w: weights(4, 5) }, { alpha: { float: 0.5 } }),
  fused('FusedMatMul', [4, 3], 'transA', { w: weights(4, 5) }, { transA: 1 }),
  fused('FusedMatMul', [2, 3, 4], 'transB', { w: weights(5, 4) }, { transB: 1, alpha: { float: 2 } }),
  fused('FusedMatMul', [3, 2, 4], 'transBatchB', { w: weights(4, 1, 3, 5) }, { transBatchB: 1 }),
  fused('FusedMatMul', [3, 5], 'transBatchB and transB', { w: weights(2, 1, 5) }, { transBatchB: 1, transB: 1 }),
  fused('FusedMatMul', [3, 2, 5], 'transBatchA, x on the right', { w: weights(4, 1, 3, 2) }, { transBatchA: 1 }, [
    'w',
    'x',
  ]),
  fused('TransposeMatMul', [4, 3], 'transA and alpha', { w: weights(4, 5) }, { transA: 1, alpha: { float: 2 } }),
]

const erfGelu = (x: number): number => (x * (1 + erf(x / Math.SQRT2))) / 2
const tanhGelu = (x: number): number => (x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)))) / 2
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
const third = floating('float32', [4], [0.25, 0.25, 0.25, 0.25])

/** Abramowitz & Stegun 7.1.5, the Maclaurin series: exact to double precision for |x| ≤ 3. */
function erf(x: number): number {
  let [term, total] = [x, x]
  for (let n = 1; n < 60; n++) {
    term *= (-x * x) / n
    total += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * total
}

export const POINTWISE: readonly Pointwise[] = [
  { tested: fused('Gelu', [3, 4], 'fused', {}, {}), reference: erfGelu },
  { tested: fused('BiasGelu', [3, 4], 'bias', { c: third }, {}), reference: (x) => erfGelu(x + 0.25) },
  { tested: fused('FastGelu', [3, 4], 'no bias', {}, {}), reference: tanhGelu },
  { tested: fused('FastGelu', [3, 4], 'bias', { c: third }, {}), reference: (x) => tanhGelu(x + 0.25) },
  { tested: fused('QuickGelu', [3, 4], 'default', {}, {}), reference: (x) => x * sigmoid(1.702 * x) },
  {
    tested: fused('QuickGelu', [3, 4], 'alpha', {}, { alpha: { float: 0.5 } }),
    reference: (x) => x * sigmoid(0.5 * x),
  },
]

/** Activations from `a` to `y`, in operators that have kernels in double. */
const activations: Readonly<Record<string, readonly [AttributeValues, readonly Node[]]>> = {
  Relu: [{}, [makeNode('Relu', ['a'], ['y'])]],
  Tanh: [{}, [makeNode('Tanh', ['a'], ['y'])]],
  Sigmoid: [{}, [makeNode('Sigmoid', ['a'], ['y'])]],
  LeakyRelu: [
    { activation_params: { floats: [0.25] } },
    [makeNode('Mul', ['a', 'quarter'], ['b']), makeNode('Max', ['a', 'b'], ['y'])],
  ],
  Clip: [{ activation_params: { floats: [-0.5, 2] } }, [makeNode('Clip', ['a', 'low', 'high'], ['y'])]],
  HardSigmoid: [
    { activation_params: { floats: [0.25, 0.5] } },
    [
      makeNode('Mul', ['a', 'quarter'], ['b']),
      makeNode('Add', ['b', 'half'], ['c']),
      makeNode('Clip', ['c', 'zero', 'one'], ['y']),
    ],
  ],
  HardSwish: [
    {},
    [
      makeNode('Div', ['a', 'six'], ['b']),
      makeNode('Add', ['b', 'half'], ['c']),
      makeNode('Clip', ['c', 'zero', 'one'], ['d']),
      makeNode('Mul', ['a', 'd'], ['y']),
    ],
  ],
}

const scalars = { quarter: 0.25, half: 0.5, zero: 0, one: 1, six: 6, low: -0.5, high: 2 }

export const DOUBLED: readonly Doubled[] = [
  ...Object.keys(activations).map((activation) => fusedConv(activation, {})),
  fusedConv('Relu', { residual: true, strides: [2, 1], pads: [1, 0, 1, 2] }),
  fusedConv('Tanh', { residual: true }),
  ...['Relu', 'Sigmoid'].map((activation) => ({
    tested: fused(
      'FusedGemm',
      [4],
      activation,
      { w: reals('float32', [3, 4], 5), c: reals('float32', [3], 6) },
      { transB: 1, alpha: { float: 0.5 }, activation },
    ),
  })),
  {
    tested: fused(
      'FusedGemm',
      [4],
      'LeakyRelu',
      { w: reals('float32', [4, 3], 5) },
      { activation: 'LeakyRelu', activation_alpha: { float: 0.25 } },
    ),
    twin: inDouble([4], [makeNode('MatMul', ['x', 'w'], ['a']), ...activations.LeakyRelu[1]], {
      w: reals('float32', [4, 3], 5),
    }),
  },
]

function inDouble(shape: readonly number[], nodes: readonly Node[], constants: Readonly<Record<string, Tensor>>): Case {
  const all = {
    ...constants,
    ...Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, floating('float32', [], [value])])),
  }
  const wide = Object.entries(all).map(([name, value]) => [
    name,
    value.type === 'float32' ? floating('float64', value.dims, numbersOf(value)) : value,
  ])
  return composed('in double', shape, nodes, Object.fromEntries(wide), 'float64')
}

/** The twin multiplies by the matrix that the convolution is: onnxruntime has no Conv in double. */
function fusedConv(
  activation: string,
  options: { readonly residual?: boolean; readonly strides?: readonly number[]; readonly pads?: readonly number[] },
): Doubled {
  const { residual = false, strides = [1, 1], pads = [0, 0, 0, 0] } = options
  const shape = [2, 5, 4]
  const kernel = [3, 2, 3, 2]
  const w = reals('float32', kernel, 5, -0.5, 0.5)
  const bias = reals('float32', [3], 6)
  const size = [0, 1].map((axis) =>
    Math.floor((shape[axis + 1] + pads[axis] + pads[axis + 2] - kernel[axis + 2]) / strides[axis] + 1),
  )
  const output = [3, ...size]
  const z = reals('float32', [1, ...output], 7)
  const matrix = new Float64Array(count(shape) * count(output))
  for (let at = 0; at < count(output); at++)
    for (let tap = 0; tap < count(kernel.slice(1)); tap++) {
      const [filter, row, column] = unravel(at, output)
      const [channel, down, right] = unravel(tap, kernel.slice(1))
      const [y, x] = [row * strides[0] - pads[0] + down, column * strides[1] - pads[1] + right]
      if (y < 0 || y >= shape[1] || x < 0 || x >= shape[2]) continue
      const from = (channel * shape[1] + y) * shape[2] + x
      matrix[from * count(output) + at] = numbersOf(w)[filter * count(kernel.slice(1)) + tap]
    }
  const [parameters, nodes] = activations[activation]
  const onImage = residual ? ['x', 'w', 'bias', 'z'] : ['x', 'w', 'bias']
  const constants = { w, bias, z }
  return {
    tested: {
      ...fused(
        'FusedConv',
        shape,
        `${activation}${residual ? ', residual' : ''}`,
        constants,
        { ...parameters, activation, strides, pads },
        onImage,
      ),
      batch: residual ? 1 : undefined,
    },
    twin: inDouble(
      shape,
      [
        makeNode('Flatten', ['x'], ['flat']),
        makeNode('MatMul', ['flat', 'matrix'], ['product']),
        makeNode('Reshape', ['product', 'output'], ['image']),
        makeNode('Add', ['image', 'bias'], ['sum']),
        makeNode(residual ? 'Add' : 'Identity', residual ? ['sum', 'z'] : ['sum'], ['a']),
        ...nodes,
      ],
      {
        matrix: floating('float64', [count(shape), count(output)], matrix),
        bias: floating('float64', [3, 1, 1], numbersOf(bias)),
        output: integers([-1, ...output]),
        z,
      },
    ),
  }
}

function unravel(flat: number, [, rows, columns]: readonly number[]): readonly number[] {
  return [Math.floor(flat / (rows * columns)), Math.floor(flat / columns) % rows, flat % columns]
}
