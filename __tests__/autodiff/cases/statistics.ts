import { makeNode } from '../../../src/onnx/attributes.js'
import type { Node } from '../../../src/onnx/graph.js'
import { composed, floating, integers, reals } from '../support.js'
import type { Doubled } from '../support.js'
import { inDouble } from './normalization.js'

const image = [4, 6]

/** What a normalisation found on its way is an output, too. */
export const DOUBLED: readonly Doubled[] = [
  withStatistics(
    'y is used, and mean, and deviation',
    ['n', 'm', 'r'],
    [makeNode('Mul', ['n', 'm'], ['nm']), makeNode('Add', ['nm', 'r'], ['y'])],
  ),
  withStatistics(
    'over two axes',
    ['n', 'm', 'r'],
    [makeNode('Mul', ['m', 'r'], ['mr']), makeNode('Mul', ['n', 'mr'], ['y'])],
    -2,
  ),
  withStatistics('nothing but the mean', ['n', 'm'], [makeNode('Tanh', ['m'], ['y'])]),
  withStatistics('nothing but the deviation', ['n', '', 'r'], [makeNode('Tanh', ['r'], ['y'])]),
  withStatistics('without a mean', ['n', 'r'], [makeNode('Mul', ['n', 'r'], ['y'])]),
  ofDoubles(withStatistics('of doubles', ['n', 'm', 'r'], [makeNode('Sum', ['n', 'm', 'r'], ['y'])])),
]

/** A part in double in a model of floats: its statistics are floats all the same. */
function ofDoubles({ tested, twin }: Doubled): Doubled {
  const [normalised, ...after] = tested.nodes
  const wide = { ...normalised, inputs: ['wide', 'scale', 'bias'], outputs: ['double', 'm', 'r'] }
  const nodes = [makeNode('Cast', ['x'], ['wide'], { to: 11 }), wide, makeNode('Cast', ['double'], ['n'], { to: 1 })]
  return { tested: { ...inDouble(tested), type: 'float32', nodes: [...nodes, ...after] }, twin }
}

/**
 * A model that goes on with the statistics, which onnxruntime gives in float32 alone: the twin is written out.
 *
 * @param outputs of LayerNormalization, or without a mean of SimplifiedLayerNormalization
 * @param after from them to `y`
 */
function withStatistics(label: string, outputs: readonly string[], after: readonly Node[], axis = -1): Doubled {
  const isCentred = outputs[1] !== 'r'
  const axes = { axes: integers(axis === -1 ? [-1] : [-2, -1]) }
  const constants = { scale: reals('float32', [6], 5), ...(isCentred && { bias: reals('float32', [6], 6) }) }
  const op = isCentred ? 'LayerNormalization' : 'SimplifiedLayerNormalization'
  const tested = composed(
    `${op}, ${label}`,
    image,
    [makeNode(op, ['x', ...Object.keys(constants)], outputs, { axis, epsilon: { float: 0.25 } }, 'tested'), ...after],
    constants,
  )
  const twin = inDouble({
    ...tested,
    nodes: [
      makeNode('ReduceMean', ['x', 'axes'], ['m'], { keepdims: 1 }),
      makeNode('Sub', ['x', isCentred ? 'm' : 'zero'], ['d']),
      makeNode('Mul', ['d', 'd'], ['square']),
      makeNode('ReduceMean', ['square', 'axes'], ['variance'], { keepdims: 1 }),
      makeNode('Add', ['variance', 'epsilon'], ['positive']),
      makeNode('Sqrt', ['positive'], ['deviation']),
      makeNode('Reciprocal', ['deviation'], ['r']),
      makeNode('Mul', ['d', 'r'], ['standard']),
      makeNode('Mul', ['standard', 'scale'], ['scaled']),
      makeNode('Add', ['scaled', isCentred ? 'bias' : 'zero'], ['n']),
      ...after,
    ],
    constants: { ...constants, ...axes, epsilon: floating('float32', [], [0.25]), zero: floating('float32', [], [0]) },
  })
  return { tested, twin }
}
