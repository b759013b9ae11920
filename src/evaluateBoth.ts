import { isDeepStrictEqual } from 'node:util'
import type { Transfer } from './comparison/types.js'
import type { Config } from './config/types.js'
import type { Dataset } from './data/types.js'
import type { ModelBytes } from './engine/messages.js'
import type { ModelEffects, Role } from './evaluateModel.js'
import { evaluateOnce, recallEvaluation } from './evaluationStore.js'
import type { StoringEffects } from './evaluationStore.js'
import { completeModel } from './evaluation/ask.js'
import { hashModel } from './evaluation/modelFile.js'
import type { ModelFile } from './evaluation/modelFile.js'
import type { Results } from './evaluation/results.js'
import type { Shard } from './evaluation/shards.js'
import { isHeldBy } from './evaluation/transfer.js'
import { transferTrial } from './transferTrial.js'

/** What is known of a gate's models; it stays known when an evaluation breaks. */
export interface Measured {
  candidate?: Results
  baseline?: Results
  /** What became of each model's adversarial examples on the other; undefined where there were not two models. */
  transfer?: readonly Transfer[]
  /** With all their files. */
  models?: Readonly<Partial<Record<Role, { readonly name: string; readonly sha256: string }>>>
  /** Whose evaluation is under way. */
  failed?: Role
  /** Candidate and baseline are the same model, with the same preprocessing. */
  unchanged?: boolean
  /** Whose results are an earlier run's. */
  recalled?: readonly Role[]
}

export interface BothModels {
  readonly candidate: ModelFile
  /** Undefined where none is to be evaluated. */
  readonly baseline?: ModelFile
  readonly dataset: Dataset
  /** Only this part of the images. */
  readonly shard?: Shard
  /** A model that is unchanged is not attacked; what is known of it is still told. */
  readonly spare?: boolean
}

/**
 * Evaluates the candidate, and where there is a baseline's model this, too; then tries the adversarial examples of each on
 * the other. All of it is told image by image, so the shards of two models can be joined again.
 *
 * @param known - Gets what is found out as soon as it is.
 */
export async function evaluateBoth(
  { candidate: candidateFile, baseline: baselineFile, dataset, shard, spare }: BothModels,
  config: Config,
  effects: StoringEffects,
  known: Measured,
): Promise<void> {
  const asking = { ...effects, timeLimitSeconds: config.limits.seconds }
  const trial = transferTrial(dataset, config, effects)
  const evaluated = async (role: Role, model: ModelBytes, keeping: Partial<ModelEffects> = {}): Promise<Results> => {
    known.failed = role
    const task = { role, model, dataset, config, shard }
    const { results, recalled } = await evaluateOnce(task, { ...effects, ...keeping })
    if (recalled) known.recalled = [...(known.recalled ?? []), role]
    return results
  }
  known.failed = 'candidate'
  const candidate = await completeModel(candidateFile, asking)
  known.models = { ...known.models, candidate: named(candidate) }
  if (baselineFile === undefined) {
    known.candidate = await evaluated('candidate', candidate)
    return
  }
  known.failed = 'baseline'
  const baseline = await completeModel(baselineFile, asking)
  known.models = { ...known.models, baseline: named(baseline) }
  known.unchanged = isUnchanged(config, candidate, baseline)
  if (known.unchanged) {
    const results = spare
      ? await recallEvaluation({ role: 'candidate', model: candidate, dataset, config, shard }, effects)
      : await evaluated('candidate', candidate)
    if (results === undefined) return
    if (spare) known.recalled = ['candidate']
    known.candidate = results
    known.baseline = { ...results, model: { ...results.model, name: baseline.name } }
    return
  }
  const results = await evaluated('candidate', candidate, trial.keeping('candidate'))
  known.candidate = results
  const ofBaseline = await evaluated('baseline', baseline, trial.keeping('baseline', isHeldBy(results)))
  known.baseline = ofBaseline
  const onBaseline = await trial.on('baseline', baseline, ofBaseline)
  known.failed = 'candidate'
  known.transfer = [...onBaseline, ...(await trial.on('candidate', candidate, results))]
}

function named(model: ModelBytes): { readonly name: string; readonly sha256: string } {
  return { name: model.name, sha256: hashModel(model) }
}

/** An evaluation is deterministic, so the same model is evaluated once: most pull requests do not touch it. */
export function isUnchanged(config: Config, candidate: ModelFile, baseline: ModelFile): boolean {
  const samePreprocessing = isDeepStrictEqual(config.preprocessing, config.baselinePreprocessing)
  return samePreprocessing && hashModel(candidate) === hashModel(baseline)
}
