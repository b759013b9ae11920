import { resolve } from 'node:path'
import { errorComparison } from '../comparison/compare.js'
import type { Config } from '../config/types.js'
import { writeFileAtomically } from '../files.js'
import { runGate } from '../gate.js'
import { baseFinder } from '../github/base.js'
import { refuseWorkflowRun, requireHead } from '../github/checkout.js'
import type { Report } from '../github/publication.js'
import { publishingOf, readConfig, readRequest } from '../github/request.js'
import type { Place } from '../github/request.js'
import { fetchCredentials, locateInGit, refuseLinks } from '../github/workspace.js'
import { progressLines } from '../report/progress.js'
import { terminalReport } from '../report/terminal.js'
import { messageOf, oneLine } from '../text.js'
import type { Judged, Measured, Run } from './services.js'
import { fullReport } from './tell.js'

/** Evaluates candidate and baseline and compares them: the job of a run that nobody asked for anything else. */
export async function judge(run: Run): Promise<Judged> {
  const { inputs, context, workspace, services } = run
  const place = placeOf(run)
  let config: Config
  try {
    refuseWorkflowRun(context.event)
    if (services.environment.GITHUB_EVENT_NAME === 'pull_request_target')
      await requireHead(context.event.headSha, workspace, place.locate)
    config = await readConfig(inputs, place)
  } catch (error) {
    return { measured: failed(error), publish: publishingOf(inputs) }
  }
  try {
    return { measured: await measure(config, place, run), publish: config.publish, model: config.model }
  } catch (error) {
    return { measured: failed(error, config.policy), publish: config.publish, model: config.model }
  }
}

/** Where a run reads from. */
export function placeOf({ inputs, context, workspace, services }: Run): Place {
  const locate = locateInGit(services.environment, fetchCredentials(context.serverUrl, inputs.token))
  return { workspace, event: context.event, findBase: baseFinder(context.event), locate }
}

function failed(error: unknown, policy?: Config['policy']): Measured {
  return { report: { comparison: errorComparison(oneLine(messageOf(error)), { policy }), notes: [] }, error }
}

async function measure(config: Config, place: Place, { inputs, context, services }: Run): Promise<Measured> {
  const { host, log } = services
  const out = resolve(place.workspace, inputs.outputDir)
  // Whatever the event: a link that a commit holds would have this write anywhere.
  await refuseLinks(out, place.workspace)
  const request = await readRequest(config, inputs, place)
  const showProgress = progressLines((line) => log.info(line))
  if (request.notes.length > 0) log.block(request.notes.map((note) => oneLine(note)).join('\n'))
  const { comparison, candidate, baseline, files } = await runGate(config, request, out, {
    ...host,
    onProgress: (role, progress) => showProgress(role, progress),
  })
  log.block(terminalReport(comparison, { color: true, width: 120 }))
  const report: Report = { comparison, results: { candidate, baseline }, notes: request.notes }
  await writeFileAtomically(files.report, fullReport(report, config.publish, context))
  return { report, files }
}
