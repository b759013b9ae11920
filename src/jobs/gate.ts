import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { errorComparison } from '../comparison/compare.js'
import type { Config } from '../config/types.js'
import { writeFileAtomically } from '../files.js'
import { runGate } from '../gate.js'
import { artifactReader } from '../github/artifactReader.js'
import { baseFinder } from '../github/base.js'
import { refuseWorkflowRun, requireHead } from '../github/checkout.js'
import { remoteCommit } from '../github/contents.js'
import { lfsStore } from '../github/lfs.js'
import type { Report } from '../github/publication.js'
import { remoteOpener } from '../github/remoteSources.js'
import { publishingOf, readConfig, readRequest } from '../github/request.js'
import type { Place } from '../github/request.js'
import { fetchCredentials, locateInGit, refuseLinks } from '../github/workspace.js'
import { progressLines } from '../report/progress.js'
import { terminalReport } from '../report/terminal.js'
import { messageOf, oneLine } from '../text.js'
import { appealIn } from './appeal.js'
import { candidateExamples } from './candidateExamples.js'
import type { Judged, Measured, Run } from './services.js'
import { fullReport } from './tell.js'

/** In an action what cannot be compared is a state for the policy, and what is unchanged need not be attacked. */
export const forgiving = { spareUnchanged: true, tolerateBaseline: true } as const

/** How a gate gets what it judges. */
export type Measure = (config: Config, run: Run, place: Place) => Promise<Measured>

/** Evaluates candidate and baseline, or gets from elsewhere what was evaluated, and compares them. */
export async function judge(run: Run, measure: Measure = evaluated): Promise<Judged> {
  const { inputs } = run
  const place = placeOf(run)
  let config: Config
  try {
    await refuseUnsafe(run, place)
    config = await readConfig(inputs, place)
  } catch (error) {
    return { measured: failed(error), publish: publishingOf(inputs) }
  }
  try {
    return { measured: await measure(config, run, place), publish: config.publish, model: config.model }
  } catch (error) {
    return { measured: failed(error, config.policy), publish: config.publish, model: config.model }
  }
}

/**
 * Refuses to run where a stranger's model would be loaded beside a token that writes, or the base be judged in the place of the
 * head.
 *
 * @throws UsageError
 */
export async function refuseUnsafe({ inputs, context, workspace, services }: Run, { locate }: Place): Promise<void> {
  refuseWorkflowRun(context.event)
  // What joins shards reads nothing of the head.
  if (services.environment.GITHUB_EVENT_NAME === 'pull_request_target' && inputs.mode !== 'merge')
    await requireHead(context.event.headSha, workspace, locate)
}

/** Where a run reads from. */
export function placeOf({ inputs, context, workspace, services }: Run): Place {
  const { client, fetch, pause, environment } = services
  const effects = { fetch, pause, temporary: environment.RUNNER_TEMP || tmpdir() }
  const locate = locateInGit(services.environment, fetchCredentials(context.serverUrl, inputs.token))
  return {
    workspace,
    event: context.event,
    findBase: baseFinder(context.event),
    locate,
    openRemote: remoteOpener(effects, client),
    ...(client && {
      artifacts: artifactReader(client, effects, context.event, context.run.id),
      remote: remoteCommit(client, context.event, lfsStore(context, inputs.token, effects), pause),
    }),
  }
}

function failed(error: unknown, policy?: Config['policy']): Measured {
  return { report: { comparison: errorComparison(oneLine(messageOf(error)), { policy }), notes: [] }, error }
}

async function evaluated(config: Config, run: Run, place: Place): Promise<Measured> {
  const { inputs, context, services } = run
  const { host, log, store } = services
  const out = resolve(place.workspace, inputs.outputDir)
  // Whatever the event: a link that a commit holds would have this write anywhere.
  await refuseLinks(out, place.workspace)
  const request = await readRequest(config, inputs, place)
  const examples = candidateExamples()
  const showProgress = progressLines((line) => log.info(line))
  if (request.notes.length > 0) log.block(request.notes.map((note) => oneLine(note)).join('\n'))
  const { ask, warnings } = appealIn(run, config.publish)
  const sources = { ...request, ...forgiving, appeal: ask }
  const { comparison, candidate, baseline, files } = await runGate(config, sources, out, {
    ...host,
    store,
    ...examples.effects,
    onProgress: (role, progress) => showProgress(role, progress),
  })
  await examples.write(out, config.threats)
  log.block(terminalReport(comparison, { color: true, width: 120 }))
  const report: Report = {
    comparison,
    results: { candidate, baseline },
    notes: request.notes,
    warnings: [...request.warnings, ...warnings],
  }
  await writeFileAtomically(files.report, fullReport(report, config.publish, context))
  return { report, files }
}
