import { cut } from '../report/layout.js'
import type { Client } from './client.js'
import { gateKey } from './client.js'

/** GitHub refuses longer bodies. */
const commentLimit = 65_536

/** The line a gate recognises its own comment by; people do not see it. */
export function commentMarker(checkName: string): string {
  return `<!-- robustness-gate gate="${gateKey(checkName)}" -->`
}

export interface CommentRequest {
  readonly pullRequest: number
  readonly checkName: string
  readonly markdown: string
  /** Who the token posts as. Others may copy the marker into a comment of theirs; that one is not ours to change. */
  readonly login: string
}

/**
 * Writes a gate's one comment on a pull request: the one of an earlier run is replaced, through however many pages it
 * has to be looked for.
 */
export async function putComment({ octokit, repository }: Client, request: CommentRequest): Promise<void> {
  const marker = commentMarker(request.checkName)
  const body = `${marker}\n${cut(request.markdown, commentLimit - marker.length - 1)}`
  const pages = octokit.paginate.iterator(octokit.rest.issues.listComments, {
    ...repository,
    issue_number: request.pullRequest,
    per_page: 100,
  })
  for await (const { data } of pages) {
    const own = data.find((comment) => comment.user?.login === request.login && comment.body?.startsWith(marker))
    if (own !== undefined) {
      await octokit.rest.issues.updateComment({ ...repository, comment_id: own.id, body })
      return
    }
  }
  await octokit.rest.issues.createComment({ ...repository, issue_number: request.pullRequest, body })
}
