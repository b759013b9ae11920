import { assertComplete, assertSameConditions } from './comparison/pairing.js'
import type { Absence } from './comparison/types.js'
import type { Config } from './config/types.js'
import type { Dataset } from './data/types.js'
import { UsageError } from './errors.js'
import { evaluateBoth } from './evaluateBoth.js'
import type { Measured } from './evaluateBoth.js'
import type { Shard } from './evaluation/shards.js'
import type { StoringEffects } from './evaluationStore.js'
import { conditionsOf, mayBeSpared } from './gateConditions.js'
import type { GateSources } from './gateSources.js'

/**
 * Evaluates candidate and baseline, or the candidate alone where there is nothing to compare it with.
 *
 * @param sources - With a shard: only this part of the images.
 * @param known - Gets what is found out as soon as it is.
 * @returns Why there is no baseline; undefined where there is one.
 * @throws UsageError for a baseline that cannot be used, where that is not tolerated.
 */
export async function measureGate(
  config: Config,
  sources: GateSources & { readonly shard?: Shard },
  dataset: Dataset,
  effects: StoringEffects,
  known: Measured,
): Promise<Absence | undefined> {
  const { candidate, baseline, shard, spareUnchanged, tolerateBaseline = false } = sources
  const spare = spareUnchanged && mayBeSpared(config)
  const alone = () => evaluateBoth({ candidate, dataset, shard }, config, effects, known)
  switch (baseline.kind) {
    case 'model':
      try {
        const models = { candidate, baseline: baseline.model, dataset, shard, spare }
        await evaluateBoth(models, config, effects, known)
        return undefined
      } catch (error) {
        // What is wrong with the candidate, or with the data, is told as it is.
        if (!tolerateBaseline || !(error instanceof UsageError) || known.failed !== 'baseline') throw error
        known.baseline = undefined
        if (known.candidate === undefined) await alone()
        return { state: 'broken', why: error.message }
      }
    case 'results': {
      const { results } = baseline
      try {
        assertSameConditions(conditionsOf(config, dataset), results)
        assertComplete(results)
        known.baseline = results
        known.models = { baseline: { name: results.model.name, sha256: results.model.sha256 } }
      } catch (error) {
        if (!tolerateBaseline || !(error instanceof UsageError)) throw error
        await alone()
        return { state: 'different', why: error.message }
      }
      await alone()
      return undefined
    }
    default:
      await alone()
      return { state: baseline.kind }
  }
}
