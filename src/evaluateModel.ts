import type { Config } from './config/types.js'
import type { Dataset } from './data/types.js'
import type { ModelBytes } from './engine/messages.js'
import { completeModel } from './evaluation/ask.js'
import type { Witness } from './evaluation/collector.js'
import { evaluate } from './evaluation/evaluate.js'
import type { EvaluationRequest } from './evaluation/evaluate.js'
import type { ModelFile } from './evaluation/modelFile.js'
import type { Progress } from './evaluation/progress.js'
import type { Results } from './evaluation/results.js'
import type { Shard } from './evaluation/shards.js'
import type { Host } from './host.js'
import { version } from './version.js'

export type Role = 'candidate' | 'baseline'

export interface ModelEffects extends Host {
  readonly onProgress?: (role: Role, progress: Progress) => void
  /** Called with a point that fools the model for each image that is broken under a threat. */
  readonly onWitness?: (witness: Witness) => void
  /** Ends the evaluation; its children are killed. */
  readonly signal?: AbortSignal
}

/** One model under the configuration's attacks, on all images or on those of a shard. */
export interface ModelTask<Model = ModelBytes> {
  readonly role: Role
  readonly model: Model
  readonly dataset: Dataset
  readonly config: Config
  readonly shard?: Shard
}

/** See `evaluate`. */
export async function evaluateModel(task: ModelTask<ModelFile>, effects: ModelEffects): Promise<Results> {
  const { onProgress } = effects
  const witnesses = effects.onWitness !== undefined
  const model = await completeModel(task.model, { ...effects, timeLimitSeconds: task.config.limits.seconds })
  return evaluate(
    { ...requestFor({ ...task, model }), witnesses },
    { ...effects, onProgress: onProgress && ((progress) => onProgress(task.role, progress)) },
  )
}

/** What is asked of a model, which has all its files. */
export function requestFor({ role, model, dataset, config, shard }: ModelTask): EvaluationRequest {
  const { threats, suite, quantised, seed, limits, executionProvider } = config
  const preprocessing = role === 'candidate' ? config.preprocessing : config.baselinePreprocessing
  const attacked = { model, dataset, preprocessing, threats, suite, quantised, seed }
  return { ...attacked, limits, executionProvider, toolVersion: version, shard }
}
