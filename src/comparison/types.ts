import type { Policy } from '../config/types.js'
import type { Evaluation } from '../evaluation/results.js'

/** One line of the table: how many images were right (clean) or robust in each model, and what that says. */
export interface PairedRow {
  /** `clean`; `linf-0.1` (the worst case of a threat); `linf-0.1/pgd` (one attack). */
  readonly id: string
  readonly kind: 'clean' | 'worst-case' | 'attack'
  readonly threat?: string
  readonly attack?: string
  /** For people: `Clean`, `Worst case, Linf 0.1`, `pgd`. */
  readonly title: string
  /** The attack got only the images that those before it in the suite had not broken, and counts with them. */
  readonly survivorsOnly?: boolean
  /** Worst cases and clean accuracy decide, attacks inform. */
  readonly decides: boolean
  readonly samples: number
  /** Counts of images right/robust. */
  readonly baseline: number
  readonly candidate: number
  /** b: held in the baseline, lost in the candidate. c: the other way. Image indices, ascending. */
  readonly lost: readonly number[]
  readonly gained: readonly number[]
  /** (b − c) / n in percentage points; positive is worse. */
  readonly drop: number
  /** Two-sided 95 % interval of the drop (Tango 1998), percentage points. */
  readonly interval: readonly [number, number]
  /** Percentage points allowed by the policy for this row. Attack rows carry their threat's. */
  readonly allowed: number
  /** One-sided p of "drop ≤ allowed" (score test), before and after Holm's correction (decisive rows only). */
  readonly pValue: number
  readonly adjustedPValue?: number
  /** Two-sided exact McNemar of "no difference". */
  readonly mcnemar: number
  /** Smallest true drop (points, as `drop`) that n images would have shown to exceed `allowed` with 80 % power; undefined where no drop would. */
  readonly detectable?: number
  /** Images needed to call this observed drop significant with 80 % power; undefined where the drop is within what is allowed. */
  readonly samplesNeeded?: number
}

export interface Reason {
  /**
   * Stable. Against the candidate: `robust-drop`, `clean-drop`, `min-robust-accuracy`, `min-clean-accuracy`; undecided:
   * `robust-drop-unproven`, `clean-drop-unproven`, `masked-gradients`, `baseline-missing`, `baseline-expired`, `baseline-broken`,
   * `baseline-different`; for information: `within-limits`, `clean-budget`,
   * `no-baseline`, `unchanged`, `different-engine`; and `error`.
   */
  readonly code: string
  /** One sentence for people. */
  readonly message: string
  readonly row?: string
}

/** A person's decision to let this candidate through. */
export interface Acceptance {
  readonly who: string
  readonly when: string
  /** What they set to say so. */
  readonly label?: string
  /** Where. */
  readonly pullRequest?: number
  /** They also opened it. */
  readonly byAuthor?: boolean
  /** When they could have known of the candidate. */
  readonly reported?: string
}

export type Outcome = 'pass' | 'regression' | 'inconclusive' | 'error'

/** Why there is no baseline to compare with. */
export interface Absence {
  /**
   * `none`: not wanted, or the event has none. `missing`: it did not exist yet. `expired`: nobody keeps it any more. `broken`: it
   * cannot be read or evaluated. `different`: its results are of another suite, other data or another seed.
   */
  readonly state: 'none' | 'missing' | 'expired' | 'broken' | 'different'
  /** One sentence; text of others may be in there. */
  readonly why?: string
}

export interface Verdict {
  readonly outcome: Outcome
  readonly reasons: readonly Reason[]
  /** `present`, or why there was none. */
  readonly baseline: 'present' | Absence['state']
  /** Why there was none, where that needs more words. Text of others may be in there. */
  readonly why?: string
  readonly acceptance?: Acceptance
  /** How a person can accept what fails, and why what is there is no acceptance. Text of others may be in there. */
  readonly appeal?: string
  /** What the job does, after `failOn` and an acceptance. */
  readonly fails: boolean
}

export interface ComparedSuite {
  readonly name: string
  readonly version: number
  /** In the order in which they ran. */
  readonly attacks?: readonly { readonly id: string; readonly survivorsOnly?: boolean }[]
}

/** What broke, when the outcome is `error`. */
export interface Failure {
  /** Whose evaluation; undefined when neither's. */
  readonly model?: ModelRole
  readonly message: string
}

export type ModelRole = 'baseline' | 'candidate'

/**
 * `comparison.json`, schema `robustness-gate/comparison/1`. Everything is there but under two circumstances: an error keeps
 * what was known when it happened, and a model that is unchanged may not have been attacked.
 */
export interface Comparison {
  readonly schema: 'robustness-gate/comparison/1'
  readonly candidate?: ModelSummary
  readonly baseline?: ModelSummary
  readonly data?: { readonly name: string; readonly sha256: string; readonly samples: number }
  readonly suite?: ComparedSuite
  /** Empty when unknown. */
  readonly threats: readonly Threat[]
  readonly seed?: number
  /** What the verdict was reached with. */
  readonly policy?: Policy
  /** Empty without a baseline. */
  readonly rows: readonly PairedRow[]
  /** Per class, for every worst-case row: counts in both models. */
  readonly classes: readonly ClassChange[]
  readonly flags: readonly {
    readonly model: ModelRole
    readonly code: string
    readonly message: string
    /** Indices of the images it is about. */
    readonly samples?: readonly number[]
  }[]
  /** The models, whether or not they were attacked, and where they came from. */
  readonly origins?: Readonly<Partial<Record<ModelRole, Origin>>>
  /** Each model's adversarial examples tried on the other; undefined where the two models were not both at hand. */
  readonly transfer?: readonly Transfer[]
  readonly verdict: Verdict
  readonly failure?: Failure
}

export interface Origin {
  readonly name: string
  readonly sha256: string
  /** That holds the file, or that a run made it from. */
  readonly commit?: string
  /** Which way led to it, in our words. */
  readonly how?: string
  /** Its results are an earlier run's. */
  readonly recalled?: true
}

/** Adversarial examples of one model, within a threat, on the other: a diagnosis, of which no model's result depends. */
export interface Transfer {
  readonly from: ModelRole
  readonly to: ModelRole
  readonly threat: string
  /** Images that count as robust in `to` and had an example of `from`'s to try. */
  readonly tried: number
  /** Those of them that it breaks, which the suite therefore missed: indices, ascending. */
  readonly fooled: readonly number[]
}

export type Threat = Evaluation['threats'][number]

export interface ModelSummary {
  readonly name: string
  readonly sha256: string
  readonly bytes: number
  /** Fractions of 1. */
  readonly cleanAccuracy: number
  readonly robustAccuracy: Readonly<Record<string, number>>
  /** By threat, then attack id. */
  readonly attacks: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** By norm, where more than one ε is known: upper bounds of robust accuracy as functions of ε. */
  readonly curves?: Evaluation['summary']['curves']
  /** What it was measured with. */
  readonly tool: Evaluation['tool']
}

export interface ClassChange {
  readonly label: number
  readonly name?: string
  readonly threat: string
  readonly samples: number
  readonly baseline: number
  readonly candidate: number
}
