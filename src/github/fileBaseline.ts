import { resolve, sep } from 'node:path'
import { nodeFiles, readNamed } from '../data/files.js'
import type { Files } from '../data/files.js'
import { UsageError } from '../errors.js'
import { readModelFile } from '../evaluation/modelFile.js'
import type { FindBase } from './base.js'
import type { Baseline, BaselineOrigin } from './baseline.js'
import type { BaselineRequest } from './baselineRequest.js'
import { parsedBaseline } from './baselineResults.js'
import { refuseUnpulled } from './dvc.js'
import { fileAtBase } from './fileAtBase.js'
import type { FileAtBase } from './fileAtBase.js'
import { insideOf } from './insideOf.js'
import { noModel } from './noModel.js'
import { short } from './tree.js'
import { remoteFile } from './withoutClone.js'
import type { LocateInGit } from './workspace.js'

/** Baselines in files, of a commit or of the workspace. */

/**
 * The model at a commit.
 *
 * @param guarded - As in `BaselineRequest`.
 */
export async function modelAt(file: FileAtBase, how: string, guarded: boolean): Promise<Baseline> {
  const { path, commit, files } = file
  return orBroken(async () =>
    (await file.isThere())
      ? modelIn(path, `${path} at ${short(commit)}`, files, { commit, how })
      : noModel(file, guarded),
  )
}

/**
 * What a request names. A pull request must not grade its own work: what a commit holds is read from the base commit, and
 * what only the pull request adds does not count. A file no commit holds came from an earlier step of the job.
 *
 * @param name - As written; relative to the workspace.
 * @throws UsageError where nobody can tell what the pull request wrote.
 */
export async function namedFile(
  name: string,
  kind: 'path' | 'results',
  { workspace, guarded, spec, remote }: BaselineRequest,
  findBase: FindBase,
  locate: LocateInGit,
): Promise<Baseline> {
  const path = resolve(workspace, name)
  const how = `baseline ${spec}`
  const read = kind === 'path' ? modelIn : resultsIn
  const file = guarded ? await locate(path) : undefined
  const before = file
    ? await fileAtBase(file, findBase)
    : guarded
      ? await remoteFile(path, { workspace, remote }, 'baseline')
      : undefined
  const here = async (): Promise<Baseline> => {
    await refuseUnpulled({ baseline: path }, workspace)
    return read(path, insideOf(workspace, path) ?? name, nodeFiles, { how })
  }
  return orBroken(async () => {
    if (before === undefined) return here()
    const { path: tracked, commit, files } = before
    if (await before.isThere()) return read(tracked, `${tracked} at ${short(commit)}`, files, { commit, how })
    if (!(await before.isJudged())) return here()
    return { kind: 'missing', reason: `The pull request itself adds ${tracked}, so it is nothing to hold it to.` }
  }, workspace)
}

async function modelIn(path: string, shown: string, files: Files, origin: BaselineOrigin): Promise<Baseline> {
  return { kind: 'model', model: await readModelFile(path, shown, files), origin }
}

async function resultsIn(path: string, shown: string, files: Files, origin: BaselineOrigin): Promise<Baseline> {
  return parsedBaseline(new TextDecoder().decode(await readNamed(path, files)), shown, origin)
}

/**
 * A baseline that cannot be read is a state for the policy, and no mistake of the request's.
 *
 * @param workspace - Is taken off paths: the report is public, and where a runner keeps its files is nobody's business.
 */
export async function orBroken(read: () => Promise<Baseline>, workspace?: string): Promise<Baseline> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const { message } = error
    const why = workspace === undefined ? message : message.replaceAll(workspace + sep, '')
    return { kind: 'broken', reason: `The baseline cannot be used: ${why}.` }
  }
}
