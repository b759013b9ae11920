import { intAttribute, stringAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import { expansion } from '../expansion.js'
import type { Expansion } from '../expansion.js'
import type { GradientBuilder } from '../gradientBuilder.js'

/** What is left of training in a model: its loss, from scores or log-probabilities [N, classes, …] and targets [N, …]. */
export const losses: Readonly<Record<string, Expansion>> = {
  NegativeLogLikelihoodLoss: expansion((node, b) => likelihoodLoss(node, node.inputs[0], b)),
  SoftmaxCrossEntropyLoss: (node, b) => {
    const logProbabilities = b.add('LogSoftmax', [node.inputs[0]], { axis: 1 })
    return [likelihoodLoss(node, logProbabilities, b), logProbabilities]
  },
}

function likelihoodLoss(node: Node, logProbabilities: string, b: GradientBuilder): string {
  const [scores, target, weights] = node.inputs
  const [, classes, ...places] = b.dims(scores)
  const perClass = (value: string): string => b.reshape(value, [1, classes, ...places.map(() => 1)])
  const indices = BigInt64Array.from({ length: classes }, (_, at) => BigInt(at))
  const wide = b.add('Cast', [b.add('Unsqueeze', [target, b.ints([1])])], { to: 7 })
  const isTarget = b.add('Equal', [wide, perClass(b.constant('int64', [classes], indices))])
  const ignored = intAttribute(node, 'ignore_index')
  const counts = ignored === undefined ? isTarget : b.add('And', [isTarget, isNot(wide, ignored, b)])
  const weight = b.where(counts, weights ? perClass(weights) : b.number(1, scores), scores)
  // Chosen before it is weighted: 0 · ∞ of an impossible class would be no number.
  const chosen = b.where(counts, logProbabilities, scores)
  const each = b.add('Neg', [b.sum(b.mul(chosen, weight), [1], false)])
  const reduction = stringAttribute(node, 'reduction', 'mean')
  if (reduction === 'none') return each
  const total = b.add('ReduceSum', [each], { keepdims: 0 })
  if (reduction === 'sum') return total
  return b.add('Div', [total, b.add('ReduceSum', [weight], { keepdims: 0 })])
}

function isNot(value: string, index: number, b: GradientBuilder): string {
  return b.add('Not', [b.add('Equal', [value, b.constant('int64', [], BigInt64Array.of(BigInt(index)))])])
}
