import type { Client } from './client.js'
import type { WorkflowRunEvent } from './context.js'
import { short } from './tree.js'

/** Who is told what a run without permissions has found. */
export type Addressee =
  | {
      readonly kind: 'pull request'
      readonly number: number
      readonly baseRef: string
      readonly baseSha: string
      readonly fork: boolean
    }
  /** The run was started by no pull request: its commit has a check run only. */
  | { readonly kind: 'commit' }
  /** Open pull requests of one head: which of them the run was for it does not tell. Their numbers, ascending. */
  | { readonly kind: 'several'; readonly numbers: readonly number[] }
  /** It is too late, or nobody's: one sentence. */
  | { readonly kind: 'nobody'; readonly reason: string }

/**
 * Finds the pull request a run was started by. Nothing that the run itself wrote is asked; and GitHub's look-up by commit
 * knows no commit of a fork, so it is found by the head's owner and branch, and has to be at the run's commit.
 */
export async function addresseeOf(client: Client, event: WorkflowRunEvent): Promise<Addressee> {
  const { headSha, headOwner, headBranch, headRepository } = event
  if (!isOfPullRequest(event)) return { kind: 'commit' }
  if (headOwner === undefined || headBranch === undefined)
    return nobody('The repository or branch that the run was started from is gone, so nothing is posted.')
  const { octokit, repository } = client
  const { data } = await octokit.rest.pulls.list({
    ...repository,
    state: 'all',
    head: `${headOwner}:${headBranch}`,
    ...{ sort: 'updated', direction: 'desc', per_page: 100 },
  })
  const own = data.filter(({ head }) => (head.repo as typeof head.repo | null)?.full_name === headRepository)
  const open = own.filter(({ state }) => state === 'open')
  const [pull, ...others] = open.filter(({ head }) => head.sha === headSha)
  if (pull === undefined) return nobody(whyNobody(own, open, event))
  if (others.length > 0)
    return { kind: 'several', numbers: [pull, ...others].map(({ number }) => number).sort((one, other) => one - other) }
  return {
    kind: 'pull request',
    number: pull.number,
    baseRef: pull.base.ref,
    baseSha: pull.base.sha,
    fork: headRepository !== `${repository.owner}/${repository.repo}`,
  }
}

export function isOfPullRequest({ startedBy }: WorkflowRunEvent): boolean {
  return /^pull_request/.test(startedBy)
}

interface Pull {
  readonly number: number
  readonly head: { readonly sha: string }
}

function whyNobody(own: readonly Pull[], open: readonly Pull[], { headSha, headBranch }: WorkflowRunEvent): string {
  const [moved] = open
  if (moved !== undefined)
    return `Pull request ${moved.number} has moved on from ${short(headSha)} to ${short(moved.head.sha)}, whose own run will be posted; this one is not.`
  const closed = own.find(({ head }) => head.sha === headSha) ?? own.at(0)
  if (closed !== undefined) return `Pull request ${closed.number} is closed, so nothing is posted.`
  return `There is no pull request from the branch ${headBranch} at ${short(headSha)}, so nothing is posted.`
}

function nobody(reason: string): Addressee {
  return { kind: 'nobody', reason }
}
