import { cut } from '../report/layout.js'
import type { Client } from './client.js'
import type { RunId } from './context.js'
import { everyOne } from './pages.js'
import type { CommentContent } from './projection.js'
import { formatRun, gateKey, isOlder, parseRun } from './sections.js'
import { statusOf } from './status.js'

/** GitHub refuses longer bodies. */
const commentLimit = 65_536

/** What a comment may be long beside its marker. */
export const contentLimit = commentLimit - 1_500

/**
 * How often a comment is written before it is given up. Each round but the first takes another job that has reported in
 * between; a matrix may have many.
 */
const rounds = 20

/** How the line begins that the comment of all gates is recognised by; people do not see it. */
export const sharedMarker = '<!-- robustness-gate comment '

/** The same of a gate that has a comment of its own, because its token can write no check run. */
export function gateMarker(checkName: string): string {
  return `<!-- robustness-gate gate="${gateKey(checkName)}" `
}

export interface CommentRequest {
  readonly pullRequest: number
  /** Of the run that posts. */
  readonly headSha: string
  readonly run: RunId
  /** How the comment's first line begins; of several markers the first is written, and the others are taken for it. */
  readonly markers: readonly [string, ...string[]]
  /**
   * Who the token posts as, as far as that is known before it has posted. Others may copy the marker into a comment of theirs; that
   * one is not ours to change.
   */
  readonly login: string
  /** The comment is one gate's alone, so a newer run of it on the same commit has the last word. */
  readonly alone: boolean
  /** What there is to say of a commit; undefined when nothing. */
  readonly contentOf: (headSha: string) => Promise<CommentContent | undefined>
}

interface Comment {
  readonly id: number
  readonly body: string
}

/**
 * Writes the one comment of a pull request: what is there is replaced, through however many pages it has to be looked
 * for, and only when there is something new to say.
 *
 * Comments have no conditional update, and several jobs may write at once. So everything is read again after writing, until
 * what is there is what there is to say; of two first comments the older one stays. Only one is created: its author is who the
 * token posts as, and where it is not listed it is taken for what was sent.
 *
 * @returns `outdated` when the pull request has moved on to another commit: then this run has nothing to say.
 * @throws whatever the API does, and when the comment never says what there is to say.
 */
export async function putComment(client: Client, request: CommentRequest): Promise<'done' | 'outdated'> {
  const { octokit, repository } = client
  const unlessGone = patience()
  let { login } = request
  let created: Comment | undefined
  let written = false
  // After the last round it is only looked at.
  for (let round = 0; round <= rounds; round += 1) {
    const head = await headOf(client, request.pullRequest)
    if (head !== request.headSha && !written) return 'outdated'
    const content = await request.contentOf(head)
    if (content === undefined) return 'done'
    const [own = created, ...doubled] = await ownComments(client, request, login)
    if (!isDue(content, own) || (request.alone && isNewer(own, head, request))) {
      const gone = await Promise.all(
        doubled.map(({ id }) => unlessGone(id, octokit.rest.issues.deleteComment({ ...repository, comment_id: id }))),
      )
      if (gone.every(Boolean)) return 'done'
      continue
    }
    if (round === rounds) break
    const body = bodyOf(content, head, request)
    if (own === undefined) {
      const place = { ...repository, issue_number: request.pullRequest }
      const { data } = await octokit.rest.issues.createComment({ ...place, body })
      login = data.user?.login ?? login
      created = { id: data.id, body }
    } else await unlessGone(own.id, octokit.rest.issues.updateComment({ ...repository, comment_id: own.id, body }))
    written = true
  }
  throw new Error(
    `it says something else after ${rounds} attempts: other jobs write it all the time, or it is not kept`,
  )
}

async function headOf({ octokit, repository }: Client, pullRequest: number): Promise<string> {
  return (await octokit.rest.pulls.get({ ...repository, pull_number: pullRequest })).data.head.sha
}

/** Oldest first. */
async function ownComments(
  { octokit, repository }: Client,
  { pullRequest, markers }: CommentRequest,
  login: string,
): Promise<readonly Comment[]> {
  const place = { ...repository, issue_number: pullRequest, per_page: 100 }
  const all = await everyOne((page) => octokit.rest.issues.listComments({ ...place, page }))
  return all
    .filter(({ user }) => user?.login === login)
    .map(({ id, body = '' }) => ({ id, body: body.replaceAll('\r\n', '\n') }))
    .filter(({ body }) => markers.some((marker) => body.startsWith(marker)))
    .sort((one, other) => one.id - other.id)
}

/**
 * A comment that is not there was removed by another writer, who was faster; the next round sees what that one left. One that
 * is listed again is there, and what was to be done to it was refused.
 *
 * @returns What tells whether a request has done what it should.
 */
function patience(): (comment: number, request: Promise<unknown>) => Promise<boolean> {
  const refused = new Set<number>()
  return async (comment, request) => {
    try {
      await request
      return true
    } catch (error) {
      if (statusOf(error) !== 404 || refused.has(comment)) throw error
      refused.add(comment)
      return false
    }
  }
}

function isDue(content: CommentContent, own: Comment | undefined): boolean {
  if (own === undefined) return content.opens
  if (content.onlyOnChange) return /^<!-- [^\n]* digest="([0-9a-f]*)" -->/.exec(own.body)?.[1] !== content.digest
  return own.body.replace(/^<!--[^\n]*\n/, '').trimEnd() !== fitting(content).trimEnd()
}

function isNewer(own: Comment | undefined, head: string, { run }: CommentRequest): boolean {
  const [, of, by] = /^<!-- [^\n]* head="([0-9a-f]*)" run="([0-9.]*)"/.exec(own?.body ?? '') ?? []
  return of === head && isOlder(run, parseRun(by))
}

function bodyOf(content: CommentContent, head: string, { markers, run }: CommentRequest): string {
  return `${markers[0]}head="${head}" run="${formatRun(run)}" digest="${content.digest}" -->\n${fitting(content)}`
}

function fitting({ markdown }: CommentContent): string {
  return cut(markdown, contentLimit)
}
