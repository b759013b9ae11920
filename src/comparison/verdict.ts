import type { Policy } from '../config/types.js'
import { meansMasked } from '../engine/flagTable.js'
import { oneLine } from '../text.js'
import { risenThreats } from './rows.js'
import { count, percent, points, signedPoints, threatTitle } from './text.js'
import type {
  Absence,
  Acceptance,
  Comparison,
  ModelSummary,
  Outcome,
  PairedRow,
  Reason,
  Threat,
  Verdict,
} from './types.js'

/** What a verdict is reached from. */
export interface Evidence {
  readonly candidate: ModelSummary
  /** Empty without a baseline. */
  readonly rows: readonly PairedRow[]
  readonly threats: readonly Threat[]
  readonly flags: Comparison['flags']
  /** Undefined with a baseline. */
  readonly absence?: Absence
  /** Candidate and baseline are the same model with the same preprocessing. */
  readonly unchanged: boolean
}

/**
 * The outcome by the policy: a proven drop beyond what is allowed or an accuracy under its absolute limit is a regression; an
 * unproven one, or masked gradients, leaves it inconclusive.
 */
export function judge(evidence: Evidence, policy: Policy): Verdict {
  const deciding = evidence.rows.filter(({ decides }) => decides)
  const against = [
    ...deciding.filter((row) => isProven(row, policy)).map(dropReason),
    ...limitReasons(evidence, policy),
  ]
  const undecided = [
    ...deciding.filter((row) => row.drop > row.allowed && !isProven(row, policy)).map(unprovenReason),
    ...maskedReasons(evidence),
    ...absenceReasons(evidence, policy),
  ]
  const outcome: Outcome = against.length > 0 ? 'regression' : undecided.length > 0 ? 'inconclusive' : 'pass'
  const within: Reason = { code: 'within-limits', message: 'Nothing falls by more than is allowed.' }
  const reasons = [
    ...against,
    ...undecided,
    ...(outcome === 'pass' && deciding.length > 0 ? [within] : []),
    ...informingReasons(evidence, policy),
  ]
  return {
    outcome,
    reasons,
    baseline: evidence.absence?.state ?? 'present',
    ...(evidence.absence?.why !== undefined && { why: evidence.absence.why }),
    fails: fails(outcome, policy.failOn, undefined, reasons.some(isOfAbsence)),
  }
}

/**
 * Whether the job fails. An error always does; nobody can accept what was not measured.
 *
 * @param absent - The policy asks for a baseline, and there is none.
 */
export function fails(outcome: Outcome, failOn: Policy['failOn'], acceptance?: Acceptance, absent = false): boolean {
  if (outcome === 'error') return true
  if (outcome === 'pass' || acceptance !== undefined || failOn === 'never') return false
  return outcome === 'regression' || failOn === 'inconclusive' || absent
}

/** Of a baseline that the policy asks for. */
export function isOfAbsence({ code }: Pick<Reason, 'code'>): boolean {
  return /^baseline-(missing|expired|broken|different)$/.test(code)
}

/**
 * Whether the policy lets no model pass that is compared with nothing, for this reason. Without `on-missing-baseline`: a model that
 * did not exist yet is nobody's fault; whatever else keeps two models from being compared is somebody's.
 */
export function isDemanded({ state }: Absence, { onMissingBaseline }: Pick<Policy, 'onMissingBaseline'>): boolean {
  return state !== 'none' && (onMissingBaseline ?? (state === 'missing' ? 'pass' : 'fail')) === 'fail'
}

function absenceReasons({ absence }: Evidence, policy: Policy): readonly Reason[] {
  if (absence === undefined || !isDemanded(absence, policy)) return []
  return [{ code: `baseline-${absence.state}`, message: `${lack(absence)}: nothing was compared.` }]
}

/** Clean accuracy and the worst cases carry an adjusted p-value; the others never get here. */
function isProven({ drop, allowed, adjustedPValue = 1 }: PairedRow, { decision, significance }: Policy): boolean {
  return drop > allowed && (decision === 'observed' || adjustedPValue <= significance)
}

function dropReason(row: PairedRow): Reason {
  return { code: `${aspect(row)}-drop`, message: `${fall(row)}.`, row: row.id }
}

