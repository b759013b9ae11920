import { isDeepStrictEqual } from 'node:util'
import type { Transfer } from './comparison/types.js'
import type { Config } from './config/types.js'
import type { Dataset } from './data/types.js'
import { evaluateModel } from './evaluateModel.js'
import type { ModelEffects, Role } from './evaluateModel.js'
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
  /** Whose evaluation is under way. */
  failed?: Role
}

export interface BothModels {
  readonly candidate: ModelFile
  /** Undefined where none is to be evaluated. */
  readonly baseline?: ModelFile
  readonly dataset: Dataset
  /** Only this part of the images. */
  readonly shard?: Shard
}

/**
 * Evaluates the candidate, and where there is a baseline's model this, too; then tries the adversarial examples of each on
 * the other. All of it is told image by image, so the shards of two models can be joined again.
 *
 * @param known - Gets what is found out as soon as it is.
 */
export async function evaluateBoth(
  { candidate: candidateFile, baseline: baselineFile, dataset, shard }: BothModels,
  config: Config,
  effects: ModelEffects,
  known: Measured,
): Promise<void> {
  const asking = { ...effects, timeLimitSeconds: config.limits.seconds }
  const trial = transferTrial(dataset, config, effects)
  known.failed = 'candidate'
  const candidate = await completeModel(candidateFile, asking)
  const attacking = baselineFile === undefined ? effects : trial.keeping('candidate')
  const results = await evaluateModel('candidate', candidate, dataset, config, attacking, shard)
  known.candidate = results
  if (baselineFile === undefined) return
  known.failed = 'baseline'
  const baseline = await completeModel(baselineFile, asking)
  if (isUnchanged(config, candidate, baseline)) {
    known.baseline = { ...results, model: { ...results.model, name: baseline.name } }
    return
  }
  const keeping = trial.keeping('baseline', isHeldBy(results))
  known.baseline = await evaluateModel('baseline', baseline, dataset, config, keeping, shard)
  const onBaseline = await trial.on('baseline', baseline, known.baseline)
  known.failed = 'candidate'
  known.transfer = [...onBaseline, ...(await trial.on('candidate', candidate, results))]
}

/** An evaluation is deterministic, so the same model is evaluated once: most pull requests do not touch it. */
export function isUnchanged(config: Config, candidate: ModelFile, baseline: ModelFile): boolean {
  const samePreprocessing = isDeepStrictEqual(config.preprocessing, config.baselinePreprocessing)
  return samePreprocessing && hashModel(candidate) === hashModel(baseline)
}
