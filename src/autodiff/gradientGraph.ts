import { prune } from '../onnx/canonical/cleanup.js'
import type { ElementType, Graph, ValueInfo } from '../onnx/graph.js'
import type { Settled } from '../onnx/settle.js'
import type { GradientBuilder } from './gradientBuilder.js'
import type { Classifier } from './logits.js'
import { lossHead } from './lossHead.js'
import type { HeadLoss, LossInputs } from './lossHead.js'
import { addInMapLayout } from './mapLayout.js'
import { gradientBuilder, reverse } from './reverse.js'

export interface GradientGraphOptions {
  /** The losses that are offered: a few nodes each, in every run. */
  readonly losses: readonly HeadLoss[]
  /** Whether images choose among them. Else there is one loss, and no input but the model's and `label`. */
  readonly selectable: boolean
  /** Images in every run: with the number known, onnxruntime keeps more of the graph in its blocked layout. Undefined: any. */
  readonly batch?: number
  /** What the outputs are called. */
  readonly names: { readonly logits: string; readonly value: string; readonly gradient: string }
}

/**
 * Adds logits, the loss of each image and its gradient to a classifier.
 *
 * The result has the model's input, `label` int64 [N] and, when losses are selectable, `loss` and `target` int64 [N] and
 * `direction` float32 [N, K]; it gives logits float32 [N, K], the loss float32 [N] and d loss / d input in
 * the input's shape and type.
 *
 * @throws UsageError naming an operator on the way that has no rule.
 */
export function gradientGraph(
  { graph, observation, batch }: Settled,
  classifier: Classifier,
  { losses, selectable, names, batch: wanted }: GradientGraphOptions,
): Graph {
  const [input] = graph.inputs
  const b = gradientBuilder(graph, observation)
  addInMapLayout(graph.nodes, b)
  const rows = batch === 'free' ? -1 : batch
  const { logits, seed } = logitsOf(classifier, rows, b)
  const inputs: LossInputs = { label: 'label', loss: 'loss', target: 'target', direction: 'direction' }
  const head = lossHead(b, logits, classifier.classes, inputs, losses)
  const gradient = reverse(graph.nodes, { output: classifier.logits, seed: seed(head.gradient), input: input.name }, b)
  b.addNamed(names.logits, 'Identity', [logits])
  b.addNamed(names.value, 'Identity', [head.value])
  b.addNamed(names.gradient, 'Identity', [gradient])
  const size = batch === 'free' ? (wanted ?? 'batch') : batch
  const perImage = (name: string, type: ElementType): ValueInfo => ({ name, type, dims: [size] })
  const whole = b.build(graph, {
    inputs: [
      { ...input, dims: [size, ...(input.dims ?? []).slice(1)] },
      perImage(inputs.label, 'int64'),
      ...(selectable
        ? [
            perImage(inputs.loss, 'int64'),
            perImage(inputs.target, 'int64'),
            { name: inputs.direction, type: 'float32' as const, dims: [size, classifier.classes] },
          ]
        : []),
    ],
    outputs: [
      { name: names.logits, type: 'float32', dims: [size, classifier.classes] },
      perImage(names.value, 'float32'),
      { ...input, name: names.gradient, dims: [size, ...(input.dims ?? []).slice(1)] },
    ],
  })
  // Without gradients that were made again in another way.
  return prune(whole)
}

/**
 * Logits as float32 [N, K] whatever shape and type the model gives them, and the way back for their gradient. One logit z
 * becomes the two classes (0, z).
 */
function logitsOf(
  { logits: name, classes, kind }: Classifier,
  rows: number,
  b: GradientBuilder,
): { readonly logits: string; readonly seed: (gradient: string) => string } {
  const single = kind === 'one-logit' || kind === 'one-probability'
  const flat = b.reshape(name, [rows, single ? 1 : classes])
  const wide = b.observed(name).type === 'float32' ? flat : b.add('Cast', [flat], { to: 1 })
  const back = (gradient: string): string => {
    const typed = b.observed(name).type === 'float32' ? gradient : b.add('CastLike', [gradient, name])
    return b.reshapeLike(typed, name)
  }
  if (!single) return { logits: wide, seed: back }
  const beside = (dims: readonly number[]): string => b.constant('float32', dims, Float32Array.of(0, 1))
  return {
    logits: b.add('MatMul', [wide, beside([1, 2])]),
    seed: (gradient) => back(b.add('MatMul', [gradient, beside([2, 1])])),
  }
}