function unprovenReason(row: PairedRow): Reason {
  const enough = row.samplesNeeded === undefined ? '' : `; about ${count(row.samplesNeeded)} images would tell`
  return {
    code: `${aspect(row)}-drop-unproven`,
    message: `${fall(row)}, but ${count(row.samples)} images cannot tell that from chance${enough}.`,
    row: row.id,
  }
}

function aspect({ kind }: PairedRow): 'clean' | 'robust' {
  return kind === 'clean' ? 'clean' : 'robust'
}

function subject({ kind, title }: PairedRow): string {
  return kind === 'clean' ? 'Clean accuracy' : `Robust accuracy under ${title.replace(/^Worst case, /, '')}`
}

function fall(row: PairedRow): string {
  const [before, after] = [row.baseline, row.candidate].map((images) => percent(images / row.samples))
  return `${subject(row)} falls from ${before} to ${after} (${signedPoints(-row.drop)} points, allowed ${points(row.allowed)})`
}

function limitReasons({ candidate, threats }: Evidence, policy: Policy): readonly Reason[] {
  const { minCleanAccuracy = 0, minRobustAccuracy = 0 } = policy
  const clean: Reason = {
    code: 'min-clean-accuracy',
    message: `Clean accuracy is ${percent(candidate.cleanAccuracy)}, under the required ${percent(minCleanAccuracy)}.`,
    row: 'clean',
  }
  const robust = threats
    .filter(({ id }) => candidate.robustAccuracy[id] < minRobustAccuracy)
    .map((threat): Reason => {
      const accuracy = percent(candidate.robustAccuracy[threat.id])
      return {
        code: 'min-robust-accuracy',
        message: `Robust accuracy under ${threatTitle(threat)} is ${accuracy}, under the required ${percent(minRobustAccuracy)}.`,
        row: threat.id,
      }
    })
  return candidate.cleanAccuracy < minCleanAccuracy ? [clean, ...robust] : robust
}

/** Whichever flag says so (FLAGS decides). An unchanged model cannot have become easier to fool, masked or not. */
function maskedReasons({ flags, unchanged }: Evidence): readonly Reason[] {
  const masked = (['candidate', 'baseline'] as const).filter((role) =>
    flags.some((flag) => flag.model === role && meansMasked(flag)),
  )
  return unchanged
    ? []
    : masked.map((role) => ({
        code: 'masked-gradients',
        message: `The ${role}’s gradients are masked or missing: the attacks may have missed adversarial examples, so its robust accuracy is only an upper bound.`,
      }))
}

function informingReasons(evidence: Evidence, policy: Policy): readonly Reason[] {
  const { rows, threats, absence, unchanged } = evidence
  const told = absence === undefined || absenceReasons(evidence, policy).length > 0
  const clean = rows.find(({ kind }) => kind === 'clean')
  const spent = clean && clean.drop > policy.maxCleanDrop && clean.drop <= clean.allowed
  return [
    ...(spent ? [cleanBudgetReason(clean, risenThreats(rows, policy.significance).length, threats.length)] : []),
    ...(told ? [] : [{ code: 'no-baseline', message: `${lack(absence)}: only absolute limits were checked.` }]),
    ...(unchanged ? [{ code: 'unchanged', message: 'Candidate and baseline are the same model.' }] : []),
  ]
}

function cleanBudgetReason({ id, drop, allowed }: PairedRow, risen: number, threats: number): Reason {
  return {
    code: 'clean-budget',
    message: `Clean accuracy falls by ${points(drop)} points; ${points(allowed)} are allowed because robust accuracy rises significantly under ${risen} of ${threats} threats and falls under none.`,
    row: id,
  }
}

const lacks: Readonly<Record<Absence['state'], string>> = {
  none: 'There is no baseline to compare with',
  missing: 'The baseline was not found',
  expired: 'The baseline has expired',
  broken: 'The baseline is broken',
  different: 'The baseline was made with another suite, other data or another seed',
}

/** One clause that begins a sentence; text of others may be in there. */
export function lack({ state, why }: Absence): string {
  return why === undefined ? lacks[state] : `${lacks[state]} (${oneLine(why, 500)})`
}
