import { makeNode } from '../../../src/onnx/attributes.js'
import type { AttributeValues } from '../../../src/onnx/attributes.js'
import type { Tensor } from '../../../src/onnx/graph.js'
import { composed, floating, reals, single, smallIntegers } from '../support.js'
import type { Case } from '../support.js'
import { between, scale, whole, wholes, zero } from './quantised.js'

/**
 * Both directions of broadcasting, with x in each place: its gradient is summed where x was repeated, and left as it is
 * where the other operand was.
 */
const DIRECTIONS = [
  { label: 'the other one is repeated', shape: [2, 3, 4], other: [3, 1] },
  { label: 'x is repeated', shape: [2, 1, 4], other: [3, 1] },
  { label: 'x has fewer axes', shape: [4], other: [2, 3, 1, 1], batch: 3 },
] as const

interface Operands {
  readonly attributes?: AttributeValues
  readonly other: (dims: readonly number[]) => Tensor
}

/** x on the left and on the right of an operator that is linear in it. */
function linear(op: string, places: readonly number[], { attributes, other }: Operands): readonly Case[] {
  return places.flatMap((place) =>
    DIRECTIONS.map(({ label, shape, other: dims, ...batch }) => ({
      ...single(op, shape, {
        label: `x ${place === 0 ? 'on the left' : 'on the right'}, ${label}`,
        inputs: place === 0 ? ['x', 'c'] : ['c', 'x'],
        constants: { c: other(dims) },
        attributes,
      }),
      ...batch,
    })),
  )
}

/** `op` of exp(x), which is positive, and of a positive constant. */
function curved(op: string, attributes?: AttributeValues): readonly Case[] {
  return [0, 1].flatMap((place) =>
    DIRECTIONS.map(({ label, shape, other, ...batch }) => ({
      ...composed(
        `${op}, x ${place === 0 ? 'on the left' : 'on the right'}, ${label}`,
        shape,
        [
          makeNode('Exp', ['x'], ['e']),
          makeNode(op, place === 0 ? ['e', 'c'] : ['c', 'e'], ['y'], attributes, 'tested'),
        ],
        { c: reals('float64', other, 41, 0.5, 3) },
        'float64',
      ),
      ...batch,
    })),
  )
}

const whole32 = (dims: readonly number[]): Tensor => smallIntegers('float32', dims, 3)
const powers = (dims: readonly number[]): Tensor => {
  const { data } = smallIntegers('float32', dims, 5)
  return floating(
    'float32',
    dims,
    Array.from({ length: data.length }, (_, at) => 2 ** Number(data[at])),
  )
}
const mask: Tensor = { type: 'bool', dims: [4], data: Uint8Array.of(1, 0, 0, 1) }

function chosen(place: 1 | 2): readonly Case[] {
  return DIRECTIONS.map(({ label, shape, other, ...batch }) => ({
    ...single('Where', shape, {
      label: `x ${place === 1 ? 'chosen' : 'otherwise'}, ${label}`,
      inputs: place === 1 ? ['if', 'x', 'c'] : ['if', 'c', 'x'],
      constants: { if: mask, c: whole32(other) },
    }),
    ...batch,
  }))
}

/** The same for operators on whole numbers, whose operands come with a scale and a zero point each. */
function quantised(op: string, before: readonly string[] = []): readonly Case[] {
  return [0, 1].flatMap((place) =>
    DIRECTIONS.map(({ label, shape, other, ...batch }) => ({
      ...between(`com.microsoft.${op}, x ${place === 0 ? 'first' : 'second'}, ${label}`, {
        shape,
        from: [scale(0.5), zero('uint8', 27)],
        to: [scale(0.5), zero('uint8', 90)],
        inputs: [
          ...before,
          ...(place === 0 ? ['q', 'qs', 'qz', 'c', 'cs', 'cz'] : ['c', 'cs', 'cz', 'q', 'qs', 'qz']),
          'rs',
          'rz',
        ],
        constants: {
          c: wholes('uint8', other, 3, 2, 30),
          cs: scale(1),
          cz: zero('uint8', 31),
          ...(before.length > 0 && { if: mask }),
        },
      }),
      ...batch,
    })),
  )
}

