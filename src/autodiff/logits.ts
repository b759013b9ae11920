import { intAttribute } from '../onnx/attributes.js'
import type { Graph, Node } from '../onnx/graph.js'
import { UsageError } from '../errors.js'
import type { Observation, ObservedValue } from '../onnx/observe.js'
import { fromFront } from './rule.js'

/** How a model's output speaks of classes. */
export type OutputKind = 'logits' | 'probabilities' | 'log-probabilities' | 'one-logit' | 'one-probability'

export interface Classifier {
  readonly kind: OutputKind
  /** At least 2; one logit or one probability counts as two classes. */
  readonly classes: number
  /** The value before a final Softmax, LogSoftmax or Sigmoid: attacks that saw only probabilities would see them saturate. */
  readonly logits: string
}

/** Operators that hand their elements on in the same order. */
export const MOVES_NOTHING: ReadonlySet<string> = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Identity'])

/**
 * Finds the logits behind a classifier's output.
 *
 * @throws UsageError when the output is not one row of numbers an image.
 */
export function findLogits(graph: Graph, output: string, observation: Observation, batch: number): Classifier {
  const observed = observation.get(output)
  if (observed === undefined) throw new Error(`nothing was observed of the output "${output}"`)
  const rows = perImage(observed, batch)
  const width = rows.reduce((total, size) => total * size, 1)
  if (rows.filter((size) => size > 1).length > 1 || width === 0)
    throw new UsageError(
      `the output "${output}" gives [${rows.join(', ')}] numbers an image; a classifier gives one row, a number for each class`,
    )
  const { node: last, through } = producerOf(graph, output)
  if (width === 1) {
    if (last?.op === 'Sigmoid' && isNear(through(0), 0) && isNear(through(1), 1))
      return { kind: 'one-probability', classes: 2, logits: last.inputs[0] }
    return { kind: 'one-logit', classes: 2, logits: output }
  }
  const increases = through(1) > through(0)
  if ((last?.op === 'Softmax' || last?.op === 'LogSoftmax') && increases && runsOverClasses(last, observation, width))
    return {
      kind: last.op === 'Softmax' ? 'probabilities' : 'log-probabilities',
      classes: width,
      logits: last.inputs[0],
    }
  return { kind: 'logits', classes: width, logits: output }
}

/** A node, and what became of its output, element by element. */
interface Producer {
  readonly node?: Node
  readonly through: (value: number) => number
}

/** The node that made a value, seen through reshapes and through quantisation, which rounds what a Softmax says. */
function producerOf(graph: Graph, name: string): Producer {
  const node = graph.nodes.find(({ outputs }) => outputs.includes(name))
  const step = node && stepOf(graph, node)
  if (step === undefined) return { node, through: (value) => value }
  const before = producerOf(graph, node?.inputs[0] ?? '')
  return { node: before.node, through: (value) => step(before.through(value)) }
}

/** What a node does to every element alike; undefined where it does more than that. */
function stepOf({ constants }: Graph, { op, inputs }: Node): Producer['through'] | undefined {
  if (MOVES_NOTHING.has(op)) return (value) => value
  const numbers = inputs.slice(1).map((name) => {
    const data = constants.get(name)?.data
    return data?.length === 1 ? Number(data[0]) : Number.NaN
  })
  if (numbers.some(Number.isNaN)) return undefined
  const [first, second] = numbers
  const steps: Readonly<Record<string, Producer['through']>> = {
    Round: Math.round,
    Clip: (value) => Math.min(Math.max(value, first), second),
    Add: (value) => value + first,
    Sub: (value) => value - first,
    Mul: (value) => value * first,
    Div: (value) => value / first,
  }
  return Object.hasOwn(steps, op) ? steps[op] : undefined
}

/** As near as 8 bits come to the ends of [0, 1]. */
function isNear(value: number, end: number): boolean {
  return Math.abs(value - end) < 0.01
}

function runsOverClasses(node: Node, observation: Observation, classes: number): boolean {
  const dims = observation.get(node.inputs[0])?.dims ?? []
  return dims[fromFront(intAttribute(node, 'axis', -1), dims.length)] === classes
}

/**
 * Sizes without the batch, which is the axis that grew, or the first where the batch is fixed. An export of one image may
 * have squeezed it away.
 */
function perImage({ dims, batchAxis }: ObservedValue, batch: number): readonly number[] {
  if (batchAxis !== undefined) return dims.filter((size, axis) => axis !== batchAxis || size !== 1)
  if (batch === 1 && dims.length < 2) return dims
  if (dims[0] === batch) return dims.slice(1)
  throw new UsageError(
    `the output of shape [${dims.join(', ')}] has no row for each of ${batch} images; a classifier gives one`,
  )
}
