import type { Absence } from '../comparison/types.js'
import type { ModelBytes } from '../engine/messages.js'
import type { Results } from '../evaluation/results.js'
import type { Unreached } from '../remote/unreached.js'
import { oneLine } from '../text.js'

/** What the candidate is compared with, or why there is nothing. */
export type Baseline =
  | { readonly kind: 'model'; readonly model: ModelBytes; readonly origin: BaselineOrigin }
  | { readonly kind: 'results'; readonly results: Results; readonly origin: BaselineOrigin }
  | { readonly kind: Absence['state']; readonly reason: string; readonly warning?: string }

export type NoBaseline = Extract<Baseline, { readonly reason: string }>

/** Which way led to it, for the report. */
export interface BaselineOrigin {
  readonly commit?: string
  readonly how: string
}

/**
 * Of a baseline that GitHub or the network did not give: neither a first adoption nor a mistake of the workflow's. The policy
 * decides, and a warning tells of it where that lets the model pass.
 */
export function unreached({ message }: Unreached): Baseline {
  const reason = `The baseline could not be had: ${oneLine(message, 500)}.`
  return { kind: 'broken', reason, warning: reason }
}
