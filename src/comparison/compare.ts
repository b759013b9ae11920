import type { Policy } from '../config/types.js'
import type { Results } from '../evaluation/results.js'
import { assertComparable, canonical } from './pairing.js'
import { classChanges, pairedRows } from './rows.js'
import { dataOf, flagsOf, suiteOf, modelSummary } from './summary.js'
import { transferFlags } from './transfer.js'
import type { Absence, Comparison, Failure, ModelRole, Reason, Transfer, Verdict } from './types.js'
import { judge } from './verdict.js'

export interface CompareOptions {
  /** The caller knows that both are the same model with the same preprocessing. Undefined: told from the results. */
  readonly unchanged?: boolean
  /** Why there is no baseline. */
  readonly absence?: Absence
  readonly origins?: Comparison['origins']
  /** What became of each model's adversarial examples on the other, where that was tried. */
  readonly transfer?: readonly Transfer[]
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
  const summary = modelSummary(candidate)
  const rows = baseline ? pairedRows(candidate, baseline, policy) : []
  const { transfer } = options
  const flags = [
    ...flagsOf('candidate', candidate),
    ...(baseline ? flagsOf('baseline', baseline) : []),
    ...(baseline && transfer ? transferFlags(transfer, { candidate, baseline }) : []),
  ]
  const verdict = judge(
    {
      candidate: summary,
      rows,
      threats: candidate.threats,
      flags,
      ...(!baseline && { absence: options.absence ?? { state: 'none' } }),
      unchanged: baseline !== undefined && (options.unchanged ?? isSameModel(candidate, baseline)),
    },
    policy,
  )
  return {
    schema: 'robustness-gate/comparison/1',
    candidate: summary,
    ...(baseline && { baseline: modelSummary(baseline) }),
    data: dataOf(candidate),
    suite: suiteOf(candidate),
    threats: candidate.threats,
    seed: candidate.seed,
    policy,
    rows,
    classes: baseline ? classChanges(candidate, baseline) : [],
    flags,
    ...(options.origins && { origins: options.origins }),
    ...(transfer && { transfer }),
    verdict: baseline ? { ...verdict, reasons: [...verdict.reasons, ...engineReasons(candidate, baseline)] } : verdict,
  }
}

/** Whatever was known when an evaluation broke. */
export interface Known extends Partial<Pick<Comparison, 'data' | 'suite' | 'threats' | 'seed' | 'policy' | 'origins'>> {
  /** Whose evaluation broke. */
  readonly failed?: ModelRole
  /** Evaluations that were completed. */
  readonly candidate?: Results
  readonly baseline?: Results
  readonly baselineState?: Verdict['baseline']
}

/** The verdict `error`: an evaluation could not be completed. It fails the job and never reads as a regression. */
export function errorComparison(message: string, known: Known = {}): Comparison {
  const { candidate, baseline } = known
  // The candidate goes first: once it is through, only the baseline is left to break.
  const model = known.failed ?? (candidate && !baseline ? 'baseline' : undefined)
  const evaluated = candidate ?? baseline
  const failure: Failure = { ...(model && { model }), message }
  const who = model ? `the ${model}` : 'a model'
  return {
    schema: 'robustness-gate/comparison/1',
    candidate: candidate && modelSummary(candidate),
    baseline: baseline && modelSummary(baseline),
    data: known.data ?? (evaluated && dataOf(evaluated)),
    suite: known.suite ?? (evaluated && suiteOf(evaluated)),
    threats: known.threats ?? evaluated?.threats ?? [],
    seed: known.seed ?? evaluated?.seed,
    policy: known.policy,
    rows: [],
    classes: [],
    ...(known.origins && { origins: known.origins }),
    flags: [...(candidate ? flagsOf('candidate', candidate) : []), ...(baseline ? flagsOf('baseline', baseline) : [])],
    verdict: {
      outcome: 'error',
      reasons: [{ code: 'error', message: `The evaluation of ${who} could not be completed: ${message}` }],
      baseline: known.baselineState ?? (baseline || model === 'baseline' ? 'present' : 'missing'),
      fails: true,
    },
    failure,
  }
}

/** The verdict on a model that is the baseline itself, and was not attacked. */
export function unchangedComparison(
  known: Pick<Comparison, 'data' | 'suite' | 'threats' | 'seed' | 'policy' | 'origins'>,
): Comparison {
  const unchanged = { code: 'unchanged', message: 'Candidate and baseline are the same model; nothing was attacked.' }
  return {
    schema: 'robustness-gate/comparison/1',
    ...known,
    ...{ rows: [], classes: [], flags: [] },
    verdict: { outcome: 'pass', reasons: [unchanged], baseline: 'present', fails: false },
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
