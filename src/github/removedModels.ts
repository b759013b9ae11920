import { posix } from 'node:path'
import { gitText } from './git.js'
import type { RunGit } from './git.js'
import { checkedOutCommit } from './history.js'

/**
 * Paths of the models of a commit that the checked-out one no longer has, in git's order: what ends in .onnx, or as the candidate
 * does, or was named as the model. Whether one was renamed git tells only where hardly a byte was changed, and of a model that was
 * trained on every byte is.
 *
 * @param former - The path, in the repository, that the config names.
 */
export async function modelsRemoved(
  git: RunGit,
  base: string,
  candidate: string,
  former?: string,
): Promise<readonly string[]> {
  const removed = ['diff-tree', '-r', '-z', '--no-renames', '--diff-filter=D', '--name-only']
  const names = await gitText(git, [...removed, base, await checkedOutCommit(git)])
  const endings = ['.onnx', extensionOf(candidate)]
  return names.split('\0').filter((name) => name !== '' && (name === former || endings.includes(extensionOf(name))))
}

/** Of a candidate that has none: no file's. */
function extensionOf(path: string): string | undefined {
  return posix.extname(path).toLowerCase() || undefined
}
