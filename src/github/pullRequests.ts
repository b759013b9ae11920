import type { Client } from './client.js'
import type { Event } from './context.js'
import { readQueueBranch } from './queueBranch.js'
import { statusOf } from './status.js'
import { short } from './tree.js'

/** The pull requests that a run is about, or one sentence why there is none; without it nobody would look for one. */
export type Concerned =
  | { readonly numbers: readonly [number, ...number[]]; readonly formerHeadSha?: string }
  | { readonly reason: string | undefined }

/** Enough for what a queue merges at once; each is a request. */
const mostCommits = 20

/** Finds the pull requests whose labels may have accepted what a run judges. */
export async function pullRequestsOf(client: Client, event: Event): Promise<Concerned> {
  switch (event.kind) {
    case 'pull_request':
      return { numbers: [event.number], formerHeadSha: event.formerHeadSha }
    case 'merge_group':
      return queued(client, event.headRef)
    case 'push':
      return merged(client, event.commits, event.ref)
    case 'workflow_run':
      if (event.startedBy === 'merge_group') return queued(client, event.headBranch ?? '')
      return event.startedBy === 'push'
        ? merged(client, [event.headSha], event.headBranch ?? '')
        : { reason: undefined }
    default:
      return { reason: undefined }
  }
}

async function queued({ octokit, repository }: Client, headRef: string): Promise<Concerned> {
  const group = readQueueBranch(headRef)
  if (group === undefined) return { reason: 'The merge group’s branch is not named after a pull request.' }
  const { branch, number } = group
  const pull = await octokit.rest.pulls.get({ ...repository, pull_number: number }).catch((error: unknown) => {
    if (statusOf(error) === 404) return undefined
    throw error
  })
  return pull?.data.base.ref === branch
    ? { numbers: [number] }
    : { reason: `The merge group is named after pull request ${number}, which is none into its branch.` }
}

/**
 * The merged pull requests whose merge is among the pushed commits: a queue may push several at once.
 *
 * @param commits - The newest first.
 */
async function merged({ octokit, repository }: Client, commits: readonly string[], ref: string): Promise<Concerned> {
  const branch = ref.replace(/^refs\/heads\//, '')
  const found = new Set<number>()
  for (const commit of commits.slice(0, mostCommits)) {
    const { data } = await octokit.rest.repos.listPullRequestsAssociatedWithCommit({
      ...repository,
      ...{ commit_sha: commit, per_page: 100 },
    })
    for (const { number, merged_at: mergedAt, merge_commit_sha: by, base } of data)
      if (mergedAt !== null && by !== null && commits.includes(by) && base.ref === branch) found.add(number)
  }
  const [first, ...more] = found
  return first === undefined
    ? { reason: `No pull request into ${branch} was merged with ${short(commits[0])}.` }
    : { numbers: [first, ...more] }
}
