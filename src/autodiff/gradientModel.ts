import { UsageError } from '../errors.js'
import { canonicalise } from '../onnx/canonical.js'
import { decodeModel, encodeModel } from '../onnx/codec.js'
import { MODEL_PREFIX, withPrefix } from '../onnx/edit.js'
import type { RunModel, ValueInfo } from '../onnx/graph.js'
import { stillness } from '../onnx/stillness.js'
import { renameReads } from '../onnx/subgraphs.js'
import { widen, widenType } from '../onnx/widen.js'
import { classOutput } from './classOutput.js'
import { settleExpanded } from './expand.js'
import { gradientGraph } from './gradientGraph.js'
import { findLogits } from './logits.js'
import { declaredBatch, imageInput, named, sampleInputs } from './surrogate.js'
import type { ModelSource } from './surrogate.js'
import { withRealLogits } from './wholeLogits.js'

const NAMES = { logits: 'logits', value: 'loss', gradient: 'gradient' }

/**
 * A classifier and its gradient as one ONNX model of the newest opset.
 *
 * Inputs: the model's own, and `label` int64 [N]. Outputs: `logits` float32 [N, K], `loss` float32 [N], the cross-entropy
 * of each image, and `gradient`, d loss / d input, in the input's shape and type. What the model has in float16 is float32.
 *
 * @throws UsageError for what is not a classifier, has free spatial sizes, or holds an operator without a gradient.
 */
export async function gradientModelOf(model: ModelSource, run: RunModel): Promise<Uint8Array> {
  const original = decodeModel(model.bytes, model)
  return named(model.name, async () => {
    const declared = imageInput(original)
    const input = { ...declared, type: widenType(declared.type) }
    if (['label', ...Object.values(NAMES)].includes(input.name))
      throw new UsageError(`the input is called "${input.name}", as an output of the gradient model must be; rename it`)
    const output = classOutput(original)
    const prefixed = widen(withPrefix(canonicalise({ ...original, outputs: [output] })))
    const graph = {
      ...prefixed,
      inputs: [input],
      nodes: prefixed.nodes.map((node) => renameReads(node, ownName)),
    }
    const samples = sampleInputs({ name: input.name, type: input.type, shape: sizesOf(input), range: [0, 1] })
    const still = stillness(graph)
    const settled = await settleExpanded(still.graph, declaredBatch(input), samples, run)
    const found = findLogits(
      settled.graph,
      MODEL_PREFIX + output.name,
      settled.observation,
      settled.batch === 'free' ? 1 : settled.batch,
    )
    const real = withRealLogits(settled, found, graph, output)
    const options = { losses: ['cross-entropy'], selectable: false, names: NAMES } as const
    return encodeModel(still.restore(gradientGraph(real.settled, real.classifier, options)).graph)

    function ownName(name: string): string {
      return name === MODEL_PREFIX + input.name ? input.name : name
    }
  })
}

function sizesOf(input: ValueInfo): readonly number[] {
  const sizes = input.dims?.slice(1) ?? []
  if (input.dims === undefined || !sizes.every((size) => typeof size === 'number'))
    throw new UsageError(
      `the input "${input.name}" is [${input.dims?.join(', ') ?? 'of unknown rank'}]; export it with the sizes of an image fixed (the batch may stay free)`,
    )
  return sizes.map(Number)
}
