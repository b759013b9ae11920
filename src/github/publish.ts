import { messageOf, oneLine } from '../text.js'
import { annotate, putCheckRun } from './checkRun.js'
import type { CheckRequest, PostedCheck } from './checkRun.js'
import type { Client } from './client.js'
import { contentLimit, gateMarker, putComment, sharedMarker } from './comment.js'
import { everyOne } from './pages.js'
import { project } from './projection.js'
import type { CommentContent } from './projection.js'
import { gateKey, isOlder, sectionsOf } from './sections.js'
import type { Section } from './sections.js'
import { isPermission, statusOf } from './status.js'

export interface Publication {
  readonly check: CheckRequest
  /** Only a pull request has a comment. */
  readonly pullRequest?: { readonly number: number; readonly checksUrl: string }
}

/** What was not posted, in lines for people. */
export interface Published {
  /** At most one: something is wrong. */
  readonly warnings: readonly string[]
  /** Nothing is wrong. */
  readonly notes: readonly string[]
}

/** What GITHUB_TOKEN posts as. */
const actionsLogin = 'github-actions[bot]'

/**
 * Posts check run and comment. Neither can fail the gate: what could not be posted becomes a warning, and the verdict
 * stays with the job and its summary.
 *
 * The comment is a projection of the check runs that all gates of this pull request have written on its head, so that
 * jobs which end at the same time share it. Where no check run can be written the gate has a comment to itself.
 */
export async function publish(client: Client, publication: Publication): Promise<Published> {
  const { check, pullRequest } = publication
  const failures: Failure[] = []
  const attempt = async <T>(what: What, post: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await post()
    } catch (error) {
      failures.push({ what, error })
      return undefined
    }
  }
  const posted = await attempt('check run', () => putCheckRun(client, check))
  if (posted?.superseded) return { warnings: [], notes: [left(check.checkName, posted.superseded)] }
  if (posted !== undefined) await attempt('annotations', () => annotate(client, posted, check))
  const state =
    pullRequest && check.mark.comment !== 'never'
      ? await attempt('comment', () => comment(client, check, pullRequest, posted))
      : 'done'
  return { warnings: warnings(failures), notes: state === 'outdated' ? [movedOn(check.headSha)] : [] }
}

async function comment(
  client: Client,
  check: CheckRequest,
  { number, checksUrl }: NonNullable<Publication['pullRequest']>,
  posted: PostedCheck | undefined,
): Promise<'done' | 'outdated'> {
  const { headSha, checkName, mark } = check
  const own = { key: gateKey(checkName), name: checkName, title: check.title, mark, markdown: check.summary }
  const projected = (sections: readonly Section[]) => project(sections, checksUrl, contentLimit)
  const common = { pullRequest: number, headSha, run: mark.run }
  if (posted?.app === undefined)
    return putComment(client, {
      ...common,
      ...{ alone: true, markers: [gateMarker(checkName)], login: await ownLogin(client) },
      contentOf: async (head) => (head === headSha ? projected([own]) : undefined),
    })
  const { id, slug } = posted.app
  const contentOf = async (head: string): Promise<CommentContent | undefined> => {
    const others = await sectionsOn(client, head, id, number)
    return projected(head === headSha ? withOwn(others, { ...own, url: posted.url }) : others)
  }
  return putComment(client, {
    ...common,
    ...{ alone: false, markers: [sharedMarker, gateMarker(checkName)], login: `${slug}[bot]` },
    contentOf,
  })
}

/** What the gates have written on a commit, by this app: the check runs of others are not ours to repeat. */
async function sectionsOn(
  { octokit, repository }: Client,
  ref: string,
  app: number,
  pullRequest: number,
): Promise<readonly Section[]> {
  const place = { ...repository, ref, app_id: app, filter: 'all' as const, per_page: 100 }
  const runs = await everyOne(async (page) => {
    const { data, headers } = await octokit.rest.checks.listForRef({ ...place, page })
    return { data: data.check_runs, headers }
  })
  return sectionsOf(runs, pullRequest)
}

/** A list may lag behind what was just written. */
function withOwn(sections: readonly Section[], own: Section): readonly Section[] {
  const listed = sections.find(({ key }) => key === own.key)
  if (listed !== undefined && !isOlder(listed.mark.run, own.mark.run)) return sections
  return [...sections.filter((section) => section !== listed), own].sort((one, other) =>
    one.name < other.name ? -1 : 1,
  )
}

/** An installation's token, GITHUB_TOKEN among them, may not ask who it is; a person's may. */
async function ownLogin({ octokit }: Client): Promise<string> {
  try {
    return (await octokit.rest.users.getAuthenticated()).data.login
  } catch (error) {
    if (isPermission(error)) return actionsLogin
    throw error
  }
}

function left(checkName: string, by: NonNullable<PostedCheck['superseded']>): string {
  return by === 'newer run'
    ? `A newer run of "${checkName}" has reported on this commit: its check run and comment are left as they are.`
    : `A run of "${checkName}" for a pull request has reported on this commit: its check run is left as it is.`
}

function movedOn(headSha: string): string {
  return `The pull request has moved on from ${headSha.slice(0, 12)}: its comment is left to the run of the newer commit.`
}

type What = 'check run' | 'annotations' | 'comment'

interface Failure {
  readonly what: What
  readonly error: unknown
}

const permissions: Readonly<Record<What, string>> = {
  comment: '`pull-requests: write`',
  'check run': '`checks: write`',
  annotations: '`checks: write`',
}

function warnings(failures: readonly Failure[]): readonly string[] {
  const refused = failures.filter(({ error }) => isPermission(error)).map(({ what }) => what)
  const others = failures.filter(({ error }) => !isPermission(error))
  const sentences = [
    ...(refused.length > 0 ? [refusedWarning(refused)] : []),
    ...(others.length > 0 ? [failedWarning(others)] : []),
  ]
  return sentences.length > 0 ? [sentences.join(' ')] : []
}

function failedWarning(failures: readonly Failure[]): string {
  const reasons = [...new Set(failures.map(({ error }) => reason(error)))]
  const names = failures.map(({ what }) => what).join(' and the ')
  return `The ${names} could not be posted (${reasons.join('; ')}). The verdict is not affected.`
}

function refusedWarning(refused: readonly What[]): string {
  const names = refused.join(' and the ')
  const needed = refused.map((what) => permissions[what]).join(' and ')
  return (
    `The ${names} ${refused.length > 1 ? 'were' : 'was'} skipped: the token lacks ${needed}. ` +
    'A pull request from a fork has a token that only reads; otherwise add it under `permissions:` of the job. ' +
    'The verdict is in the job’s status and summary.'
  )
}

function reason(error: unknown): string {
  const status = statusOf(error)
  const advice = status === 401 ? '; is `github-token` still valid?' : ''
  return `${status === undefined ? '' : `${status} `}${oneLine(messageOf(error), 300)}${advice}`
}