export const LINEAR: readonly Case[] = [
  ...['Add', 'Sub', 'Mul', 'Sum', 'Mean'].flatMap((op) => linear(op, [0, 1], { other: whole32 })),
  ...linear('Div', [0], { other: powers }),
  ...chosen(1),
  ...chosen(2),
  ...quantised('QLinearAdd'),
  ...quantised('QLinearMul'),
  ...quantised('QLinearWhere', ['if']),
  ...[0, 1].flatMap((place) =>
    [
      { label: 'the other one is repeated', shape: [2, 3, 3], other: [3, 3] },
      { label: 'x is repeated', shape: [1, 3, 3], other: [2, 3, 3] },
    ].flatMap(({ label, shape, other }) => {
      const side = `x ${place === 0 ? 'on the left' : 'on the right'}, ${label}`
      const q = place === 0 ? ['q', 'qs', 'qz', 'w', 'ws', 'wz'] : ['w', 'ws', 'wz', 'q', 'qs', 'qz']
      const integers = { w: wholes('uint8', other, 3, 2, 8), ws: scale(1), wz: zero('uint8', 8) }
      return [
        single('MatMul', shape, {
          label: side,
          inputs: place === 0 ? ['x', 'c'] : ['c', 'x'],
          constants: { c: whole32(other) },
        }),
        ...['FusedMatMul', 'TransposeMatMul'].map((op) =>
          composed(
            `com.microsoft.${op}, ${side}`,
            shape,
            [makeNode(op, place === 0 ? ['x', 'c'] : ['c', 'x'], ['y'], {}, 'tested', 'com.microsoft')],
            { c: whole32(other) },
          ),
        ),
        composed(
          `com.microsoft.MatMulIntegerToFloat, ${side}`,
          shape,
          [
            makeNode('QuantizeLinear', ['x', 's', 'z'], ['q']),
            makeNode(
              'MatMulIntegerToFloat',
              place === 0 ? ['q', 'w', 's', 'ws', 'z', 'wz'] : ['w', 'q', 'ws', 's', 'wz', 'z'],
              ['y'],
              {},
              'tested',
              'com.microsoft',
            ),
          ],
          { s: scale(0.5), z: zero('uint8', 30), ...integers },
        ),
        between(`QLinearMatMul, ${side}`, { shape, inputs: [...q, 'rs', 'rz'], constants: integers }),
        composed(
          `MatMulInteger, ${side}`,
          shape,
          [
            makeNode('QuantizeLinear', ['x', 's', 'z'], ['q']),
            makeNode('MatMulInteger', place === 0 ? ['q', 'w', 'z', 'wz'] : ['w', 'q', 'wz', 'z'], ['r']),
            makeNode('Cast', ['r'], ['y'], { to: 1 }),
          ],
          { s: scale(0.5), z: zero('uint8', 30), w: integers.w, wz: whole('uint8', [], [8]) },
        ),
      ]
    }),
  ),
]

export const SMOOTH: readonly Case[] = [
  ...curved('Pow'),
  ...curved('Div'),
  ...curved('Max'),
  ...curved('Min'),
  ...curved('Mod', { fmod: 1 }),
  ...(['LayerNormalization', 'RMSNormalization', 'SimplifiedLayerNormalization'] as const).map((op) =>
    composed(
      `${op}, a scale from the image that is repeated`,
      [3, 4],
      [makeNode('ReduceMax', ['x', 'axes'], ['t']), makeNode(op, ['x', 't'], ['y'], { axis: -1 }, 'tested')],
      { axes: { type: 'int64', dims: [1], data: BigInt64Array.of(1n) } },
      'float64',
    ),
  ),
]
