import { relative, sep } from 'node:path'
import { codeOf } from '../data/reason.js'
import { readModelFile } from '../evaluation/modelFile.js'
import type { Baseline } from './baseline.js'
import type { RemoteCommit } from './contents.js'
import { fetchByDvc, pointerOf } from './dvc.js'
import { short } from './tree.js'

/** The model at the base branch's commit by GitHub's interface, for a job that checks nothing out. */
export async function modelWithoutClone(
  { model, workspace }: { readonly model: string; readonly workspace: string },
  commit: string,
  { filesOf }: RemoteCommit,
): Promise<Baseline> {
  const files = filesOf(commit)
  const path = relative(workspace, model).split(sep).join('/')
  const where = `${path} at ${short(commit)}`
  const isThere = (wanted: string) =>
    files.stat(wanted).then(
      () => true,
      (error: unknown) => {
        if (codeOf(error) === 'ENOENT') return false
        throw error
      },
    )
  if (!(await isThere(path)) && (await isThere(pointerOf(path))))
    return { kind: 'broken', reason: fetchByDvc(path, commit) }
  if (!(await isThere(path)))
    return { kind: 'missing', reason: `There is no ${where}: this is the first adoption of a model.` }
  const how = 'baseline auto, at the base branch’s commit, without a clone'
  return { kind: 'model', model: await readModelFile(path, where, files), origin: { commit, how } }
}
