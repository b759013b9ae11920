import { UsageError } from '../errors.js'
import type { Event, PullRequestEvent, PushEvent } from './context.js'
import type { RunGit } from './git.js'
import { checkedOutCommit, ensureCommit, mergeBase, parentsOf } from './history.js'

/** Finds the commit a change starts from, in the repository of a file; undefined for a file in no repository. */
export type FindBase = (git: RunGit | undefined) => Promise<Base>

/** `findBase` for one event, asked once for every repository: an answer may have to be fetched. */
export function baseFinder(event: Event): FindBase {
  const found = new Map<RunGit | undefined, Promise<Base>>()
  return (git) => {
    const base = found.get(git) ?? findBase(git, event)
    found.set(git, base)
    return base
  }
}

/** The commit that a change starts from, or why there is none. */
export type Base =
  | { readonly commit: string }
  /** `none`: this event changes nothing. `missing`: there is nothing older yet. */
  | { readonly absent: 'none' | 'missing'; readonly reason: string }

/**
 * The commit that the checked-out one is to be held against.
 *
 * - pull_request: the merge base of the checked-out commit and the base branch. GitHub's merge commit (its second parent
 *   is the pull request's head) has it as first parent, so a base branch that moved on is no change of the pull
 *   request's.
 * - push: the branch's former tip; for a new branch, where it left the default branch.
 * - merge_group: the commit the group is merged onto.
 * - schedule, workflow_dispatch: none. Nothing is about to change; the default branch's previous commit would be an
 *   arbitrary one.
 *
 * @throws UsageError when the clone lacks the commit and it cannot be fetched.
 */
export async function findBase(git: RunGit | undefined, event: Event): Promise<Base> {
  switch (event.kind) {
    case 'pull_request':
      return { commit: await baseOfPullRequest(required(git), event) }
    case 'push':
      return baseOfPush(required(git), event)
    case 'merge_group':
      return { commit: await ensureCommit(required(git), event.baseSha) }
    default:
      return {
        absent: 'none',
        reason: `A ${event.kind} run changes no model, so only the absolute limits apply; baseline: ref:… compares.`,
      }
  }
}

function required(git: RunGit | undefined): RunGit {
  if (git !== undefined) return git
  throw new UsageError(
    'the workspace is not a git checkout: run actions/checkout before the gate, or give baseline: path:… or none',
  )
}

async function baseOfPullRequest(git: RunGit, event: PullRequestEvent): Promise<string> {
  const head = await checkedOutCommit(git)
  const [first, second, ...more] = await parentsOf(git, head)
  const mergedByGitHub = second === event.headSha && more.length === 0
  return mergedByGitHub ? ensureCommit(git, first) : mergeBase(git, head, event.baseRef, event.baseSha)
}

async function baseOfPush(git: RunGit, event: PushEvent): Promise<Base> {
  if (event.before !== undefined) return { commit: await ensureCommit(git, event.before) }
  if (event.ref === `refs/heads/${event.defaultBranch}`)
    return { absent: 'missing', reason: 'This push made the default branch, so there is no older commit.' }
  return { commit: await mergeBase(git, event.headSha, event.defaultBranch) }
}
