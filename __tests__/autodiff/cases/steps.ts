import { makeNode } from '../../../src/onnx/attributes.js'
import { composed, floating, single } from '../support.js'
import type { Case, StandIn } from '../support.js'

const cube = [2, 3, 4]
const types = ['float32', 'float64'] as const

export const STAND_INS: readonly StandIn[] = [
  ...types.flatMap((type) => [
    ...['Round', 'Floor', 'Ceil'].map((op) => ({
      tested: single(op, cube, { type, label: type }),
      standIn: single('Identity', cube, { type }),
    })),
    {
      tested: single('Sign', cube, { type, label: type }),
      standIn: single('Clip', cube, {
        type,
        constants: { low: floating(type, [], [-1]), high: floating(type, [], [1]) },
      }),
    },
  ]),
  {
    tested: composed('Cast, to whole numbers and back', cube, [
      makeNode('Cast', ['x'], ['whole'], { to: 7 }),
      makeNode('Cast', ['whole'], ['y'], { to: 1 }),
    ]),
    standIn: single('Identity', cube),
  },
  { tested: single('Hardmax', cube), standIn: single('Softmax', cube) },
  {
    tested: single('Hardmax', cube, { label: 'axis −2', attributes: { axis: -2 } }),
    standIn: single('Softmax', cube, { attributes: { axis: 2 } }),
  },
  {
    tested: composed('Round between others', cube, [
      makeNode('Sin', ['x'], ['s']),
      makeNode('Round', ['s'], ['r']),
      makeNode('Neg', ['r'], ['y']),
    ]),
    standIn: composed('Sin', cube, [makeNode('Sin', ['x'], ['s']), makeNode('Neg', ['s'], ['y'])]),
  },
]

/** PyTorch's newer exporter on every LpPool: sign(a) · relu(|a|), which is a, and its slope the true one. */
export const SMOOTH: readonly Case[] = [
  ['sign', 'size'],
  ['size', 'sign'],
].map((factors) => ({
  ...composed(
    `Sign times Relu of Abs, ${factors.join(' · ')}`,
    cube,
    [
      makeNode('Sin', ['x'], ['a']),
      makeNode('Sign', ['a'], ['sign']),
      makeNode('Abs', ['a'], ['positive']),
      makeNode('Relu', ['positive'], ['size']),
      makeNode('Mul', factors, ['y']),
    ],
    {},
    'float64',
  ),
  opset: 20,
}))
