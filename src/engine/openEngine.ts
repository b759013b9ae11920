import { NoGradient } from '../autodiff/noGradient.js'
import { buildSurrogate, sampleInputs } from '../autodiff/surrogate.js'
import type { OriginalFacts, Surrogate } from '../autodiff/surrogate.js'
import { withoutGradient } from '../autodiff/withoutGradient.js'
import { UsageError } from '../errors.js'
import { functionOfOtherOpset } from '../onnx/canonical/functions.js'
import { decodeModel } from '../onnx/codec.js'
import { messageOf, oneLine } from '../text.js'
import { faultOfGradient } from './checkGradient.js'
import { gradientOracle, noGradientOracle } from './gradient.js'
import { lossesOf } from './losses.js'
import type { LoadRequest } from './messages.js'
import { originalOracle } from './original.js'
import type { Engine } from './scheduler.js'
import { modelRunner, openSession } from './session.js'
import type { ModelRunner, Optimisation } from './session.js'

export interface OpenedEngine {
  readonly engine: Engine
  readonly facts: OriginalFacts | Surrogate
  /** What keeps the gradient from being made, or from being believed, for a sentence; undefined when nothing does. */
  readonly obstacle?: string
}

/**
 * Opens the original and, where it can be made and is the original's, the gradient model. A mistake of ours in making it is
 * an obstacle, too: it costs the model's attacks their gradients, and not the user the evaluation.
 *
 * @param build makes the gradient model
 *
 * @throws UsageError when the model is no classifier of such images
 */
export async function openEngine(
  request: LoadRequest,
  optimisation: Optimisation,
  build = buildSurrogate,
): Promise<OpenedEngine> {
  const { model, attacks } = request
  const run = modelRunner(model.external, optimisation)
  try {
    const made = await build(model, { ...request, run, losses: lossesOf(attacks) }).catch(asObstacle)
    if (made instanceof Error) {
      const obstacle = oneLine(made.message.replace(`${model.name}: `, ''))
      const facts = await factsWithout(made, obstacle, request, run)
      return withoutOracle(facts, await openOriginal(request, facts, optimisation), obstacle)
    }
    const prediction = await openOriginal(request, made, optimisation)
    const gradient = await openGradient(request, made, prediction, optimisation)
    if (typeof gradient === 'string') return withoutOracle(made, prediction, gradient)
    return { engine: { prediction, gradient }, facts: made }
  } finally {
    await run.close()
  }
}

function withoutOracle(facts: OriginalFacts, prediction: Engine['prediction'], obstacle: string): OpenedEngine {
  return { engine: { prediction, gradient: noGradientOracle(prediction.batch) }, facts, obstacle }
}

function asObstacle(error: unknown): Error {
  if (error instanceof UsageError && !(error instanceof NoGradient)) throw error
  return error instanceof Error ? error : new Error(messageOf(error), { cause: error })
}

/** @throws UsageError for what onnxruntime does not run either; what kept the gradient from being made if that was no rule */
async function factsWithout(
  made: Error,
  obstacle: string,
  request: LoadRequest,
  run: ModelRunner,
): Promise<OriginalFacts> {
  const { model, shape } = request
  try {
    return await withoutGradient(model, { ...request, run })
  } catch (error) {
    if (error instanceof UsageError) throw error
    if (made instanceof NoGradient)
      throw new UsageError(`${model.name}: ${obstacle}; nor does onnxruntime run it (${reasonOf(error)})`)
    await refuseUnopened(request)
    if (!/while running \S+ node/.test(messageOf(error))) throw made
    throw new UsageError(
      `${model.name}: onnxruntime fails to run it on an image of [${shape.join(', ')}] (${reasonOf(error)}); export a model that runs on images of that shape`,
    )
  }
}

/** @throws UsageError for a model that is none to onnxruntime, or has a type that it has no kernel for */
async function refuseUnopened({ model }: LoadRequest): Promise<void> {
  try {
    const session = await openSession(model.bytes, model.external, 'none')
    await session.release()
  } catch (error) {
    throw new UsageError(`${model.name}: onnxruntime does not open it (${reasonOf(error)}); ${remedy(model)}`)
  }
}

function remedy(model: LoadRequest['model']): string {
  const other = functionOfOtherOpset(decodeModel(model.bytes, model))
  return other
    ? `its function "${other.name}" is written for opset ${other.opset}, and onnxruntime reads it in the model's, ${other.modelOpset}; export the model without functions, or both for one opset`
    : 'export a model that it runs on the CPU'
}

function reasonOf(error: unknown): string {
  return oneLine(messageOf(error), 200)
}

async function openOriginal(
  { model, batch: wanted, shape, executionProvider }: LoadRequest,
  { preprocessingModel, input, output, classes, originalBatch }: OriginalFacts,
  optimisation: Optimisation,
): Promise<Engine['prediction']> {
  return originalOracle({
    session: await openSession(model.bytes, model.external, optimisation, executionProvider),
    // A few products and sums for each pixel: not worth a way to a graphics card and back.
    preprocessing: preprocessingModel && (await openSession(preprocessingModel)),
    input: input.name,
    output,
    classes,
    batch: originalBatch === 'free' ? wanted : originalBatch,
    shape,
  })
}

/** @returns what is wrong with it where something is */
async function openGradient(
  { batch: wanted, shape, range, executionProvider }: LoadRequest,
  { gradientModel, gradientBatch, classes, output, comparable }: Surrogate,
  prediction: Engine['prediction'],
  optimisation: Optimisation,
): Promise<Engine['gradient'] | string> {
  const opening = openSession(gradientModel, {}, optimisation, executionProvider)
  const session = await opening.catch((error: unknown) => messageOf(error))
  if (typeof session === 'string') return `onnxruntime does not open it: ${oneLine(session, 200)}`
  const batch = gradientBatch === 'free' ? wanted : gradientBatch
  const gradient = gradientOracle({ session, classes, batch, shape })
  const samples = sampleInputs({ name: 'image', type: 'float32', shape, range })
  const fault = await faultOfGradient({ gradient, prediction }, { kind: output.kind, samples, comparable })
  if (fault !== undefined) await session.release()
  return fault ?? gradient
}
