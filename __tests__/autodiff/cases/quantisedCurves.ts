import { makeNode } from '../../../src/onnx/attributes.js'
import type { Tensor } from '../../../src/onnx/graph.js'
import { composed, count, floating, generator, integers, numbersOf, single, smallIntegers } from '../support.js'
import type { Case } from '../support.js'
import { between, scale, wholes, zero } from './quantised.js'
import type { Between } from './quantised.js'

/** A quantised operator that is not linear, next to the real one, in double where that has a kernel. */
export interface Quantised {
  readonly tested: Case
  readonly twin: Case
  /** Where both agree in front of the operator: on the steps. */
  readonly points: (dims: readonly number[]) => Tensor
}

export const onSteps =
  (step: number, reach: number) =>
  (dims: readonly number[]): Tensor => {
    const random = generator(41)
    const values = Array.from({ length: count(dims) }, () => step * (Math.floor(random() * (2 * reach + 1)) - reach))
    return floating('float32', dims, values)
  }

/** Whole numbers from −127 to 128, both ends in every image: one dynamic step is 1. */
export function dynamicSteps(dims: readonly number[]): Tensor {
  const size = count(dims.slice(1))
  const random = generator(43)
  const values = Array.from({ length: count(dims) }, (_, at) =>
    at % size === 0 ? -127 : at % size === 1 ? 128 : Math.floor(random() * 256) - 127,
  )
  return floating('float32', dims, values)
}

const around = (name: string, twin: Case, options: Partial<Between> & Pick<Between, 'to'>): Quantised => ({
  tested: between(name, {
    shape: twin.shape,
    from: [scale(0.125), zero('uint8', 100)],
    inputs: ['q', 'qs', 'qz', 'rs', 'rz'],
    ...options,
  }),
  twin,
  points: onSteps(0.125, 8),
})

const double = (name: string, options: Parameters<typeof single>[2] = {}): Case =>
  single(name, [2, 3, 4], { ...options, type: 'float64' })

const matrix = wholes('int8', [4, 3], 3, 50)
const columns = floating('float64', [3], [0.5, 1, 2])
const origins = [1, 2, 3]
const wholeMatrix = (of: readonly number[] = [0, 0, 0]): Tensor =>
  floating(
    'float64',
    [4, 3],
    Array.from(matrix.data as Int8Array, (value, at) => (value - of[at % 3]) * Number(columns.data[at % 3])),
  )

export const QUANTISED: readonly Quantised[] = [
  around('com.microsoft.QLinearSigmoid', double('Sigmoid'), { to: [scale(1 / 256), zero('uint8', 0)] }),
  around('com.microsoft.QLinearSigmoid, int8', double('Sigmoid'), {
    from: [scale(0.125), zero('int8', 10)],
    to: [scale(1 / 200), zero('int8', -100)],
  }),
  {
    ...around(
      'com.microsoft.QLinearLeakyRelu',
      composed(
        'LeakyRelu',
        [2, 3, 4],
        [
          makeNode('Relu', ['x'], ['up']),
          makeNode('Mul', ['x', 'slope'], ['part']),
          makeNode('Mul', ['up', 'rest'], ['whole']),
          makeNode('Add', ['part', 'whole'], ['y']),
        ],
        { slope: floating('float64', [], [0.25]), rest: floating('float64', [], [0.75]) },
        'float64',
      ),
      { to: [scale(0.1), zero('uint8', 90)], attributes: { alpha: { float: 0.25 } } },
    ),
  },
  around('com.microsoft.QLinearSoftmax', double('Softmax', { attributes: { axis: 1 } }), {
    to: [scale(1 / 256), zero('uint8', 0)],
    attributes: { axis: 1, opset: 13 },
  }),
  around('com.microsoft.QLinearSoftmax, int8, last axis', double('Softmax'), {
    from: [scale(0.125), zero('int8', 10)],
    to: [scale(1 / 256), zero('int8', -128)],
    attributes: { axis: -1, opset: 15 },
  }),
  around(
    'com.microsoft.QLinearSoftmax, all axes behind the second as one, as before opset 13',
    composed(
      'Softmax of a matrix',
      [2, 3, 4],
      [
        makeNode('Reshape', ['x', 'flat'], ['f']),
        makeNode('Softmax', ['f'], ['s']),
        makeNode('Reshape', ['s', 'back'], ['y']),
      ],
      { flat: integers([-1, 12]), back: integers([-1, 2, 3, 4]) },
      'float64',
    ),
    { to: [scale(1 / 256), zero('uint8', 0)], attributes: { axis: 2, opset: 12 } },
  ),
  around('com.microsoft.QLinearMul, x with itself', double('Mul', { inputs: ['x', 'x'] }), {
    inputs: ['q', 'qs', 'qz', 'q', 'qs', 'qz', 'rs', 'rz'],
    to: [scale(0.1), zero('uint8', 4)],
  }),
  {
    tested: composed(
      'DynamicQuantizeLinear',
      [2, 3],
      [makeNode('DynamicQuantizeLinear', ['x'], ['q', 's', 'z']), makeNode('DequantizeLinear', ['q', 's', 'z'], ['y'])],
    ),
    twin: composed('identity', [2, 3], [makeNode('Neg', ['x'], ['n']), makeNode('Neg', ['n'], ['y'])], {}, 'float64'),
    points: dynamicSteps,
  },
  {
    tested: composed(
      'DynamicQuantizeLinear, then MatMulInteger',
      [2, 4],
      [
        makeNode('DynamicQuantizeLinear', ['x'], ['q', 's', 'z']),
        makeNode('MatMulInteger', ['q', 'w', 'z'], ['sums']),
        makeNode('Cast', ['sums'], ['real'], { to: 1 }),
        makeNode('Mul', ['s', 'ws'], ['scales']),
        makeNode('Mul', ['real', 'scales'], ['y']),
      ],
      { w: matrix, ws: floating('float32', [3], numbersOf(columns)) },
    ),
    twin: single('MatMul', [2, 4], { type: 'float64', constants: { w: wholeMatrix() } }),
    points: dynamicSteps,
  },
  {
    tested: composed(
      'com.microsoft.DynamicQuantizeMatMul',
      [2, 4],
      [makeNode('DynamicQuantizeMatMul', ['x', 'w', 'ws', 'wz', 'c'], ['y'], {}, '', 'com.microsoft')],
      {
        w: matrix,
        ws: floating('float32', [3], numbersOf(columns)),
        wz: zero('int8', ...origins),
        c: smallIntegers('float32', [3], 4),
      },
    ),
    twin: single('MatMul', [2, 4], { type: 'float64', constants: { w: wholeMatrix(origins) } }),
    points: dynamicSteps,
  },
  {
    tested: composed(
      'com.microsoft.DynamicQuantizeMatMul, one scale, nothing else',
      [4],
      [makeNode('DynamicQuantizeMatMul', ['x', 'w', 'ws'], ['y'], {}, '', 'com.microsoft')],
      { w: matrix, ws: scale(0.5) },
    ),
    twin: single('MatMul', [4], {
      type: 'float64',
      constants: {
        w: floating(
          'float64',
          [4, 3],
          Array.from(matrix.data as Int8Array, (value) => value / 2),
        ),
      },
    }),
    points: dynamicSteps,
  },
]
