import { relative } from 'node:path'
import { nodeFiles, readNamed, withSlashes } from '../data/files.js'
import type { Files } from '../data/files.js'
import { UsageError } from '../errors.js'
import { Unreached } from '../remote/unreached.js'
import { oneLine } from '../text.js'
import type { FindBase } from './base.js'
import { checkedOutCommit } from './history.js'
import type { RemoteCommit } from './contents.js'
import { differs, existsAt, filesOf, isReached, short } from './tree.js'
import { insideOf } from './insideOf.js'
import { remoteFile } from './withoutClone.js'
import type { WithoutClone } from './withoutClone.js'
import type { LocateInGit } from './workspace.js'

/** A pull request must not grade its own work: what it is judged by is read where it starts from. */

export interface ConfigText {
  readonly name: string
  readonly text: string
  /** It is the base commit's, and not that of the checked-out files. */
  readonly ofBase?: boolean
}

/**
 * Reads the config file: of the base commit where a pull request could have changed it and the base has one.
 *
 * @param path - Absolute.
 * @param guarded - Whether a pull request could have changed it.
 * @param remote - Asked where there is no clone.
 * @throws UsageError when there is none, or nobody can tell where it comes from.
 */
export async function readConfigFile(
  path: string,
  workspace: string,
  guarded: boolean,
  findBase: FindBase,
  locate: LocateInGit,
  remote?: RemoteCommit,
): Promise<ConfigText> {
  const shown = withSlashes(relative(workspace, path) || path)
  const file = guarded ? await locate(path) : undefined
  if (file !== undefined) {
    const base = await findBase(file.git)
    if ('commit' in base && (await existsAt(file.git, base.commit, file.path)))
      return atBase(file.path, filesOf(file.git, base.commit), `${shown} at ${short(base.commit)}`)
  } else if (guarded) {
    const there = await remoteFile(path, { workspace, remote }, 'config')
    if (there !== undefined && (await there.isThere()))
      return atBase(there.path, there.files, `${shown} at ${short(there.commit)}`)
    if (there !== undefined && !(await there.isJudged())) throw noOrigin(shown)
  }
  return textOf(path, nodeFiles, shown)
}

async function atBase(path: string, files: Files, name: string): Promise<ConfigText> {
  return { ...(await textOf(path, files, name)), ofBase: true }
}

async function textOf(path: string, files: Files, name: string): Promise<ConfigText> {
  return { name, text: new TextDecoder().decode(await readNamed(path, files)) }
}

function noOrigin(shown: string): UsageError {
  return new UsageError(
    `config ${oneLine(shown, 200)}: the repository has no such file, so nobody can tell who wrote it; without a clone the workspace has to be the repository’s root, and what a step writes belongs outside of it`,
  )
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
  withoutClone: WithoutClone,
): Promise<readonly string[]> {
  const notes: string[] = []
  for (const { kind, path } of governing) {
    const file = await locate(path)
    if (file === undefined) {
      const note = await remoteChange(kind, path, withoutClone)
      if (note !== undefined) notes.push(note)
      continue
    }
    const base = await findBase(file.git).catch(orUnreached)
    if (base instanceof Unreached) {
      notes.push(unknownChange(kind, file.path, oneLine(base.message, 300)))
      continue
    }
    if (!('commit' in base)) continue
    const head = await checkedOutCommit(file.git)
    if (!(await differs(file.git, base.commit, head, file.path))) continue
    const had = await isReached(file.git, base.commit, file.path)
    notes.push(sentence(kind, file.path, short(base.commit), had))
  }
  return notes
}

function orUnreached(error: unknown): Unreached {
  if (error instanceof Unreached) return error
  throw error
}

function unknownChange(kind: Governing['kind'], path: string, reason: string): string {
  return `Whether the pull request changes the ${kind} (${path}) could not be found out: ${reason}.`
}

/** As GitHub knows it. That it does not is told, too: a change nobody was told of would look like none. */
async function remoteChange(
  kind: Governing['kind'],
  path: string,
  { workspace, remote }: WithoutClone,
): Promise<string | undefined> {
  const inside = insideOf(workspace, path)
  if (inside === undefined) return undefined
  const unknown = (reason: string): string => unknownChange(kind, inside, reason)
  if (remote === undefined) return unknown('there is neither a clone nor a github-token')
  try {
    const base = await remote.base()
    if ('absent' in base) return undefined
    const [was, is] = [await remote.objectAt(base.commit, inside), await remote.objectAt(remote.head, inside)]
    return was === is ? undefined : sentence(kind, inside, short(base.commit), was !== undefined)
  } catch (error) {
    // A fault of ours is no answer of GitHub's.
    if (!(error instanceof Unreached || error instanceof UsageError)) throw error
    return unknown(oneLine(error.message, 300))
  }
}

function sentence(kind: Governing['kind'], path: string, base: string, had: boolean): string {
  if (kind === 'config' && !had) return `The pull request adds the config (${path}) that it is judged by.`
  if (kind === 'baseline' && !had) return `The pull request adds the baseline (${path}); it was not used.`
  if (kind === 'config')
    return `The pull request changes the config (${path}). It is judged by the one of the base commit, ${base}; a model that only the changed one names was not looked at.`
  if (kind === 'baseline')
    return `The pull request changes the baseline (${path}). It is judged by the one of the base commit, ${base}.`
  return had
    ? `The pull request changes the ${kind} (${path}). Both models were measured on the changed ${kind}.`
    : `The pull request adds the ${kind} (${path}) that both models were measured on.`
}
