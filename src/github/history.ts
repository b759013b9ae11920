import { UsageError } from '../errors.js'
import { Unreached } from '../remote/unreached.js'
import { gitText, gitTextOrNothing, lastLine } from './git.js'
import type { RunGit } from './git.js'

const remote = 'origin'
/** Without tags, submodules or a garbage collection in the background. */
const fetchQuietly = [
  ...['-c', 'gc.auto=0', '-c', 'maintenance.auto=false'],
  ...['fetch', '--quiet', '--no-tags', '--no-recurse-submodules'],
]
const objectName = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/

export async function isShallow(git: RunGit): Promise<boolean> {
  return (await gitText(git, ['rev-parse', '--is-shallow-repository'])) === 'true'
}

/** The commit that is checked out. */
export async function checkedOutCommit(git: RunGit): Promise<string> {
  return gitText(git, ['rev-parse', '--verify', 'HEAD^{commit}'])
}

/** The parents a commit object names. A shallow clone hides them from every command but this one. */
export async function parentsOf(git: RunGit, commit: string): Promise<readonly string[]> {
  const [header = ''] = (await gitText(git, ['cat-file', 'commit', commit])).split('\n\n', 1)
  return header.split('\n').flatMap((line) => (line.startsWith('parent ') ? [line.slice('parent '.length)] : []))
}

async function hasCommit(git: RunGit, commit: string): Promise<boolean> {
  return (await git(['cat-file', '-e', `${commit}^{commit}`])).code === 0
}

/**
 * Sees to it that a commit and its files are in the clone; a shallow clone lacks all but a few and gets this one alone.
 *
 * @throws UsageError when the commit is neither here nor at the remote, Unreached when the remote cannot be asked.
 */
export async function ensureCommit(git: RunGit, commit: string): Promise<string> {
  if (await hasCommit(git, commit)) return commit
  const depth = (await isShallow(git)) ? ['--depth=1'] : []
  const lacking = `commit ${commit.slice(0, 12)} is not in the clone and could not be fetched`
  const { code, stderr } = await git([...fetchQuietly, ...depth, remote, commit]).catch(notReached(lacking))
  if (code === 0 && (await hasCommit(git, commit))) return commit
  throw new UsageError(
    `${lacking} (${lastLine(stderr)}): check out with fetch-depth: 0, or leave actions/checkout its credentials`,
  )
}

/**
 * The merge base of two sides of history: what both had last in common.
 *
 * A shallow clone is deepened, twice as far each time, until they meet. The branch is asked of the remote first,
 * because a clone may hold none, or an old one.
 *
 * @param head - A commit of the clone.
 * @param branch - The name of a branch of the remote.
 * @param known - A commit that was the branch's tip at some time: stands in when the remote does not answer, and when
 *   the branch has taken the head in meanwhile (a run repeated after the merge), for a model must not be compared with
 *   itself.
 * @throws UsageError when there is no merge base, or it cannot be found for want of history; Unreached when the remote
 *   cannot be asked for it.
 */
export async function mergeBase(git: RunGit, head: string, branch: string, known?: string): Promise<string> {
  const fetched = await fetchBranch(git, branch)
  const tip = fetched.tip ?? known
  if (tip === undefined && fetched.failure) notReached(`branch ${branch} could not be fetched`)(fetched.failure)
  if (tip === undefined) throw noMergeBase(head, branch, `branch ${branch} could not be fetched`)
  const base = await commonAncestor(git, head, await ensureCommit(git, tip), branch)
  if (base !== head || known === undefined) return base
  return commonAncestor(git, head, await ensureCommit(git, known), branch)
}

/** What the clone has of a branch stands in where the remote does not answer. */
async function fetchBranch(
  git: RunGit,
  branch: string,
): Promise<{ readonly tip: string | undefined; readonly failure: Unreached | undefined }> {
  const tracking = `refs/remotes/${remote}/${branch}`
  const depth = (await isShallow(git)) ? ['--depth=1'] : []
  const failure = await fetchIfReached(git, [...depth, remote, `+refs/heads/${branch}:${tracking}`])
  return { tip: await gitTextOrNothing(git, ['rev-parse', '--verify', '--quiet', `${tracking}^{commit}`]), failure }
}

/** Says what it was that the remote was to be asked for. */
function notReached(what: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof Unreached ? new Unreached(`${what}: ${error.message}`, { cause: error }) : error
  }
}

/** Fetches what may be known without. Returns why the remote could not be asked, if so. */
async function fetchIfReached(git: RunGit, args: readonly string[]): Promise<Unreached | undefined> {
  try {
    await git([...fetchQuietly, ...args])
    return undefined
  } catch (error) {
    if (error instanceof Unreached) return error
    throw error
  }
}

async function commonAncestor(git: RunGit, head: string, tip: string, branch: string): Promise<string> {
  for (let deepen = 32; ; deepen *= 2) {
    const base = await gitTextOrNothing(git, ['merge-base', head, tip])
    if (!(await isShallow(git))) {
      if (base !== undefined) return base
      throw noMergeBase(head, branch, 'their histories do not meet')
    }
    if (base !== undefined && (await isWholeDownTo(git, base, [head, tip]))) return base
    const { code, stderr } = await git([...fetchQuietly, `--deepen=${deepen}`, remote, head, tip]).catch(
      notReached(`where ${head.slice(0, 12)} left branch ${branch} could not be found out`),
    )
    if (code !== 0) throw noMergeBase(head, branch, lastLine(stderr))
  }
}

/**
 * Whether a shallow clone has all that lies between a common ancestor and its descendants. Otherwise they may have met
 * later, on a way that the clone cuts off.
 */
async function isWholeDownTo(git: RunGit, base: string, descendants: readonly string[]): Promise<boolean> {
  const lines = await gitText(git, ['rev-list', '--parents', ...descendants, `^${base}`])
  return lines.split('\n').every((line) => line === '' || line.includes(' '))
}

function noMergeBase(head: string, branch: string, reason: string): UsageError {
  return new UsageError(
    `no merge base of ${head.slice(0, 12)} and branch ${branch} (${reason}): check out with fetch-depth: 0, or say which commit in baseline: ref:…`,
  )
}

/**
 * The commit that a branch, a tag or a commit id names; fetched when the clone lacks it.
 *
 * @throws UsageError when nobody knows the name; Unreached when the clone does not and the remote cannot be asked.
 */
export async function resolveCommit(git: RunGit, name: string): Promise<string> {
  if (objectName.test(name)) return ensureCommit(git, name)
  if ((await git(['check-ref-format', `refs/heads/${name}`])).code !== 0)
    throw new UsageError(`baseline ref:${name}: not the name of a branch, a tag or a full commit id`)
  const places = [`refs/remotes/${remote}/${name}`, `refs/tags/${name}`, `refs/heads/${name}`]
  const depth = (await isShallow(git)) ? ['--depth=1'] : []
  const failure =
    (await fetchIfReached(git, [...depth, remote, `+refs/heads/${name}:${places[0]}`])) ??
    (await fetchIfReached(git, [...depth, remote, `+refs/tags/${name}:${places[1]}`]))
  for (const place of places) {
    const commit = await gitTextOrNothing(git, ['rev-parse', '--verify', '--quiet', `${place}^{commit}`])
    if (commit !== undefined) return commit
  }
  if (failure !== undefined) notReached(`baseline ref:${name} could not be fetched`)(failure)
  throw new UsageError(`baseline ref:${name}: no branch or tag of that name here or at ${remote}; check the spelling`)
}
