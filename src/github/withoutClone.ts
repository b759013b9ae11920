import type { Files } from '../data/files.js'
import { codeOf } from '../data/reason.js'
import { UsageError } from '../errors.js'
import { asUnreached } from '../remote/unreached.js'
import { oneLine } from '../text.js'
import type { RemoteCommit } from './contents.js'
import type { FileAtBase } from './fileAtBase.js'
import { insideOf } from './insideOf.js'
import { short } from './tree.js'

/** Where files lie that git does not know, and who knows them then. */
export interface WithoutClone {
  /** Absolute; taken for the repository's root. */
  readonly workspace: string
  /** Undefined without a token. */
  readonly remote?: RemoteCommit
}

/**
 * Looks a file of the workspace up at the commit a change starts from. Without a clone nobody can tell on the spot what the
 * change itself has written.
 *
 * @param path - Absolute.
 * @returns Undefined for a file outside of the workspace, which no checkout put there, and where nothing is about to change.
 * @throws UsageError without a token, Error when GitHub does not tell.
 */
export async function remoteFile(
  path: string,
  { workspace, remote }: WithoutClone,
  setting: string,
): Promise<FileAtBase | undefined> {
  const inside = insideOf(workspace, path)
  if (inside === undefined) return undefined
  if (remote === undefined)
    throw new UsageError(
      `${setting} ${oneLine(inside, 200)}: the workspace is no git checkout and there is no github-token, so nobody can tell what the pull request wrote; check out with git, or give a token with contents: read`,
    )
  const base = await remote.base()
  return 'absent' in base ? undefined : remoteFileAt(inside, base.commit, remote, setting)
}

/** A file of a commit by GitHub's interface. @param path - From the repository's root, with slashes. */
export function remoteFileAt(path: string, commit: string, remote: RemoteCommit, setting: string): FileAtBase {
  const has = (at: string) => isThere(remote.filesOf(at), path, at, `${setting} ${oneLine(path, 200)}`)
  return { path, commit, files: remote.filesOf(commit), isThere: () => has(commit), isJudged: () => has(remote.head) }
}

/** @throws UsageError for what is no file, Unreached when GitHub does not tell: that is not the same as not being there. */
async function isThere(files: Files, path: string, commit: string, shown: string): Promise<boolean> {
  try {
    await files.stat(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    return asUnreached(
      (why) =>
        `${shown}: GitHub does not tell whether ${short(commit)} has it (${why}); the job needs contents: read, or a clone`,
    )(error)
  }
}
