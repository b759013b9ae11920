import type { Absence, Comparison, ModelRole, Origin } from './comparison/types.js'
import type { RawData } from './data/types.js'
import type { ModelFile } from './evaluation/modelFile.js'
import type { Results } from './evaluation/results.js'

export interface GateSources {
  readonly candidate: ModelFile
  readonly baseline: BaselineSource
  readonly data: RawData
  /** Gets the verdict before it is written, and may have heard that somebody accepts it. */
  readonly appeal?: (comparison: Comparison) => Promise<Comparison>
  /** Where the models came from, for the report. */
  readonly origins?: Readonly<Partial<Record<ModelRole, Pick<Origin, 'commit' | 'how'>>>>
  /** A model that is unchanged is not attacked, unless there is an absolute limit to hold it to. */
  readonly spareUnchanged?: boolean
  /** A baseline that cannot be used is a state for the policy to judge; without it, a mistake of whoever named it. */
  readonly tolerateBaseline?: boolean
}

export type BaselineSource =
  | { readonly kind: 'model'; readonly model: ModelFile }
  /** Of an earlier evaluation, with the same data, suite, threats and seed. */
  | { readonly kind: 'results'; readonly results: Results }
  | { readonly kind: Absence['state'] }
