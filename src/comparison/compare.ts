import type { Policy } from '../config/types.js'
import type { Results } from '../evaluation/results.js'
import { assertComparable, canonical } from './pairing.js'
import { classChanges, pairedRows } from './rows.js'
import { dataOf, flagsOf, suiteOf, summarize } from './summary.js'
import type { Acceptance, Comparison, Reason } from './types.js'
import { judge } from './verdict.js'

export interface CompareOptions {
  /** The caller knows that both are the same model with the same preprocessing. Undefined: told from the results. */
  readonly unchanged?: boolean
  /** Why there is no baseline: nobody asked for one, or it was not found. */
  readonly baselineState?: 'none' | 'missing'
  readonly acceptance?: Acceptance
}

/**
 * Compares two models image by image and judges the candidate by the policy. Without a baseline only absolute limits are
 * checked. Throws a UsageError when the two results were not made the same way on the same images.
 */
export function compare(
  candidate: Results,
  baseline: Results | undefined,
  policy: Policy,
  options: CompareOptions = {},
): Comparison {
  if (baseline) assertComparable(candidate, baseline)
  const summary = summarize(candidate)
  const rows = baseline ? pairedRows(candidate, baseline, policy) : []
  const flags = [...flagsOf('candidate', candidate), ...(baseline ? flagsOf('baseline', baseline) : [])]
  const verdict = judge(
    {
      candidate: summary,
      rows,
      threats: candidate.threats,
      flags,
      baseline: baseline ? 'present' : (options.baselineState ?? 'none'),
      unchanged: baseline !== undefined && (options.unchanged ?? isSameModel(candidate, baseline)),
      acceptance: options.acceptance,
    },
    policy,
  )
  return {
    schema: 'robustness-gate/comparison/1',
    candidate: summary,
    ...(baseline && { baseline: summarize(baseline) }),
    data: dataOf(candidate),
    suite: suiteOf(candidate),
    threats: candidate.threats,
    seed: candidate.seed,
    policy,
    rows,
    classes: baseline ? classChanges(candidate, baseline) : [],
    flags,
    verdict: baseline ? { ...verdict, reasons: [...verdict.reasons, ...engineReasons(candidate, baseline)] } : verdict,
  }
}

function isSameModel(candidate: Results, baseline: Results): boolean {
  return (
    candidate.model.sha256 === baseline.model.sha256 &&
    canonical(candidate.preprocessing ?? {}) === canonical(baseline.preprocessing ?? {})
  )
}

/** Equality to the bit is promised per CPU type, engine and batch only; a cached or committed baseline may come from others. */
function engineReasons({ tool: ours }: Results, { tool: theirs }: Results): readonly Reason[] {
  const differing = (['version', 'engine', 'cpu', 'batch'] as const).filter((key) => ours[key] !== theirs[key])
  if (differing.length === 0) return []
  return [
    {
      code: 'different-engine',
      message: `The two results were made with different settings of the tool (${differing.join(', ')}): single images may differ for that alone.`,
    },
  ]
}
