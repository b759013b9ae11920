import type { AttackResult } from '../attacks/protocol.js'
import type { Bounds } from '../attacks/threat.js'
import type { Layout, Preprocessing, ThreatSpec } from '../config/types.js'
import type { RunAttack } from './attacksRun.js'

/** What is done to every image. */
export interface AttackPlan {
  readonly threats: readonly ThreatSpec[]
  /** Those that are run, in the order of the suite. */
  readonly attacks: readonly RunAttack[]
  /** Whether there is one to be asked for. */
  readonly gradient: boolean
  readonly bounds: Bounds
  readonly seed: number
  readonly classes: number
  /** Of one image, in `layout`. */
  readonly shape: readonly number[]
  readonly layout: Layout
  /** As declared: what the model is fed is (pixel − mean) / std. */
  readonly preprocessing: Pick<Preprocessing, 'mean' | 'std'>
  /** Only points of 8 bits count as witnesses. */
  readonly quantised: boolean
}

export interface MeasuredResult extends AttackResult {
  readonly distance: number
}

/** What each attack ended with by its id, and of the witnesses the one nearest to the image. */
export interface ThreatResult {
  readonly results: Readonly<Record<string, MeasuredResult>>
  readonly nearest?: MeasuredResult
}
