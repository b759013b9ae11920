import { surelyApart } from '../autodiff/checkOriginal.js'
import { classOutput } from '../autodiff/classOutput.js'
import { gradientKind } from '../autodiff/gradientKind.js'
import { nodesOnTheWay } from '../autodiff/onTheWay.js'
import { originalModel } from '../autodiff/originalModel.js'
import { FLOATING_CODES } from '../autodiff/reverse.js'
import { imageInput, sampleInputs } from '../autodiff/surrogate.js'
import { intAttribute } from '../onnx/attributes.js'
import { canonicalise } from '../onnx/canonical.js'
import { chanceOperators } from '../onnx/chance.js'
import { decodeModel } from '../onnx/codec.js'
import type { Node } from '../onnx/graph.js'
import { preprocessingGraph } from '../onnx/preprocessing.js'
import { agrees, numbers } from '../onnx/settle.js'
import type { LoadRequest } from './messages.js'
import { modelRunner, OPTIMISATIONS } from './session.js'
import type { Optimisation } from './session.js'

/**
 * How far onnxruntime may rewrite a model for speed without changing what it says: as far as possible, where that gives on
 * a few images what the model gives as it is written. (Version 1.30 computes Transpose(x)·v as x·v where v is a vector.)
 *
 * @returns everything, too, for what is no such classifier or cannot be run as it is written: who runs it next tells why
 */
export async function optimisationFor(request: LoadRequest): Promise<Optimisation> {
  try {
    const { outputAt, tolerance, survived } = tried(request)
    const asWritten = await outputAt('none')
    for (const optimisation of survived) {
      const output = await outputAt(optimisation).catch(() => [])
      if (agrees(output, asWritten, tolerance)) return optimisation
    }
    return 'none'
  } catch {
    return 'all'
  }
}

interface Tried {
  readonly outputAt: (optimisation: Optimisation) => Promise<ArrayLike<number>>
  /** Of the largest number. */
  readonly tolerance: number
  /** Those that do not end the process, the fastest first. */
  readonly survived: readonly Optimisation[]
}

function tried(request: LoadRequest): Tried {
  const { model, shape, range } = request
  const graph = decodeModel(model.bytes, model)
  const input = imageInput(graph)
  const output = classOutput(graph)
  const canonical = canonicalise({ ...graph, outputs: [output] })
  const options = {
    output,
    preprocessing: preprocessingGraph(input, request, request.preprocessing),
    samples: sampleInputs({ name: 'image', type: 'float32', shape, range }),
    draws: chanceOperators(canonical).length > 0,
  }
  return {
    outputAt: async (optimisation) => {
      const run = modelRunner(model.external, optimisation)
      const original = originalModel(model.bytes, graph, input, { ...options, run })
      return numbers(await original.run(0, original.declared ?? 1).finally(run.close))
    },
    tolerance: surelyApart(canonical, canonical.nodes.some(isSteppy)),
    survived: OPTIMISATIONS.filter((one) => one !== 'all' || !nodesOnTheWay(canonical).some(leavesBiasBlank)),
  }
}

/** The function or exporter that wrote it has a bias for some, and an empty name for the others. */
function leavesBiasBlank({ op, inputs }: Node): boolean {
  return op === 'LayerNormalization' && inputs[2] === ''
}

function isSteppy(node: Node): boolean {
  if (node.op === 'Cast') return !FLOATING_CODES.has(intAttribute(node, 'to', 1))
  return gradientKind(node) === 'straight-through'
}
