import { UsageError } from '../errors.js'
import { operatorOf } from '../onnx/attributes.js'
import type { Graph, Node } from '../onnx/graph.js'
import type { Settled } from '../onnx/settle.js'
import type { ClassOutput } from './classOutput.js'
import { MOVES_NOTHING } from './logits.js'
import type { Classifier, OutputKind } from './logits.js'
import { gradientBuilder } from './reverse.js'

/** At which input the operators that a quantised classifier may end with are told the size of a step. */
const SCALE_INPUTS: Readonly<Record<string, number>> = {
  QuantizeLinear: 1,
  QLinearConv: 6,
  QLinearMatMul: 6,
  'com.microsoft.QuantizeLinear': 1,
  'com.microsoft.QGemm': 7,
  'com.microsoft.QLinearAdd': 6,
  'com.microsoft.QLinearAveragePool': 3,
  'com.microsoft.QLinearConcat': 0,
  'com.microsoft.QLinearConv': 6,
  'com.microsoft.QLinearGlobalAveragePool': 3,
  'com.microsoft.QLinearLeakyRelu': 3,
  'com.microsoft.QLinearMul': 6,
  'com.microsoft.QLinearSigmoid': 3,
  'com.microsoft.QLinearSoftmax': 3,
  'com.microsoft.QLinearWhere': 7,
}

/**
 * Sums of products whose scale the model leaves to whoever reads them. Both factors are taken for fractions, as images and
 * weights mostly are: 255 steps to 1 where nothing says how large one is, 127 of a weight. Sums of hundreds of products of
 * tens of thousands would leave no cross-entropy but 0.
 */
const SUMS: ReadonlySet<string> = new Set(['ConvInteger', 'MatMulInteger'])
const ACTIVATION_STEP = 1 / 255
const WEIGHT_STEP = 1 / 127

/** Operators whose numbers are some of those of their first input, in steps of the same size. */
const KEEPS_STEPS: ReadonlySet<string> = new Set([
  ...MOVES_NOTHING,
  ...['Cast', 'Clip', 'Concat', 'Expand', 'Gather', 'GlobalMaxPool', 'Max', 'MaxPool', 'Min', 'Pad', 'ReduceMax'],
  ...['ReduceMin', 'Relu', 'Slice', 'Split', 'Tile', 'Transpose', 'com.microsoft.NhwcMaxPool'],
])

/**
 * What may follow whole numbers with a constant at its side: a bias, mostly. A factor of up to the step of a weight is the scale
 * that the sums were waiting for, as a DequantizeLinear multiplies by; a greater one leaves it as unknown as it was.
 */
const BY_A_CONSTANT: ReadonlySet<string> = new Set(['Add', 'Sub', 'Mul', 'Div'])

export interface RealLogits {
  readonly settled: Settled
  readonly classifier: Classifier
  /** The model ends with whole numbers and does not say how much one of them is: that was guessed. */
  readonly unknownSteps: boolean
}

/**
 * The logits of a classifier that ends with whole numbers, in the units of real ones. Steps of 1/16 would be a model sixteen
 * times as sure: its cross-entropy would be 0, and its slope with it, where the real one has not saturated.
 *
 * @param model canonical, as it was before it was settled.
 * @param output of the original model.
 * @returns the graph with one more node, and who its logits are; both as they were where the output is real (a Cast makes no real number of a whole one).
 * @throws UsageError for one whole number: which of its steps is the border between two classes the model does not say.
 */
export function withRealLogits(
  settled: Settled,
  classifier: Classifier,
  model: Graph,
  output: ClassOutput,
): RealLogits {
  refuseWholeNumber(classifier.kind, output)
  const scale = classifier.kind === 'logits' ? stepOf(model, model.outputs[0].name) : undefined
  const whole = classifier.kind === 'logits' && output.type?.includes('int') === true
  if (scale === undefined) return { settled, classifier, unknownSteps: whole }
  const { graph, observation } = settled
  const b = gradientBuilder(graph, observation, 'real')
  const logits = b.mul(classifier.logits, b.number(scale.size, classifier.logits))
  return {
    settled: {
      ...settled,
      graph: b.build(graph, graph),
      observation: new Map(observation).set(logits, b.observed(classifier.logits)),
    },
    classifier: { ...classifier, logits },
    unknownSteps: scale.guessed,
  }
}

/**
 * @throws UsageError for one number behind the class, which is no score of a certain class, and for one whole number an
 *   image: which of its steps is the border between two classes nothing says.
 */
export function refuseWholeNumber(kind: OutputKind, { name, type = 'float32', label }: ClassOutput): void {
  if (kind !== 'one-logit' && kind !== 'one-probability') return
  if (label !== undefined || type === 'int64' || type === 'string')
    throw new UsageError(
      `the output "${label ?? name}" is the class itself, and no number tells how near the others are; export the model with its scores or probabilities, one for each class`,
    )
  if (type.includes('int'))
    throw new UsageError(
      `the output "${name}" is one number of type ${type}, which does not say where one class ends; export the model with a DequantizeLinear at its end`,
    )
}

/**
 * The size of one step of a value, where every class has its own the largest: with one for all, the greatest number stays
 * the greatest. Undefined where it is not a constant.
 */
function stepOf(graph: Graph, name: string): Step | undefined {
  const node = graph.nodes.find(({ outputs }) => outputs.includes(name))
  if (node === undefined) return undefined
  const operator = operatorOf(node)
  if (KEEPS_STEPS.has(operator)) return stepOf(graph, node.inputs[0])
  if (BY_A_CONSTANT.has(operator)) return throughConstant(graph, node, operator)
  if (SUMS.has(operator))
    return { size: (stepOf(graph, node.inputs[0])?.size ?? ACTIVATION_STEP) * WEIGHT_STEP, guessed: true }
  const scale = Object.hasOwn(SCALE_INPUTS, operator)
    ? graph.constants.get(node.inputs[SCALE_INPUTS[operator]])
    : undefined
  return scale && { size: Math.max(...Array.from<unknown>(scale.data).map(Number)), guessed: false }
}

/** A bias moves the numbers and leaves the steps; a factor is what a guess has to be undone by, where it is no scale itself. */
function throughConstant(graph: Graph, { inputs }: Node, operator: string): Step | undefined {
  const place = inputs.findIndex((input) => graph.constants.has(input))
  const constant = graph.constants.get(inputs[place])
  if (constant === undefined || (operator === 'Div' && place === 0)) return undefined
  const step = stepOf(graph, inputs[1 - place])
  if (step === undefined || operator === 'Add' || operator === 'Sub') return step
  const numbers = Array.from<unknown>(constant.data).map((number) => Math.abs(Number(number)))
  const factor = Math.max(...(operator === 'Div' ? numbers.map((number) => 1 / number) : numbers))
  return step.guessed && factor > WEIGHT_STEP && factor < Infinity ? { ...step, size: step.size / factor } : undefined
}

interface Step {
  readonly size: number
  readonly guessed: boolean
}
