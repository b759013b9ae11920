import type { Conditions } from './comparison/pairing.js'
import type { Config } from './config/types.js'
import type { Dataset } from './data/types.js'
import { suiteOf, withBounds } from './evaluation/evaluate.js'

/** What the candidate's results are going to be made with. */
export function conditionsOf({ suite, quantised, threats, seed }: Config, { range, sha256 }: Dataset): Conditions {
  return {
    suite: suiteOf({ suite, quantised }),
    threats: withBounds(threats, range),
    seed,
    data: { sha256 },
  }
}

/** Whether a model that is unchanged passes whatever it does: there is no absolute limit to hold it to. */
export function mayBeSpared({ policy }: Pick<Config, 'policy'>): boolean {
  return policy.minCleanAccuracy === undefined && policy.minRobustAccuracy === undefined
}
