import { assertComplete, assertSameConditions } from './comparison/pairing.js'
import type { Absence } from './comparison/types.js'
import type { Config } from './config/types.js'
import type { Dataset } from './data/types.js'
import { UsageError } from './errors.js'
import { attacksRun, withFallback } from './engine/attacksRun.js'
import type { Role } from './evaluateModel.js'
import { requestFor } from './evaluateModel.js'
import { completeModel, loadDataset } from './evaluation/ask.js'
import type { ChildEffects } from './evaluation/children.js'
import { imagesToDiagnose } from './evaluation/diagnosed.js'
import { workerCount } from './evaluation/evaluate.js'
import { mostPerImage } from './evaluation/expectedCost.js'
import type { ModelFile } from './evaluation/modelFile.js'
import type { Shard } from './evaluation/shards.js'
import { imagesOfShard } from './evaluation/shards.js'
import { tryModel } from './evaluation/trial.js'
import { isUnchanged } from './evaluateBoth.js'
import { conditionsOf, mayBeSpared } from './gateConditions.js'
import type { GateSources } from './gateSources.js'
import type { Host } from './host.js'
import type { Plan, PlannedModel } from './report/plan.js'

export type DryRunEffects = Host & Pick<ChildEffects, 'signal'>

/** What is going to be evaluated; `evaluate` has no baseline, and may have a shard. */
export type DryRunSources = Pick<GateSources, 'candidate' | 'data' | 'tolerateBaseline' | 'spareUnchanged'> & {
  readonly baseline?: GateSources['baseline']
  readonly shard?: Shard
}

/**
 * Reads data and models as a gate does, runs one batch of each, and says what a gate would run and how long that takes.
 * Nothing is attacked and nothing written.
 *
 * @throws UsageError and EvaluationError as `runGate` does, and EvaluationError where that makes it a verdict.
 */
export async function dryRun(config: Config, sources: DryRunSources, effects: DryRunEffects): Promise<Plan> {
  const { baseline, shard, tolerateBaseline = false, spareUnchanged = false } = sources
  const asking = { ...effects, timeLimitSeconds: config.limits.seconds }
  const dataset = await loadDataset(sources.data, config.dataOptions, config.samples, asking)
  const images = shard ? [...imagesOfShard(shard, dataset.samples)] : undefined
  const planned = (role: Role, file: ModelFile) => planModel(role, file, { dataset, images }, config, effects)
  const usable = baselineUse(tolerateBaseline)
  let state: Plan['baseline'] =
    baseline?.kind === 'results'
      ? await usable('different', () => {
          assertSameConditions(conditionsOf(config, dataset), baseline.results)
          assertComplete(baseline.results)
          return { state: 'results' as const }
        })
      : undefined
  const candidate = await completeModel(sources.candidate, asking)
  // A model that is spared is not even looked into.
  const same =
    baseline?.kind === 'model'
      ? await usable('broken', async () => isUnchanged(config, candidate, await completeModel(baseline.model, asking)))
      : false
  const spared = same === true && spareUnchanged && mayBeSpared(config)
  const models = spared ? [] : [await planned('candidate', candidate)]
  if (typeof same !== 'boolean') state = same
  else if (same) state = { state: spared ? 'spared' : 'unchanged' }
  else if (baseline?.kind === 'model')
    state = await usable('broken', async () => {
      models.push(await planned('baseline', baseline.model))
      return undefined
    })
  else if (baseline !== undefined && baseline.kind !== 'results') state = { state: baseline.kind }
  const { suite, threats, seed, policy } = config
  return {
    data: { name: dataset.name, samples: dataset.samples, shape: dataset.shape, range: dataset.range },
    images: images?.length ?? dataset.samples,
    ...{ suite, threats, seed, models, quantised: config.quantised, timeLimit: config.limits.seconds, policy },
    ...(state && { baseline: state }),
  }
}

/** What a gate does with a baseline that cannot be used, see `measureGate`. */
function baselineUse(tolerated: boolean) {
  return async <Use>(state: Absence['state'], use: () => Use | Promise<Use>): Promise<Use | Absence> => {
    try {
      return await use()
    } catch (error) {
      if (!tolerated || !(error instanceof UsageError)) throw error
      return { state, why: error.message }
    }
  }
}

interface Evaluated {
  readonly dataset: Dataset
  /** Those of a shard; undefined: all. */
  readonly images?: readonly number[]
}

async function planModel(
  role: Role,
  file: ModelFile,
  { dataset, images: ofShard }: Evaluated,
  config: Config,
  effects: DryRunEffects,
): Promise<PlannedModel> {
  const model = await completeModel(file, { ...effects, timeLimitSeconds: config.limits.seconds })
  const trial = await tryModel(requestFor({ role, model, dataset, config }), effects)
  const { classes, gradient } = trial
  const { threats, suite } = config
  const asked = { attacks: suite.attacks, threats, classes, gradient }
  const images = ofShard?.length ?? dataset.samples
  const closer = imagesToDiagnose(dataset)
  const diagnosed = ofShard?.filter((index) => closer.has(index)).length ?? closer.size
  const [usual, looked] = [mostPerImage(asked, false), mostPerImage(asked, true)]
  const most = (key: 'gradients' | 'forwards') => (images - diagnosed) * usual[key] + diagnosed * looked[key]
  const workers = workerCount(config.limits, images, effects.cores)
  const [gradients, forwards] = [most('gradients'), most('forwards')]
  const seconds = gradients * (trial.secondsPerGradient ?? 0) + forwards * trial.secondsPerForward
  return {
    ...{ role, name: model.name, trial, workers, gradients, forwards },
    seconds: seconds / workers,
    attacks: attacksRun(withFallback(suite.attacks, gradient), gradient).map(({ id }) => id),
  }
}
