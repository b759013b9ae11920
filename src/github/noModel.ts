import type { Baseline } from './baseline.js'
import { keptByDvc } from './dvc.js'
import type { FileAtBase } from './fileAtBase.js'
import { short } from './tree.js'

/**
 * What it means that a commit has no model at the candidate's path. That is the first adoption of one only where the commit that
 * is judged has it: what a step downloads or trains is in no commit, and was not in the last one either.
 *
 * @param guarded - A change that nobody has merged yet. Any other run may be the first whose upload changes are compared with.
 * @throws Error when GitHub does not tell what the judged commit has.
 */
export async function noModel({ path, commit, files, isJudged }: FileAtBase, guarded: boolean): Promise<Baseline> {
  const kept = await keptByDvc(path, commit, files)
  if (kept !== undefined) return { kind: 'broken', reason: kept }
  const none = `There is no ${path} at ${short(commit)}`
  const first = `${none}: this is the first adoption of a model.`
  if (await isJudged()) return { kind: 'missing', reason: first }
  return guarded
    ? {
        kind: 'broken',
        reason: `${none}, and git holds no ${path} in this commit either, so nothing tells what it replaces; upload results on the base branch (upload: true in a gate on push; actions: read here), or give baseline: artifact:…, path:… or results:….`,
      }
    : {
        kind: 'missing',
        reason: `${first} Git holds no ${path} in this commit either, so pull requests are compared with what this run uploads (upload: true).`,
      }
}
