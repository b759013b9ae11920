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

const MOVES_NOTHING: ReadonlySet<string> = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Identity'])

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
  const last = producerOf(graph, output)
  if (width === 1) {
    if (last?.op === 'Sigmoid') return { kind: 'one-probability', classes: 2, logits: last.inputs[0] }
    return { kind: 'one-logit', classes: 2, logits: output }
  }
  if ((last?.op === 'Softmax' || last?.op === 'LogSoftmax') && runsOverClasses(last, observation, width))
    return {
      kind: last.op === 'Softmax' ? 'probabilities' : 'log-probabilities',
      classes: width,
      logits: last.inputs[0],
    }
  return { kind: 'logits', classes: width, logits: output }
}

/** The node that made a value, seen through reshapes. */
function producerOf(graph: Graph, name: string): Node | undefined {
  const producer = graph.nodes.find((node) => node.outputs.includes(name))
  return producer && MOVES_NOTHING.has(producer.op) ? producerOf(graph, producer.inputs[0]) : producer
}

function runsOverClasses(node: Node, observation: Observation, classes: number): boolean {
  const dims = observation.get(node.inputs[0])?.dims ?? []
  return dims[fromFront(intAttribute(node, 'axis', -1), dims.length)] === classes
}

/** Sizes without the batch, which is the axis that grew, or the first where the batch is fixed. */
function perImage({ dims, batchAxis }: ObservedValue, batch: number): readonly number[] {
  if (batchAxis !== undefined) return dims.filter((size, axis) => axis !== batchAxis || size !== 1)
  if (dims[0] === batch) return dims.slice(1)
  throw new UsageError(
    `the output of shape [${dims.join(', ')}] has no row for each of ${batch} images; a classifier gives one`,
  )
}
