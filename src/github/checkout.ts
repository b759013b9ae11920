import { resolve } from 'node:path'
import { UsageError } from '../errors.js'
import type { Event } from './context.js'
import { checkedOutCommit, parentsOf } from './history.js'
import type { LocateInGit } from './workspace.js'

/** Whose files the workspace holds: an event's head, itself or merged, or others; undefined without a checkout. */
async function holdsHead(headSha: string, workspace: string, locate: LocateInGit): Promise<boolean | undefined> {
  const file = await locate(resolve(workspace, 'any'))
  const commit = file && (await checkedOutCommit(file.git).catch(() => undefined))
  if (file === undefined || commit === undefined) return undefined
  return commit === headSha || (await parentsOf(file.git, commit)).includes(headSha)
}

/**
 * A job that `workflow_run` starts has a token that writes, whoever started the run before it.
 *
 * @throws UsageError, for a job that would load a model there.
 */
export function refuseWorkflowRun({ kind }: Event): void {
  if (kind === 'workflow_run')
    throw new UsageError(
      'event workflow_run: a stranger’s model would be loaded beside a token that writes; evaluate on pull_request, and write mode: publish here (docs/workflows.md)',
    )
}

/**
 * For the job that publishes what another reported: its config must not be the pull request's.
 *
 * @throws UsageError where the pull request's files are checked out.
 */
export async function refuseHead(headSha: string, workspace: string, locate: LocateInGit): Promise<void> {
  if ((await holdsHead(headSha, workspace, locate)) === true)
    throw new UsageError(
      'mode: publish: the workspace holds the pull request’s own files, whose config would be believed; leave ref out of actions/checkout, so that it takes the default branch',
    )
}

/**
 * For `pull_request_target`, whose checkout is the base unless it is told otherwise: the base compared with itself would
 * let everything pass.
 *
 * @throws UsageError where nothing of the pull request is checked out.
 */
export async function requireHead(headSha: string, workspace: string, locate: LocateInGit): Promise<void> {
  if ((await holdsHead(headSha, workspace, locate)) !== true)
    throw new UsageError(
      'event pull_request_target: the workspace does not hold the pull request’s head, so nothing of it would be judged; give actions/checkout ref: ${{ github.event.pull_request.head.sha }} and persist-credentials: false',
    )
}
