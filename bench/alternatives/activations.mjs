import { makeNode } from '../../.build/onnx/attributes.js'
import { compare, filled, floats } from './compare.mjs'

const scalar = (value) => filled([], value)
const affine = (alpha, beta) => ({ alpha: { float: alpha }, beta: { float: beta } })

function reluMask() {
  const dims = [64, 16, 14, 14]
  const some = floats(dims)
  const y = floats(
    dims,
    some.data.map((value) => Math.max(value, 0)),
  )
  const times = (...nodes) => [[...nodes, makeNode('Mul', ['g', 'm'], ['y'])]]
  return compare(
    'ReLU, [64, 16, 14, 14]',
    { r: y, g: some },
    {
      'steep HardSigmoid': times(makeNode('HardSigmoid', ['r'], ['m'], affine(3.4e38, 0))),
      Sign: times(makeNode('Sign', ['r'], ['m'])),
      Where: [
        [makeNode('Cast', ['r'], ['m'], { to: 9 }), makeNode('Where', ['m', 'g', 'zero'], ['y'])],
        { zero: scalar(0) },
      ],
    },
  )
}

function geluSlope() {
  const dims = [16, 64, 768]
  const erf = [makeNode('Mul', ['x', 'root'], ['s']), makeNode('Erf', ['s'], ['e'])]
  const square = makeNode('Mul', ['s', 's'], ['q'])
  const constants = {
    root: scalar(Math.SQRT1_2),
    half: scalar(0.5),
    one: scalar(1),
    two: scalar(2 / Math.sqrt(Math.PI)),
  }
  return compare(
    'Gelu, [16, 64, 768]',
    { x: floats(dims), g: floats(dims) },
    {
      'constants in HardSigmoid and Exp': [
        [
          ...erf,
          makeNode('HardSigmoid', ['e'], ['c'], affine(0.5, 0.5)),
          square,
          makeNode('Sub', ['k', 'q'], ['n']),
          makeNode('Exp', ['n'], ['d']),
          makeNode('Mul', ['s', 'd'], ['t']),
          makeNode('Add', ['c', 't'], ['slope']),
          makeNode('Mul', ['g', 'slope'], ['y']),
        ],
        { ...constants, k: scalar(-0.5 * Math.log(Math.PI)) },
      ],
      'the formula': [
        [
          ...erf,
          makeNode('Add', ['e', 'one'], ['e1']),
          makeNode('Mul', ['e1', 'half'], ['c']),
          square,
          makeNode('Neg', ['q'], ['n']),
          makeNode('Exp', ['n'], ['d0']),
          makeNode('Mul', ['d0', 'k'], ['d']),
          makeNode('Mul', ['s', 'd'], ['t']),
          makeNode('Add', ['c', 't'], ['slope']),
          makeNode('Mul', ['g', 'slope'], ['y']),
        ],
        { ...constants, k: scalar(1 / Math.sqrt(Math.PI)) },
      ],
      'node by node, as exporters write it': [
        [
          ...erf,
          makeNode('Add', ['e', 'one'], ['e1']),
          makeNode('Mul', ['g', 'half'], ['gh']),
          makeNode('Mul', ['gh', 'e1'], ['left']),
          makeNode('Mul', ['gh', 'x'], ['right']),
          square,
          makeNode('Neg', ['q'], ['n']),
          makeNode('Exp', ['n'], ['d0']),
          makeNode('Mul', ['d0', 'two'], ['d']),
          makeNode('Mul', ['right', 'd'], ['t']),
          makeNode('Mul', ['t', 'root'], ['u']),
          makeNode('Add', ['left', 'u'], ['y']),
        ],
        constants,
      ],
    },
  )
}

export const activationWays = async () => [...(await reluMask()), ...(await geluSlope())]
