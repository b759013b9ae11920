import { relative } from 'node:path'
import { nodeFiles, readNamed } from '../data/files.js'
import type { FindBase } from './base.js'
import { checkedOutCommit } from './history.js'
import { differs, existsAt, filesOf, isReached, short } from './tree.js'
import type { LocateInGit } from './workspace.js'

/** A pull request must not grade its own work: what it is judged by is read where it starts from. */

export interface ConfigText {
  readonly name: string
  readonly text: string
}

/**
 * Reads the config file: of the base commit where a pull request could have changed it and the base has one.
 *
 * @param path - Absolute.
 * @param guarded - Whether a pull request could have changed it.
 * @throws UsageError when there is none.
 */
export async function readConfigFile(
  path: string,
  workspace: string,
  guarded: boolean,
  findBase: FindBase,
  locate: LocateInGit,
): Promise<ConfigText> {
  const shown = relative(workspace, path) || path
  const file = guarded ? await locate(path) : undefined
  if (file !== undefined) {
    const base = await findBase(file.git)
    if ('commit' in base && (await existsAt(file.git, base.commit, file.path))) {
      const bytes = await readNamed(file.path, filesOf(file.git, base.commit))
      return { name: `${shown} at ${short(base.commit)}`, text: new TextDecoder().decode(bytes) }
    }
  }
  return { name: shown, text: new TextDecoder().decode(await readNamed(path, nodeFiles)) }
}

/** A file or folder that decides how a pull request is judged. */
export interface Governing {
  readonly kind: 'config' | 'baseline' | 'data' | 'labels' | 'class names'
  /** Absolute. */
  readonly path: string
}

/** What a pull request changes of the things it is judged by; one sentence each. */
export async function changesOf(
  governing: readonly Governing[],
  findBase: FindBase,
  locate: LocateInGit,
): Promise<readonly string[]> {
  const notes: string[] = []
  for (const { kind, path } of governing) {
    const file = await locate(path)
    if (file === undefined) continue
    const base = await findBase(file.git)
    if (!('commit' in base)) continue
    const head = await checkedOutCommit(file.git)
    if (!(await differs(file.git, base.commit, head, file.path))) continue
    const had = await isReached(file.git, base.commit, file.path)
    notes.push(sentence(kind, file.path, short(base.commit), had))
  }
  return notes
}

function sentence(kind: Governing['kind'], path: string, base: string, had: boolean): string {
  if (kind === 'config' && !had) return `The pull request adds the config (${path}) that it is judged by.`
  if (kind === 'baseline' && !had) return `The pull request adds the baseline (${path}); it was not used.`
  if (kind === 'config' || kind === 'baseline')
    return `The pull request changes the ${kind} (${path}). It is judged by the one of the base commit, ${base}.`
  return had
    ? `The pull request changes the ${kind} (${path}). Both models were measured on the changed ${kind}.`
    : `The pull request adds the ${kind} (${path}) that both models were measured on.`
}
