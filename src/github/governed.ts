import { relative } from 'node:path'
import { nodeFiles, readNamed } from '../data/files.js'
import type { FindBase } from './base.js'
import { checkedOutCommit } from './history.js'
import { differs, existsAt, filesOf, short } from './tree.js'
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

export interface Governing {
  /** Absolute paths. */
  readonly config?: string
  readonly baseline?: string
  readonly data?: string
}

/** What a pull request changes of the things it is judged by; one sentence each. */
export async function changesOf(
  governing: Governing,
  findBase: FindBase,
  locate: LocateInGit,
): Promise<readonly string[]> {
  const notes: string[] = []
  for (const kind of ['config', 'baseline', 'data'] as const) {
    const path = governing[kind]
    const file = path === undefined ? undefined : await locate(path)
    if (file === undefined) continue
    const base = await findBase(file.git)
    if (!('commit' in base)) continue
    const head = await checkedOutCommit(file.git)
    if (!(await differs(file.git, base.commit, head, file.path))) continue
    const had = await existsAt(file.git, base.commit, file.path)
    notes.push(sentence(kind, file.path, short(base.commit), had))
  }
  return notes
}

function sentence(kind: keyof Governing, path: string, base: string, had: boolean): string {
  if (kind === 'data')
    return had
      ? `The pull request changes the data (${path}). Both models were measured on the changed data.`
      : `The pull request adds the data (${path}) that both models were measured on.`
  if (!had)
    return kind === 'config'
      ? `The pull request adds the config (${path}) that it is judged by.`
      : `The pull request adds the baseline (${path}); it was not used.`
  return `The pull request changes the ${kind} (${path}). It is judged by the one of the base commit, ${base}.`
}
