import type { Event } from './context.js'
import { checkedOutCommit, parentsOf } from './history.js'
import type { LocateInGit } from './workspace.js'

/** actions/checkout takes GitHub's merge commit unless it is told otherwise, and without a clone nothing shows which it took. */
const unknownMerge =
  'from files that no clone tells the commit of: the head’s, or those of GitHub’s merge of it with the base branch'

/**
 * The commit that the candidate is read from: the one that is checked out, which on a pull request is GitHub's merge with the
 * base branch unless the workflow says otherwise. Where that is not the event's head, the head is named, too.
 *
 * @param model - Absolute; undefined of one that no commit holds, and that is told of by the event's head alone.
 */
export async function candidateOrigin(
  model: string | undefined,
  { headSha, kind }: Event,
  locate: LocateInGit,
): Promise<{ readonly commit: string; readonly how?: string }> {
  const file = model === undefined ? undefined : await locate(model)
  if (file === undefined)
    return { commit: headSha, ...(model !== undefined && kind === 'pull_request' && { how: unknownMerge }) }
  const commit = await checkedOutCommit(file.git)
  if (commit === headSha) return { commit }
  const merged = (await parentsOf(file.git, commit)).includes(headSha)
  return { commit, how: merged ? `merge of ${headSha}` : `checked out in a run for ${headSha}` }
}
