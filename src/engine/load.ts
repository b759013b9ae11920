import { env } from 'onnxruntime-node'
import { buildSurrogate } from '../autodiff/surrogate.js'
import { gradientOracle } from './gradient.js'
import type { AttackPlan } from './image.js'
import { lossesOf, withApplicableLosses } from './losses.js'
import type { Flag, LoadRequest } from './messages.js'
import { originalOracle } from './original.js'
import type { Engine } from './scheduler.js'
import { modelRunner, openSession } from './session.js'

/** A model that is ready to be attacked. */
export interface LoadedModel {
  readonly engine: Engine
  readonly plan: AttackPlan
  readonly classes: number
  /** Images in one call of the gradient model. */
  readonly batch: number
  /** `onnxruntime 1.30.0` */
  readonly runtime: string
  readonly flags: readonly Flag[]
}

/**
 * Makes the gradient model, and opens it, the original and the preprocessing in front of it.
 *
 * @throws UsageError when the model is no classifier of such images or holds an operator without a gradient
 */
export async function loadModel(request: LoadRequest): Promise<LoadedModel> {
  const { model, shape, layout, range, preprocessing, threats, seed } = request
  const run = modelRunner(model.external)
  const losses = lossesOf(request.attacks)
  const { batch: wanted } = request
  const surrogate = await buildSurrogate(model, {
    shape,
    layout,
    range,
    preprocessing,
    batch: wanted,
    losses,
    run,
  }).finally(run.close)
  const { classes, input, output, preprocessingModel, gradientBatch, originalBatch } = surrogate
  const { attacks, flags } = withApplicableLosses(request.attacks, classes)
  const batch = gradientBatch === 'free' ? wanted : gradientBatch
  return {
    engine: {
      gradient: gradientOracle({ session: await openSession(surrogate.gradientModel), classes, batch, shape }),
      prediction: originalOracle({
        session: await openSession(model.bytes, model.external),
        preprocessing: preprocessingModel && (await openSession(preprocessingModel)),
        input: input.name,
        output,
        classes,
        batch: originalBatch === 'free' ? wanted : originalBatch,
        shape,
      }),
    },
    plan: { threats, attacks, bounds: range, seed, classes, shape, layout, quantised: request.quantised },
    classes,
    batch,
    runtime: `onnxruntime ${env.versions.node ?? ''}`.trimEnd(),
    flags: [...flags, ...straightThroughFlags(surrogate.straightThrough)],
  }
}

function straightThroughFlags(operators: readonly string[]): readonly Flag[] {
  if (operators.length === 0) return []
  const message = `The model is flat between steps (${operators.join(', ')}): attacks follow the gradient of a smooth stand-in; the model itself decides whether they succeed.`
  return [{ code: 'straight-through', message }]
}
