import { count, percent, points, threatTitle } from '../comparison/text.js'
import type { Comparison, ModelRole, ModelSummary, PairedRow } from '../comparison/types.js'
import type { Results } from '../evaluation/results.js'
import { code, plain, prose } from './escape.js'
import { factList } from './flags.js'
import { blocks, bullets, folded, table } from './layout.js'
import { allowance } from './table.js'
import { transferLine } from './transfer.js'

export interface BothResults {
  readonly candidate?: Results
  readonly baseline?: Results
}

/** How much of the details there is room for. */
export interface DetailsDetail {
  readonly flags: number
  readonly threats: number
  readonly attacks: boolean
}

/** Folded away: how the numbers were made, the statistics behind the table, and what was noted about the models. */
export function detailsSections(comparison: Comparison, results: BothResults, detail: DetailsDetail): string {
  return blocks([
    folded('Statistics', statistics(comparison, detail)),
    folded('How these numbers were made', [provenance(comparison, results, detail)]),
    folded('Notes about the models', [factList(comparison, detail.flags)]),
  ])
}

function statistics(comparison: Comparison, { threats, attacks }: DetailsDetail): readonly string[] {
  const shown = new Set(comparison.threats.slice(0, threats).map(({ id }) => id))
  const rows = comparison.rows.filter(
    ({ kind, threat }) => (attacks || kind !== 'attack') && (threat === undefined || shown.has(threat)),
  )
  if (rows.length === 0) return []
  const header = ['', 'Lost', 'Gained', 'p', 'p (Holm)', 'McNemar p', 'Could show (points)', 'Images that would tell']
  const decision =
    comparison.policy?.decision === 'observed'
      ? 'The policy decides by the observed drop alone.'
      : `The policy asks for p (Holm) of at most ${comparison.policy?.significance ?? 0.05}.`
  return [
    table(header, rows.map(statisticsLine)),
    `The same images, paired. Lost: held by the baseline, not by the candidate; gained: the other way. Interval and p (one-sided, of “the drop is at most what is allowed”) are those of the score test for a paired difference (Tango 1998); Holm’s correction is over clean accuracy and the worst cases, which decide. McNemar: exact, two-sided, of “no difference”. Could show: the smallest true drop that as many images show to exceed what is allowed with 80 % power. ${decision}`,
  ]
}

function statisticsLine(row: PairedRow): readonly string[] {
  return [
    row.kind === 'attack' ? code(row.title, 40) : prose(row.title, 60),
    String(row.lost.length),
    String(row.gained.length),
    pValue(row.pValue),
    row.adjustedPValue === undefined ? '' : pValue(row.adjustedPValue),
    pValue(row.mcnemar),
    row.detectable === undefined ? 'none' : points(row.detectable),
    row.samplesNeeded === undefined ? '' : count(row.samplesNeeded),
  ]
}

/** Below 0.0001 the digits of a normal approximation mean nothing. */
export function pValue(value: number): string {
  return value < 0.0001 ? '&lt; 0.0001' : value.toFixed(4)
}

function provenance(comparison: Comparison, results: BothResults, { threats }: DetailsDetail): string {
  const { suite, data, seed } = comparison
  const names = (suite?.attacks ?? []).slice(0, 12).map(({ id }) => code(id, 40))
  const allowed = allowance(comparison)
  const transfer = transferLine(comparison)
  return bullets(
    [
      suite && `Suite ${code(`${suite.name}@${suite.version}`)}${names.length > 0 ? `: ${names.join(', ')}` : ''}`,
      comparison.threats.length > 0 && `Threats: ${comparison.threats.slice(0, threats).map(threatTitle).join(', ')}`,
      data && `Data ${code(data.name)}: ${count(data.samples)} images, SHA-256 ${code(data.sha256)}`,
      seed !== undefined && `Seed ${seed}`,
      ...(['candidate', 'baseline'] as const).flatMap((role) => modelLines(comparison, role, results[role])),
      transfer !== '' && transfer,
      allowed !== '' && `Allowed to fall: ${allowed}`,
    ].filter((line) => typeof line === 'string'),
  )
}

/** What was measured, and where the model came from. */
function modelLines(comparison: Comparison, role: ModelRole, results?: Results): readonly string[] {
  const title = role === 'candidate' ? 'Candidate' : 'Baseline'
  const { [role]: summary, origins } = comparison
  const measured = summary ? [modelLine(title, summary, results)] : []
  const origin = origins?.[role]
  if (origin === undefined) return measured
  const { name, sha256, commit, how, recalled } = origin
  const where = [
    how && withCommits(how),
    commit && `commit ${code(commit, 64)}`,
    summary === undefined && `SHA-256 ${code(sha256)}`,
    recalled && 'its results were found in the cache, made by an earlier run under the same conditions',
  ].filter((part) => typeof part === 'string' && part !== '')
  return where.length === 0 ? measured : [...measured, `${title} ${code(name)}: ${where.join('; ')}`]
}

/** A sentence in which full commit ids can be copied: `prose` would put something invisible into them. */
function withCommits(sentence: string): string {
  const parts = plain(sentence).split(/\b([0-9a-f]{40}(?:[0-9a-f]{24})?)\b/)
  const shown = parts.map((part, place) => (place % 2 === 1 ? code(part) : prose(part)))
  return shown.filter((part) => part !== '').join(' ')
}

function modelLine(
  role: string,
  { name, sha256, bytes, tool, cleanAccuracy }: ModelSummary,
  results?: Results,
): string {
  const cost = results
    ? `, ${results.cost.seconds.toFixed(0)} s, ${count(results.cost.gradients)} gradients, ${count(results.cost.forwards)} predictions`
    : ''
  return `${role} ${code(name)}: clean ${percent(cleanAccuracy)}, ${count(bytes)} bytes, SHA-256 ${code(sha256)}; made with version ${code(tool.version, 30)}, ${code(tool.engine, 60)}, batch ${tool.batch}, on ${code(tool.cpu)}${cost}`
}
