import { canonicalise } from '../onnx/canonical.js'
import { chanceOperators } from '../onnx/chance.js'
import { decodeModel } from '../onnx/codec.js'
import { preprocessingGraph } from '../onnx/preprocessing.js'
import type { ObservedValue } from '../onnx/observe.js'
import { REORDERING_TOLERANCE } from '../onnx/settle.js'
import { SURELY } from './checkOriginal.js'
import { classOutput } from './classOutput.js'
import { findLogits } from './logits.js'
import { batchFacts, originalModel } from './originalModel.js'
import { imageInput, named, sampleInputs } from './surrogate.js'
import type { ModelSource, OriginalFacts, SurrogateOptions } from './surrogate.js'
import { refuseWholeNumber } from './wholeLogits.js'

/**
 * What attacks without gradients need to know of a classifier: how to ask it, and how to read what it says. Only the
 * original is run: of what the rewritten one holds onnxruntime may have no kernel.
 *
 * @throws UsageError for what is not a classifier of these images
 */
export async function withoutGradient(
  model: ModelSource,
  options: Omit<SurrogateOptions, 'batch' | 'losses'>,
): Promise<OriginalFacts> {
  const graph = decodeModel(model.bytes, model)
  return named(model.name, async () => {
    const input = imageInput(graph)
    const output = classOutput(graph)
    const { shape, range, run } = options
    const samples = sampleInputs({ name: 'image', type: 'float32', shape, range })
    const canonical = canonicalise({ ...graph, outputs: [output] })
    const chance = chanceOperators(canonical)
    const preprocessing = preprocessingGraph(input, options, options.preprocessing)
    const original = originalModel(model.bytes, graph, input, {
      output,
      preprocessing,
      samples,
      run,
      draws: chance.length > 0,
    })
    const batch = original.declared ?? 1
    const { type, dims } = await original.run(0, batch)
    // A Softmax has the shape of its output. Of values in between nothing is known, and nothing is asked.
    const last = canonical.nodes.find(({ outputs }) => outputs.includes(output.name))
    const known: readonly string[] = [output.name, ...(last?.inputs.slice(0, 1) ?? [])]
    const observation = new Map(known.map((name): [string, ObservedValue] => [name, { type, dims }]))
    const { kind, classes } = findLogits(canonical, output.name, observation, batch)
    refuseWholeNumber(kind, output)
    const facts = await batchFacts(original, REORDERING_TOLERANCE, SURELY * REORDERING_TOLERANCE)
    return {
      preprocessingModel: original.preprocessingModel,
      input,
      output: { name: output.name, kind, label: output.label },
      classes,
      originalBatch: facts.batch,
      batchDependent: facts.dependent,
      chance,
    }
  })
}
