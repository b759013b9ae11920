import { gitText } from './git.js'
import type { RunGit } from './git.js'
import { checkedOutCommit } from './history.js'

/**
 * Paths of the ONNX files of a commit that the checked-out one no longer has, in git's order. Whether one was renamed git tells only
 * where hardly a byte was changed, and of a model that was trained on every byte is.
 */
export async function modelsRemoved(git: RunGit, base: string): Promise<readonly string[]> {
  const removed = ['diff-tree', '-r', '-z', '--no-renames', '--diff-filter=D', '--name-only']
  const names = await gitText(git, [...removed, base, await checkedOutCommit(git)])
  return names.split('\0').filter((name) => /\.onnx$/i.test(name))
}
