import { inspectModel } from '../autodiff/inspect.js'
import type { Inspection } from '../autodiff/inspection.js'
import { imageInput } from '../autodiff/surrogate.js'
import { UsageError } from '../errors.js'
import { decodeModel } from '../onnx/codec.js'
import { messageOf, oneLine } from '../text.js'
import { flagsOfModel } from './flagsOfModel.js'
import type { LoadRequest, ModelBytes } from './messages.js'
import { openEngine } from './openEngine.js'
import { optimisationFor } from './optimisation.js'

/**
 * What a model is made of, and what an evaluation would make of it: its gradient is built and run as there, so that the
 * answer is the same, to the word. Names alone do not tell how long a loop runs, which way an index comes, or what of an
 * operator's forms a model uses. Where the sizes of an image are free, names are all there is.
 *
 * @throws UsageError when the file is no ONNX model of opset 7 to 24.
 */
export async function inspect(model: ModelBytes): Promise<Inspection> {
  const byName = await inspectModel(model)
  const shape = byName.attackable === 'no' ? undefined : imageShape(model)
  if (shape === undefined) return byName
  const withoutName = (error: unknown): string => oneLine(messageOf(error).replace(`${model.name}: `, ''))
  try {
    const request = asEvaluated(model, shape)
    const optimisation = await optimisationFor(request)
    const { facts, obstacle } = await openEngine(request, optimisation)
    const flags = flagsOfModel({ facts, obstacle, optimisation, attacks: request.attacks })
    if (obstacle === undefined) return { ...byName, flags: [...flags], attackable: 'yes', problems: [] }
    const isOther = (problem: string): boolean => !obstacle.includes(problem.split(';')[0])
    const problems = [obstacle, ...byName.problems.filter(isOther)]
    return { ...byName, flags: [...flags], attackable: 'without-gradients', problems }
  } catch (error) {
    const problem = error instanceof UsageError ? withoutName(error) : `cannot be run: ${withoutName(error)}`
    return { ...byName, flags: [], attackable: 'no', problems: [problem] }
  }
}

/** Of one image; undefined where it is not fixed. */
function imageShape(model: ModelBytes): readonly number[] | undefined {
  const sizes = imageInput(decodeModel(model.bytes, model)).dims?.slice(1)
  return sizes?.every((size) => typeof size === 'number' && size > 0) ? sizes.map(Number) : undefined
}

/** Pixels of 0 to 1, which go in as they are; a batch of the least size that is used. */
function asEvaluated(model: ModelBytes, shape: readonly number[]): LoadRequest {
  return {
    type: 'load',
    model,
    shape,
    layout: 'flat',
    range: [0, 1],
    preprocessing: { mean: [0], std: [1], channelOrder: 'rgb' },
    threats: [],
    attacks: [{ name: 'fgsm', id: 'fgsm', loss: 'cross-entropy', survivorsOnly: false }],
    seed: 0,
    quantised: false,
    batch: 16,
    witnesses: false,
  }
}
