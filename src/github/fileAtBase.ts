import type { Files } from '../data/files.js'
import type { FindBase } from './base.js'
import { checkedOutCommit } from './history.js'
import { existsAt, filesOf } from './tree.js'
import type { TrackedFile } from './workspace.js'

/** A file as the commit has it, or has it not, that a change starts from. */
export interface FileAtBase {
  /** From the repository's root, with slashes. */
  readonly path: string
  readonly commit: string
  readonly files: Files
  /** Whether that commit has it. @throws UsageError where a link or a submodule stands in the way */
  readonly isThere: () => Promise<boolean>
  /** Whether the commit that is judged has it. */
  readonly isJudged: () => Promise<boolean>
}

/** Of a clone; undefined where nothing is about to change. */
export async function fileAtBase(file: TrackedFile, findBase: FindBase): Promise<FileAtBase | undefined> {
  const base = await findBase(file.git)
  return 'absent' in base ? undefined : fileAt(file, base.commit)
}

/** Of a clone that has the commit. */
export function fileAt({ git, path }: TrackedFile, commit: string): FileAtBase {
  return {
    ...{ path, commit, files: filesOf(git, commit) },
    isThere: () => existsAt(git, commit, path),
    isJudged: async () => existsAt(git, await checkedOutCommit(git), path),
  }
}
