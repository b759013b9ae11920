import type { Transfer } from './comparison/types.js'
import type { Config } from './config/types.js'
import type { Dataset } from './data/types.js'
import type { ModelBytes } from './engine/messages.js'
import { requestFor } from './evaluateModel.js'
import type { ModelEffects, Role } from './evaluateModel.js'
import type { Witness } from './evaluation/collector.js'
import type { Results } from './evaluation/results.js'
import { transferable, tryWitnesses } from './evaluation/transfer.js'

/** Keeps two models' adversarial examples while they are evaluated, and then tries those of each on the other. */
export interface TransferTrial {
  /** @param useful says, where it is known already, which examples the other model may still fall for */
  keeping(from: Role, useful?: (witness: Witness) => boolean): ModelEffects
  /** @param results of `model`, the whole of them */
  on(to: Role, model: ModelBytes, results: Results): Promise<readonly Transfer[]>
}

export function transferTrial(dataset: Dataset, config: Config, effects: ModelEffects): TransferTrial {
  const kept: Readonly<Record<Role, Witness[]>> = { candidate: [], baseline: [] }
  const fits = transferable({ dataset, threats: config.threats })
  return {
    keeping: (from, useful = () => true) => ({
      ...effects,
      onWitness: (witness) => {
        effects.onWitness?.(witness)
        if (fits(witness) && useful(witness)) kept[from].push(witness)
      },
    }),
    async on(to, model, results) {
      const from = to === 'candidate' ? 'baseline' : 'candidate'
      const tried = await tryWitnesses(kept[from], results, requestFor({ role: to, model, dataset, config }), effects)
      return tried.map((one): Transfer => ({ from, to, ...one }))
    },
  }
}
