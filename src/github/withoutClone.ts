import type { Files } from '../data/files.js'
import { codeOf } from '../data/reason.js'
import { UsageError } from '../errors.js'
import { readModelFile } from '../evaluation/modelFile.js'
import { asUnreached } from '../remote/unreached.js'
import { oneLine } from '../text.js'
import type { Baseline } from './baseline.js'
import type { RemoteCommit } from './contents.js'
import { keptByDvc } from './dvc.js'
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
  const shown = oneLine(inside, 200)
  if (remote === undefined)
    throw new UsageError(
      `${setting} ${shown}: the workspace is no git checkout and there is no github-token, so nobody can tell what the pull request wrote; check out with git, or give a token with contents: read`,
    )
  const base = await remote.base()
  if ('absent' in base) return undefined
  const { commit } = base
  const files = remote.filesOf(commit)
  const has = (at: string) => isThere(remote.filesOf(at), inside, at, `${setting} ${shown}`)
  return { path: inside, commit, files, isThere: () => has(commit), isJudged: () => has(remote.head) }
}

/** The model at the commit a change starts from, by GitHub's interface, for a job that has no clone. */
export async function modelWithoutClone(path: string, commit: string, files: Files): Promise<Baseline> {
  const where = `${path} at ${short(commit)}`
  if (!(await isThere(files, path, commit, `baseline ${oneLine(path, 200)}`))) {
    const kept = await keptByDvc(path, commit, files)
    if (kept !== undefined) return { kind: 'broken', reason: kept }
    return { kind: 'missing', reason: `There is no ${where}: this is the first adoption of a model.` }
  }
  const how = 'baseline auto, where the change starts from, without a clone'
  return { kind: 'model', model: await readModelFile(path, where, files), origin: { commit, how } }
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
