import { resolve } from 'node:path'
import { errorComparison } from '../comparison/compare.js'
import type { Config } from '../config/types.js'
import { UsageError } from '../errors.js'
import { writeFileAtomically } from '../files.js'
import { writeGateFiles } from '../gate.js'
import { changedFiles, changeNotes } from '../github/changedFiles.js'
import type { Client } from '../github/client.js'
import type { Context, WorkflowRunEvent } from '../github/context.js'
import { refuseHead } from '../github/checkout.js'
import { publishingOf, readConfig } from '../github/request.js'
import { reportedResults } from '../github/uploads.js'
import type { Reported } from '../github/uploads.js'
import { addresseeOf, isOfPullRequest } from '../github/workflowRun.js'
import type { Addressee } from '../github/workflowRun.js'
import { prose } from '../report/escape.js'
import { messageOf, oneLine } from '../text.js'
import { appealIn } from './appeal.js'
import { placeOf } from './gate.js'
import { comparedAsReported, governingOf } from './reported.js'
import type { Changes } from './reported.js'
import { tellSameHead } from './sameHead.js'
import type { Measured, Run } from './services.js'
import { summarise } from './summarise.js'
import { fullReport, inRepository, tell } from './tell.js'

/**
 * Tells what a run without permissions has found: the half of the gate that holds the token, and neither loads a model
 * nor decodes an image. Everything the other run uploaded is taken for a stranger's; the verdict is reached here, by the
 * config of the default branch.
 *
 * The verdict is the check run's, not this job's, which no pull request waits for.
 *
 * @throws UsageError where this workflow has to be mended; any other error where it should be run again.
 */
export async function publishReported(run: Run): Promise<void> {
  const { context, inputs, services } = run
  const { event } = context
  if (event.kind !== 'workflow_run')
    throw new UsageError(
      `mode: publish is for the event workflow_run, not ${event.kind}; leave mode out here, or see docs/workflows.md`,
    )
  const { client } = services
  if (client === undefined)
    throw new UsageError('mode: publish posts a report, so it needs a github-token; leave that input at its default')
  const place = placeOf(run)
  if (isOfPullRequest(event)) await refuseHead(event.headSha, run.workspace, place.locate)
  if (unfinished.test(event.conclusion)) {
    await nothingToTell(
      run,
      `Run ${event.runId} was ended early (${event.conclusion}), so nothing is posted; if no newer one follows, run it again.`,
    )
    return
  }
  let config: Config
  try {
    config = await readConfig(inputs, place)
  } catch (error) {
    const publish = publishingOf(inputs)
    await tell({ measured: broken(error), publish }, addressed(run, event, { kind: 'commit' }))
    throw error
  }
  const { value: addressee, warnings: ofAddressee } = await found(client, event)
  if (addressee.kind === 'nobody') {
    await nothingToTell(run, addressee.reason)
    return
  }
  if (addressee.kind === 'several') {
    await tellSameHead(addressed(run, event, { kind: 'commit' }), addressee.numbers, config.publish)
    return
  }
  const towards = addressed(run, event, addressee)
  const { value: changes, warnings: ofChanges } = await changesOf(client, event, addressee)
  const { measured, reported = {} } = await judgeReported(config, client, event, changes, towards)
  const notes = [untrusted(event), ...notesOf(changes, config, reported, run)]
  const warnings = [...ofAddressee, ...ofChanges, ...(measured.report.warnings ?? [])]
  const report = { ...measured.report, notes: [...notes, ...measured.report.notes], warnings }
  if ('files' in measured)
    await writeFileAtomically(measured.files.report, fullReport(report, config.publish, towards.context))
  await tell({ measured: { ...measured, report }, publish: config.publish, model: config.model }, towards)
  if (!('error' in measured)) return
  if (!(measured.error instanceof UsageError)) throw measured.error
  services.log.info(messageOf(measured.error))
}

/** Their results would be half of them; a newer run usually follows. */
const unfinished = /^(cancelled|skipped|stale|action_required)$/

function untrusted({ runId }: WorkflowRunEvent): string {
  return `The figures were reported by run ${runId}, which ran without permissions on what the pull request brought: they are its word. The comparison was made from them here, by the config of the default branch; no model was loaded.`
}

/** A sentence may hold the name of a stranger's branch. */
async function nothingToTell({ services }: Run, sentence: string): Promise<void> {
  services.log.info(sentence)
  await summarise(services, `${prose(sentence)}\n`)
}

/** What GitHub was asked, or what stands in for it where no answer came, and a sentence of that. */
interface Looked<T> {
  readonly value: T
  readonly warnings: readonly string[]
}

/** Without an answer the check run is still posted, since its commit is the event's. */
async function found(client: Client, event: WorkflowRunEvent): Promise<Looked<Addressee>> {
  try {
    return { value: await addresseeOf(client, event), warnings: [] }
  } catch (error) {
    return {
      value: { kind: 'commit' },
      warnings: [unanswered('The pull request could not be looked up, so no comment is posted', error)],
    }
  }
}

async function changesOf(client: Client, event: WorkflowRunEvent, addressee: Judged): Promise<Looked<Changes>> {
  if (addressee.kind !== 'pull request') return { value: isOfPullRequest(event) ? 'unknown' : 'none', warnings: [] }
  try {
    return { value: await changedFiles(client, addressee.number), warnings: [] }
  } catch (error) {
    return { value: 'unknown', warnings: [unanswered('The pull request’s files could not be listed', error)] }
  }
}

function unanswered(what: string, error: unknown): string {
  return `${what} (${oneLine(messageOf(error), 300)}); the job needs pull-requests: read, or to be run again.`
}

function notesOf(changes: Changes, config: Config, reported: Reported, run: Run): readonly string[] {
  if (changes === 'none') return []
  if (changes === 'unknown')
    return [
      'Whether the pull request changes workflow files, and so what ran, or data and config could not be found out.',
    ]
  return changeNotes(changes, governingOf(config, reported, changes, run))
}

/** Who can be told of a verdict. */
type Judged = Extract<Addressee, { kind: 'pull request' | 'commit' }>

/** The same run as if it had been the one that evaluated: comment, check and links are about that one. */
function addressed(run: Run, event: WorkflowRunEvent, addressee: Judged): Run {
  const { owner, repo } = run.context.repository
  const context: Context = {
    ...run.context,
    event: addressee.kind === 'commit' ? event : { ...addressee, kind: 'pull_request', headSha: event.headSha },
    run: { id: event.runId, attempt: event.attempt },
    runUrl: `${run.context.serverUrl}/${owner}/${repo}/actions/runs/${event.runId}`,
  }
  return { ...run, context }
}

async function judgeReported(
  config: Config,
  client: Client,
  event: WorkflowRunEvent,
  changes: Changes,
  run: Run,
): Promise<{ readonly measured: Measured; readonly reported?: Reported }> {
  const { inputs, services, workspace } = run
  let reported: Reported | undefined
  try {
    reported = await reportedResults(client, services, event, inputs.artifact, inputs.listed)
    const { ask, warnings } = appealIn(run, config.publish)
    const comparison = await ask(comparedAsReported(config, reported, changes, inRepository(config.model, run)))
    const files = await writeGateFiles(resolve(workspace, inputs.outputDir), comparison, reported)
    return { measured: { report: { comparison, results: reported, notes: [], warnings }, files }, reported }
  } catch (error) {
    return { measured: broken(error, config.policy), reported }
  }
}

function broken(error: unknown, policy?: Config['policy']): Measured {
  return { report: { comparison: errorComparison(oneLine(messageOf(error)), { policy }), notes: [] }, error }
}
