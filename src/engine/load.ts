import { env } from 'onnxruntime-node'
import { NoGradient } from '../autodiff/noGradient.js'
import { buildSurrogate } from '../autodiff/surrogate.js'
import type { OriginalFacts, Surrogate } from '../autodiff/surrogate.js'
import { withoutGradient } from '../autodiff/withoutGradient.js'
import type { AttackSpec } from '../config/attackTypes.js'
import { UsageError } from '../errors.js'
import { messageOf, oneLine } from '../text.js'
import { attacksRun, withFallback } from './attacksRun.js'
import { flagMessage } from './flagTable.js'
import { gradientOracle, noGradientOracle } from './gradient.js'
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
  /** Images in one call of the gradient model; where there is none, of the model. */
  readonly batch: number
  /** `onnxruntime 1.30.0` */
  readonly runtime: string
  readonly flags: readonly Flag[]
}

/**
 * Makes the gradient model, and opens it, the original and the preprocessing in front of it. A model whose gradient cannot
 * be made is attacked without.
 *
 * @throws UsageError when the model is no classifier of such images
 */
export async function loadModel(request: LoadRequest): Promise<LoadedModel> {
  const { model, shape, layout, range, preprocessing, threats, seed, batch: wanted } = request
  const { facts, surrogate, flags } = await factsOf(request)
  const { classes, input, output, preprocessingModel, originalBatch } = facts
  const applicable = withApplicableLosses(request.attacks, classes)
  const gradient = surrogate !== undefined
  const originals = originalBatch === 'free' ? wanted : originalBatch
  const batch =
    surrogate === undefined ? originals : surrogate.gradientBatch === 'free' ? wanted : surrogate.gradientBatch
  return {
    engine: {
      gradient: surrogate
        ? gradientOracle({ session: await openSession(surrogate.gradientModel), classes, batch, shape })
        : noGradientOracle(batch),
      prediction: originalOracle({
        session: await openSession(model.bytes, model.external),
        preprocessing: preprocessingModel && (await openSession(preprocessingModel)),
        input: input.name,
        output,
        classes,
        batch: originals,
        shape,
      }),
    },
    plan: {
      threats,
      attacks: attacksRun(withFallback(applicable.attacks, gradient), gradient),
      gradient,
      bounds: range,
      seed,
      classes,
      shape,
      layout,
      preprocessing,
      quantised: request.quantised,
    },
    classes,
    batch,
    runtime: `onnxruntime ${env.versions.node ?? ''}`.trimEnd(),
    flags: [...(gradient ? applicable.flags : []), ...flags],
  }
}

interface Facts {
  readonly facts: OriginalFacts
  readonly surrogate?: Surrogate
  readonly flags: readonly Flag[]
}

async function factsOf({ model, shape, layout, range, preprocessing, batch, attacks }: LoadRequest): Promise<Facts> {
  const run = modelRunner(model.external)
  const options = { shape, layout, range, preprocessing, run }
  try {
    const surrogate = await buildSurrogate(model, { ...options, batch, losses: lossesOf(attacks) })
    return { facts: surrogate, surrogate, flags: [...flagsOf(surrogate, attacks), ...straightThrough(surrogate)] }
  } catch (error) {
    if (!(error instanceof NoGradient)) throw error
    const why = error.message.replace(`${model.name}: `, '')
    const facts = await withoutGradient(model, options).catch((other: unknown) => {
      if (other instanceof UsageError) throw other
      throw new UsageError(`${model.name}: ${why}; nor does onnxruntime run it (${oneLine(messageOf(other), 200)})`)
    })
    const found = `The gradient of the model cannot be made (${why}), so only attacks that need none were run`
    return { facts, flags: [...flagsOf(facts, attacks), flag('no-gradient-rule', found)] }
  } finally {
    await run.close()
  }
}

function flagsOf({ chance, batchDependent }: OriginalFacts, attacks: readonly AttackSpec[]): readonly Flag[] {
  const draws = `The model draws numbers (${chance.join(', ')}): an image may be right in one run and wrong in the next, and results differ from run to run`
  const mixed = 'What the model says of an image depends on the other images of its batch'
  const averaged = attacks.some((attack) => 'eot' in attack && attack.eot > 1)
  // Whoever averages gradients has done what there is to do.
  const randomness = averaged ? { code: 'randomness', message: `${draws}.` } : flag('randomness', draws)
  return [...(chance.length > 0 ? [randomness] : []), ...(batchDependent ? [flag('batch-dependent', mixed)] : [])]
}

function straightThrough({ straightThrough: operators }: Surrogate): readonly Flag[] {
  const found = `The model is flat between steps (${operators.join(', ')}): attacks follow the gradient of a smooth stand-in; the model itself decides whether they succeed`
  return operators.length > 0 ? [flag('straight-through', found)] : []
}

function flag(code: Parameters<typeof flagMessage>[0], found: string): Flag {
  return { code, message: flagMessage(code, found) }
}
