import { makeNode } from '../../../src/onnx/attributes.js'
import type { AttributeValues } from '../../../src/onnx/attributes.js'
import { composed, floating, reals } from '../support.js'
import type { Case, Doubled } from '../support.js'

const FEATURES = 4
const CLASSES = 3

/** One node of ai.onnx.ml; they give float32, whatever they are given. */
function classical(
  op: string,
  label: string,
  attributes: AttributeValues,
  outputs: readonly string[] = ['y'],
  shape: readonly number[] = [FEATURES],
  type: Case['type'] = 'float32',
): Case {
  const node = makeNode(op, ['x'], outputs, attributes, 'tested', 'ai.onnx.ml')
  return composed(`ai.onnx.ml.${op}, ${label}`, shape, [node], {}, type)
}

const EACH = { offset: { floats: [1, -2, 3, 0] }, scale: { floats: [2, 0.5, -1, 4] } }
const SCORES = classifier([1, -2, 3, 0, 2, 0.5, -1, 4, 0, 1, 1, -3], [1, -2, 0.5], 'NONE')

export const LINEAR: readonly Case[] = [
  classical('Scaler', 'one for all', { offset: { floats: [0.5] }, scale: { floats: [2] } }, ['y'], [2, 3]),
  classical('Scaler', 'one for each', EACH),
  classical('Scaler', 'of double', EACH, ['y'], [FEATURES], 'float64'),
  classical('LinearClassifier', 'scores', SCORES, ['label', 'y']),
  classical('LinearClassifier', 'scores of double', SCORES, ['label', 'y'], [FEATURES], 'float64'),
  composed(
    'ai.onnx.ml.LinearClassifier, behind a Scaler of double',
    [FEATURES],
    [
      makeNode('Scaler', ['x'], ['scaled'], EACH, '', 'ai.onnx.ml'),
      makeNode('LinearClassifier', ['scaled'], ['label', 'y'], SCORES, '', 'ai.onnx.ml'),
    ],
    {},
    'float64',
  ),
]

function classifier(coefficients: readonly number[], intercepts: readonly number[], transform: string) {
  return {
    coefficients: { floats: coefficients },
    intercepts: { floats: intercepts },
    classlabels_ints: [0, 1, 2],
    post_transform: transform,
    multi_class: transform === 'SOFTMAX' ? 1 : 0,
  }
}

/** Weights as their columns stand in a file, and in double as rows. */
const weights = reals('float32', [CLASSES, FEATURES], 5).data as Float32Array
const shift = reals('float32', [CLASSES], 7).data as Float32Array

export const DOUBLED: readonly Doubled[] = [
  ...[
    { transform: 'SOFTMAX', like: 'Softmax' },
    { transform: 'LOGISTIC', like: 'Sigmoid' },
  ].map(({ transform, like }) => ({
    tested: classical('LinearClassifier', transform, classifier([...weights], [...shift], transform), ['label', 'y']),
    twin: composed(
      'twin',
      [FEATURES],
      [makeNode('Gemm', ['x', 'w', 'c'], ['z'], { transB: 1 }), makeNode(like, ['z'], ['y'])],
      { w: floating('float64', [CLASSES, FEATURES], weights), c: floating('float64', [CLASSES], shift) },
      'float64',
    ),
  })),
  {
    tested: composed(
      'ai.onnx.ml.Normalizer, of double',
      [FEATURES],
      [
        makeNode('Cast', ['x'], ['double'], { to: 11 }),
        makeNode('Normalizer', ['double'], ['y'], { norm: 'L2' }, '', 'ai.onnx.ml'),
      ],
    ),
    twin: composed('twin', [FEATURES], [makeNode('LpNormalization', ['x'], ['y'], { p: 2 })], {}, 'float64'),
  },
  ...[1, 2].map((p) => ({
    tested: classical('Normalizer', `L${p}`, { norm: `L${p}` }),
    twin: composed('twin', [FEATURES], [makeNode('LpNormalization', ['x'], ['y'], { p })], {}, 'float64'),
  })),
]
