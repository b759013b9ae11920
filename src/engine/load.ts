import { env } from 'onnxruntime-node'
import { engineName } from './engineName.js'
import { attacksRun, withFallback } from './attacksRun.js'
import type { AttackSpec } from '../config/attackTypes.js'
import type { AttackPlan } from './attackPlan.js'
import { withApplicableLosses } from './losses.js'
import type { Flag, LoadRequest } from './messages.js'
import { drawsAlike, flagsOfModel } from './flagsOfModel.js'
import { openEngine } from './openEngine.js'
import { optimisationFor } from './optimisation.js'
import type { Engine } from './scheduler.js'

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
 * be made, or turns out to be another's, is attacked without.
 *
 * @throws UsageError when the model is no classifier of such images
 */
export async function loadModel(request: LoadRequest): Promise<LoadedModel> {
  const { shape, layout, range, preprocessing, threats, seed, quantised } = request
  const optimisation = await optimisationFor(request)
  const { engine, facts, obstacle } = await openEngine(request, optimisation)
  const { classes } = facts
  const gradient = obstacle === undefined
  const applicable = withApplicableLosses(request.attacks, classes)
  const attacks = drawsAlike(facts) ? applicable.attacks.map(askingOnce) : applicable.attacks
  return {
    engine,
    plan: {
      threats,
      attacks: attacksRun(withFallback(attacks, gradient), gradient),
      gradient,
      bounds: range,
      seed,
      classes,
      shape,
      layout,
      preprocessing,
      quantised,
    },
    classes,
    batch: gradient ? engine.gradient.batch : engine.prediction.batch,
    runtime: engineName(env.versions.node ?? '', request.executionProvider),
    flags: [
      ...(gradient ? applicable.flags : []),
      ...flagsOfModel({ facts, obstacle, optimisation, attacks: request.attacks }),
    ],
  }
}

/** Twenty times the same gradient costs twenty times as much and tells nothing more. */
function askingOnce(attack: AttackSpec): AttackSpec {
  return 'eot' in attack ? { ...attack, eot: 1 } : attack
}
