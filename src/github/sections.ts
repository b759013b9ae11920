import { createHash } from 'node:crypto'
import type { Comparison } from '../comparison/types.js'
import type { Config } from '../config/types.js'
import type { RunId } from './context.js'

type CommentMode = Config['publish']['comment']

/** What a gate's check run says to other runs of this action; people do not see it. */
export interface SectionMark {
  readonly comment: CommentMode
  readonly fails: boolean
  /** Of verdict and figures: the same as long as there is nothing new to say. */
  readonly digest: string
  readonly run: RunId
  /**
   * That the run was for; `unknown` where it was for one that could not be looked up, `several` where the commit is the head of more
   * than one. Undefined of any other event.
   */
  readonly pullRequest?: number | 'unknown' | 'several'
  /** sha256 of the model that was judged; undefined when there was none. */
  readonly candidate?: string
  /** When the gate told of that model first, where that was on a commit which the pull request may no longer have. */
  readonly since?: string
}

/** A gate's part of a pull request's comment, as its check run holds it. */
export interface Section {
  readonly key: string
  readonly name: string
  /** Of the check run: the verdict in words, not escaped. */
  readonly title: string
  /** Of the check run, for people to click on. */
  readonly url?: string
  readonly mark: SectionMark
  readonly markdown: string
}

const prefix = 'robustness-gate:'

/** A gate's name as text that cannot end an HTML comment, whatever the name holds. */
export function gateKey(checkName: string): string {
  return encodeURIComponent(Buffer.from(checkName).toString('utf8')).replaceAll('-', '%2D')
}

/** The `external_id` of a gate's check run. The job of the workflow has a check run of its own, perhaps of the same name. */
export function externalId(checkName: string): string {
  return prefix + gateKey(checkName)
}

/** A section as the summary of a check run. */
export function formatSection(mark: SectionMark, markdown: string): string {
  const { comment, fails, digest, run, pullRequest, candidate, since } = mark
  const of = pullRequest === undefined ? '' : ` pull="${pullRequest}"`
  const known = since === undefined ? '' : ` since="${since}"`
  const judged = candidate === undefined ? '' : ` candidate="${candidate}"${known}`
  return `<!-- robustness-gate section comment="${comment}" fails="${fails}" digest="${digest}" run="${formatRun(run)}"${of}${judged} -->\n${markdown}`
}

const line =
  /^<!-- robustness-gate section comment="(always|on-change|on-failure|never)" fails="(true|false)" digest="([0-9a-f]+)" run="([0-9.]+)"(?: pull="(unknown|several|[1-9][0-9]{0,9})")?(?: candidate="([0-9a-f]{64})"(?: since="([0-9TZ:.-]+)")?)? -->\r?\n/

/** What a summary of a check run says; undefined when it is none of ours. */
export function parseSection(summary: string): Pick<Section, 'mark' | 'markdown'> | undefined {
  const match = line.exec(summary)
  if (match === null) return undefined
  const [whole, comment, fails, digest, run, pull, candidate, since] = match
  const common = { comment: comment as CommentMode, fails: fails === 'true', digest, run: parseRun(run) }
  const pullRequest = pull === 'unknown' || pull === 'several' ? (pull as 'unknown' | 'several') : Number(pull)
  const of = pull === undefined ? {} : { pullRequest }
  const mark = { ...common, ...of, candidate, ...(since !== undefined && { since }) }
  return { mark, markdown: summary.slice(whole.length) }
}

/** The parts of a check run, as the API lists it, that a section is read from. */
export interface ListedRun {
  readonly id: number
  readonly name: string
  readonly external_id: string | null
  readonly html_url: string | null
  readonly output: { readonly title: string | null; readonly summary: string | null }
}

/**
 * The gates that have reported to a pull request, by name; of several check runs of a gate the newest. What a push or another
 * pull request has made of the same commit is not its own.
 */
export function sectionsOf(runs: readonly ListedRun[], pullRequest: number): readonly Section[] {
  const newest = new Map<string, Section>()
  for (const run of [...runs].sort((one, other) => one.id - other.id)) {
    const parsed = run.external_id?.startsWith(prefix) ? parseSection(run.output.summary ?? '') : undefined
    if (parsed === undefined || !isOf(parsed.mark, pullRequest)) continue
    const key = (run.external_id ?? '').slice(prefix.length)
    newest.set(key, { ...parsed, key, name: run.name, title: run.output.title ?? '', url: run.html_url ?? undefined })
  }
  return [...newest.values()].sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0))
}

function isOf({ pullRequest: own }: SectionMark, pullRequest: number): boolean {
  return own === pullRequest || own === 'unknown' || own === 'several'
}

export function formatRun({ id, attempt }: RunId): string {
  return `${id}.${attempt}`
}

export function parseRun(text: string): RunId {
  const [id, attempt = 1] = text.split('.').map(Number)
  return { id, attempt }
}

/** Whether what `run` found out is older than what `other` did. A run that a person has started again is news. */
export function isOlder(run: RunId, other: RunId): boolean {
  return run.id === other.id ? run.attempt < other.attempt : run.attempt === 1 && run.id < other.id
}

/** Of what a comment with `on-change` would have to say: verdict, figures, and notes but for the commits in them. */
export function digestOf({ verdict, rows, candidate, failure }: Comparison, notes: readonly string[]): string {
  const { outcome, fails, acceptance, appeal, reasons } = verdict
  return shortHash([
    ...[
      outcome,
      fails,
      acceptance?.who ?? '',
      appeal ?? '',
      reasons.map(({ code, row }) => [code, row ?? '']),
      failure?.message ?? '',
    ],
    rows.map(({ id, samples, baseline, candidate: now }) => [id, samples, baseline, now]),
    [candidate?.cleanAccuracy ?? '', candidate?.robustAccuracy ?? ''],
    notes.map((note) => note.replace(/\b[0-9a-f]{7,64}\b/g, '')),
  ])
}

export function shortHash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)
}
