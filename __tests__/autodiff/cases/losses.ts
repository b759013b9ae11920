import { makeNode } from '../../../src/onnx/attributes.js'
import type { AttributeValues } from '../../../src/onnx/attributes.js'
import { composed, integers, reals } from '../support.js'
import type { Case } from '../support.js'

const shape = [4, 2]
const weights = reals('float64', [4], 5, 0.5, 2)

function loss(
  op: string,
  label: string,
  attributes: AttributeValues,
  { weighted = false, target = [1, 3, 0, 2, 2, 1] }: { readonly weighted?: boolean; readonly target?: number[] } = {},
): Case {
  return {
    ...composed(
      `${op}, ${label}`,
      shape,
      [makeNode(op, ['x', 't', ...(weighted ? ['w'] : [])], ['y'], attributes, 'tested')],
      { t: integers(target, [3, 2]), w: weights },
      'float64',
    ),
    batch: 3,
  }
}

export const SMOOTH: readonly Case[] = [
  ...['NegativeLogLikelihoodLoss', 'SoftmaxCrossEntropyLoss'].flatMap((op) => [
    loss(op, 'mean', {}),
    loss(op, 'sum', { reduction: 'sum' }),
    loss(op, 'none, weighted', { reduction: 'none' }, { weighted: true }),
    loss(op, 'weighted mean', {}, { weighted: true }),
    loss(op, 'ignored class', { ignore_index: 2 }, { weighted: true }),
    loss(op, 'ignored outside', { ignore_index: -100 }, { target: [1, -100, 0, 2, -100, 1] }),
    composed(
      `${op}, of the best class`,
      [5],
      [
        makeNode('ArgMax', ['x'], ['t'], { axis: 1, keepdims: 0 }),
        makeNode(op, ['x', 't'], ['y'], { reduction: 'none' }, 'tested'),
      ],
      {},
      'float64',
    ),
  ]),
  {
    ...composed(
      'SoftmaxCrossEntropyLoss, with its log-probabilities',
      [4],
      [makeNode('SoftmaxCrossEntropyLoss', ['x', 't'], ['l', 'p'], {}, 'tested'), makeNode('Mul', ['l', 'p'], ['y'])],
      { t: integers([1, 3, 0]) },
      'float64',
    ),
    batch: 3,
  },
]
