import type { Verdict } from '../comparison/types.js'
import { cut } from '../report/layout.js'
import type { Annotation } from './annotations.js'
import { annotationsPerRequest, portions } from './annotations.js'
import type { Client } from './client.js'
import { everyOne } from './pages.js'
import type { SectionMark } from './sections.js'
import { externalId, formatSection, isOlder, parseSection } from './sections.js'
import { statusOf } from './status.js'

/** GitHub refuses longer summaries. */
const checkSummaryLimit = 65_535

export interface CheckRequest {
  readonly headSha: string
  readonly checkName: string
  readonly conclusion: 'success' | 'failure' | 'neutral'
  readonly title: string
  readonly summary: string
  readonly detailsUrl: string
  /** What other runs have to know of it. */
  readonly mark: SectionMark
  readonly annotations: readonly Annotation[]
}

/** What became of a check run. */
export interface PostedCheck {
  readonly id: number
  /** The app that the token belongs to. */
  readonly app?: { readonly id: number; readonly slug: string }
  readonly url?: string
  /** What had reported on this commit, so that nothing was written: a newer run, or one for a pull request. */
  readonly superseded?: 'newer run' | 'pull request'
  /** Annotations that did not fit into the request. */
  readonly left: readonly Annotation[]
}

/** Grey for what neither passed nor blocks: a reader must not take it for a pass. */
export function conclusionOf(verdict: Verdict): CheckRequest['conclusion'] {
  if (verdict.fails) return 'failure'
  return verdict.outcome === 'pass' || verdict.acceptance !== undefined ? 'success' : 'neutral'
}

/**
 * Writes a gate's one check run on a commit; a repeated run replaces what the first one said. A check run that carries
 * annotations which are no longer true (GitHub can only add to them), speaks of another model, or is hidden by another pull
 * request's, is not replaced but followed by a new one: of several of one name GitHub shows the newest. So what a pull request's run has said stands
 * against the runs of other events on its head, such as a push, which do not see the pull request's base.
 */
export async function putCheckRun(client: Client, request: CheckRequest): Promise<PostedCheck> {
  const { octokit, repository } = client
  const before = await listOwn(client, request)
  const isOther = request.mark.pullRequest === undefined
  const told = isOther ? before.find(isOfPullRequest) : undefined
  if (told) return posted(told.run, [], 'pull request')
  const { run: found, mark: former } =
    before.find(({ mark }) => mark?.pullRequest === request.mark.pullRequest) ?? ({} as Partial<Own>)
  // That a commit has several pull requests is as true in an older run.
  const isOfNow = request.mark.pullRequest === 'several'
  if (found && former && !isOfNow && isOlder(request.mark.run, former.run)) return posted(found, [], 'newer run')
  const said = found ? await annotationsOn(client, found) : []
  const missing = request.annotations.filter((annotation) => !said.some((one) => isSame(one, annotation)))
  const isStale = said.some((one) => !request.annotations.some((annotation) => isSame(one, annotation)))
  const isOtherModel = former !== undefined && former.candidate !== request.mark.candidate
  const content = { ...repository, ...contentOf(request), status: 'completed' as const }
  const isNewest = found === before.at(0)?.run
  if (found !== undefined && isNewest && !isStale && !isOtherModel)
    try {
      const [first = [], ...more] = portions(missing)
      const output = { ...outputOf(request), annotations: [...first] }
      const { data } = await octokit.rest.checks.update({ ...content, check_run_id: found.id, output })
      return posted(data, more.flat())
    } catch (error) {
      // It is another app's, which ran the same gate.
      if (statusOf(error) !== 403) throw error
    }
  const first = request.annotations.slice(0, annotationsPerRequest)
  const output = { ...outputOf(request), annotations: first }
  const { data } = await octokit.rest.checks.create({ ...content, head_sha: request.headSha, output })
  // Both runs start with the same push: the pull request's may have reported in between, and would be hidden by this one.
  const meanwhile = isOther ? (await listOwn(client, request)).find(isOfPullRequest) : undefined
  if (meanwhile) {
    await repeat(client, data.id, meanwhile)
    return posted(data, [], 'pull request')
  }
  return posted(data, request.annotations.slice(annotationsPerRequest))
}

/** Adds the annotations that were left, as many requests as it takes. */
export async function annotate(client: Client, { id, left }: PostedCheck, request: CheckRequest): Promise<void> {
  for (const annotations of portions(left)) {
    const output = { ...outputOf(request), annotations: [...annotations] }
    await client.octokit.rest.checks.update({ ...client.repository, check_run_id: id, output })
  }
}

function isOfPullRequest({ mark }: Own): boolean {
  return mark?.pullRequest !== undefined
}

/** Has a check run say what another one does. */
async function repeat({ octokit, repository }: Client, id: number, { run }: Own): Promise<void> {
  const { conclusion, details_url: url, output } = run
  await octokit.rest.checks.update({
    ...{ ...repository, check_run_id: id },
    ...(conclusion !== null && { status: 'completed' as const, conclusion }),
    ...(url !== null && { details_url: url }),
    output: { title: output.title ?? '', summary: output.summary ?? '' },
  })
}

interface Own {
  readonly run: Found
  readonly mark?: SectionMark
}

/** What the gate has written on the commit, the newest first. */
async function listOwn({ octokit, repository }: Client, { checkName, headSha }: CheckRequest): Promise<readonly Own[]> {
  const { data } = await octokit.rest.checks.listForRef({
    ...repository,
    ref: headSha,
    check_name: checkName,
    filter: 'all',
    per_page: 100,
  })
  return data.check_runs
    .filter((run) => run.external_id === externalId(checkName))
    .toSorted((one, other) => other.id - one.id)
    .map((run) => ({ run, mark: parseSection(run.output.summary ?? '')?.mark }))
}

type Found = Awaited<ReturnType<Client['octokit']['rest']['checks']['listForRef']>>['data']['check_runs'][number]

type SaidAnnotation = { readonly [Key in keyof Annotation]: string | number | null }

async function annotationsOn({ octokit, repository }: Client, found: Found): Promise<readonly SaidAnnotation[]> {
  if (found.output.annotations_count === 0) return []
  const place = { ...repository, check_run_id: found.id, per_page: 100 }
  return everyOne((page) => octokit.rest.checks.listAnnotations({ ...place, page }))
}

function isSame(one: SaidAnnotation, other: Annotation): boolean {
  const { path, annotation_level, title, message } = other
  return (
    one.path === path && one.annotation_level === annotation_level && one.title === title && one.message === message
  )
}

function contentOf({ checkName, detailsUrl, conclusion }: CheckRequest) {
  return { name: checkName, details_url: detailsUrl, external_id: externalId(checkName), conclusion }
}

function outputOf({ title, summary, mark }: CheckRequest) {
  return { title, summary: cut(formatSection(mark, summary), checkSummaryLimit) }
}

function posted(
  run: Pick<Found, 'id' | 'app' | 'html_url'>,
  left: readonly Annotation[],
  superseded?: PostedCheck['superseded'],
): PostedCheck {
  const { id, app, html_url: url } = run
  return {
    ...{ id, left },
    ...(superseded && { superseded }),
    ...(app?.slug && { app: { id: app.id, slug: app.slug } }),
    ...(url && { url }),
  }
}
