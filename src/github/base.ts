import { UsageError } from '../errors.js'
import type { Event, PullRequestEvent, PushEvent } from './context.js'
import type { RunGit } from './git.js'
import { checkedOutCommit, ensureCommit, mergeBase, parentsOf } from './history.js'
import { short } from './tree.js'

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
 * - push: the branch's former tip; for a new branch, where it left the default branch. None for a tag, which names a commit
 *   that was there before, and for a new branch that has nothing of its own: held against itself, any model is unchanged.
 * - merge_group: the commit the group is merged onto.
 * - schedule, workflow_dispatch: none. Nothing is about to change; the default branch's previous commit would be an
 *   arbitrary one.
 *
 * @throws UsageError when neither the clone nor its remote has the commit, Unreached when the remote cannot be asked.
 */
export async function findBase(git: RunGit | undefined, event: Event): Promise<Base> {
  switch (event.kind) {
    case 'pull_request':
      return { commit: await baseOfPullRequest(required(git), event) }
    case 'push':
      return baseOfPush(event, () => commitsOf(required(git)))
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

/** Who knows the commits of a repository: its clone, or GitHub. */
export interface Commits {
  /** A commit that an event names, once it can be read. */
  readonly reach: (commit: string) => Promise<string>
  readonly mergeBase: (head: string, branch: string) => Promise<string>
}

function commitsOf(git: RunGit): Commits {
  return {
    reach: (commit) => ensureCommit(git, commit),
    mergeBase: (head, branch) => mergeBase(git, head, branch),
  }
}

/** @param commits - Asked for only where the event alone does not tell. */
export async function baseOfPush(event: PushEvent, commits: () => Commits): Promise<Base> {
  const { before, headSha, ref, defaultBranch } = event
  const none = (what: string): Base => ({
    absent: 'none',
    reason: `${what}, so only the absolute limits apply; baseline: ref:… compares.`,
  })
  if (ref.startsWith('refs/tags/')) return none('This push sets a tag and changes no model')
  if (before !== undefined) return { commit: await commits().reach(before) }
  if (ref === `refs/heads/${defaultBranch}`)
    return { absent: 'missing', reason: 'This push made the default branch, so there is no older commit.' }
  const left = await commits().mergeBase(headSha, defaultBranch)
  if (left !== headSha) return { commit: left }
  return none(`The commit that was pushed, ${short(headSha)}, is on branch ${defaultBranch} already`)
}
