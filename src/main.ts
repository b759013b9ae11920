import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import * as core from '@actions/core'
import { errorComparison } from './comparison/compare.js'
import type { Comparison } from './comparison/types.js'
import type { Config } from './config/types.js'
import { UsageError } from './errors.js'
import { writeFileAtomically } from './files.js'
import { runGate } from './gate.js'
import type { GateRun } from './gate.js'
import { baseFinder } from './github/base.js'
import { connect } from './github/client.js'
import { readContext } from './github/context.js'
import type { Context } from './github/context.js'
import { readInputs } from './github/inputs.js'
import type { Inputs } from './github/inputs.js'
import { outputsOf } from './github/outputs.js'
import { publicationOf, reportMarkdown } from './github/publication.js'
import type { Report } from './github/publication.js'
import { publish as post } from './github/publish.js'
import { publishingOf, readConfig, readRequest } from './github/request.js'
import type { Place } from './github/request.js'
import { fetchCredentials, locateInGit, refuseLinks } from './github/workspace.js'
import { guardStatus, nodeHost } from './host.js'
import { headline } from './report/headline.js'
import { cut } from './report/layout.js'
import { progressLines } from './report/progress.js'
import { terminalReport } from './report/terminal.js'
import { logLine, messageOf, oneLine } from './text.js'

const host = nodeHost(import.meta.url, process)

/** Inputs → context → config → baseline → gate → comment, check run, summary. Returns the job's exit status. */
async function run(): Promise<number> {
  const inputs = readInputs((name) => core.getInput(name))
  if (inputs.token !== '') core.setSecret(inputs.token)
  const context = readContext(process.env, await readPayload(process.env.GITHUB_EVENT_PATH))
  const workspace = resolve(process.env.GITHUB_WORKSPACE || '.')
  const locate = locateInGit(process.env, fetchCredentials(context.serverUrl, inputs.token))
  const place: Place = { workspace, event: context.event, findBase: baseFinder(context.event), locate }

  const { measured, publish } = await judge(inputs, place, context)
  await tell(measured, publish, inputs, context)
  if ('error' in measured) throw measured.error
  return statusOf(measured.report.comparison)
}

/** What was found out: a report always, because a comment of an earlier run must not go on saying what is no longer true. */
type Measured =
  { readonly report: Report; readonly files: GateRun['files'] } | { readonly report: Report; readonly error: unknown }

interface Judged {
  readonly measured: Measured
  readonly publish: Config['publish']
}

async function judge(inputs: Inputs, place: Place, context: Context): Promise<Judged> {
  let config: Config
  try {
    config = await readConfig(inputs, place)
  } catch (error) {
    return { measured: failed(error), publish: publishingOf(inputs) }
  }
  try {
    return { measured: await measure(config, inputs, place, context), publish: config.publish }
  } catch (error) {
    return { measured: failed(error, config.policy), publish: config.publish }
  }
}

function failed(error: unknown, policy?: Config['policy']): Measured {
  return { report: { comparison: errorComparison(oneLine(messageOf(error)), { policy }), notes: [] }, error }
}

async function measure(config: Config, inputs: Inputs, place: Place, context: Context): Promise<Measured> {
  const out = resolve(place.workspace, inputs.outputDir)
  // Whatever the event: a link that a commit holds would have this write anywhere.
  await refuseLinks(out, place.workspace)
  const request = await readRequest(config, inputs, place)
  const showProgress = progressLines((line) => core.info(logLine(line)))
  withoutCommands(() => request.notes.forEach((note) => core.info(logLine(note))))
  const { comparison, candidate, baseline, files } = await runGate(config, request, out, {
    ...host,
    onProgress: (role, progress) => showProgress(role, progress),
  })
  withoutCommands(() => core.info(terminalReport(comparison, { color: true, width: 120 })))
  const report: Report = { comparison, results: { candidate, baseline }, notes: request.notes }
  await writeFileAtomically(files.report, fullReport(report, config.publish, context))
  return { report, files }
}

/** Everything people and later steps read: outputs, summary, check run, comment. */
async function tell(measured: Measured, publish: Config['publish'], { token }: Inputs, context: Context) {
  const { report } = measured
  const files = 'files' in measured ? measured.files : undefined
  for (const [name, value] of Object.entries(outputsOf(report.comparison, files))) core.setOutput(name, value)
  await core.summary
    .addRaw(cut(fullReport(report, publish, context), summaryLimit), true)
    .write()
    .catch((error: unknown) => core.warning(logLine(`The job summary could not be written: ${messageOf(error)}`)))
  if (token === '') return core.info('No github-token was given: neither comment nor check run is posted.')
  const warnings = await post(connect(token, context.repository), publicationOf(report, { publish }, context))
  for (const warning of warnings) core.warning(logLine(warning))
}

/** GitHub drops a summary that is longer; a newline is added to it. */
const summaryLimit = 2 ** 20 - 1

function fullReport(report: Report, { checkName }: Config['publish'], { runUrl }: Context): string {
  return reportMarkdown(report, 'full', checkName, runUrl)
}

function statusOf(comparison: Comparison): number {
  const { outcome, fails } = comparison.verdict
  if (!fails) return 0
  const { verdict, sentence } = headline(comparison)
  core.error(logLine(`${verdict}: ${comparison.failure?.message ?? sentence}`))
  return outcome === 'error' ? 3 : 1
}

/** The runner obeys lines that begin with `::`; names of models and classes must not give it orders. */
function withoutCommands(print: () => void): void {
  const resume = randomUUID()
  core.info(`::stop-commands::${resume}`)
  print()
  core.info(`::${resume}::`)
}

async function readPayload(path: string | undefined): Promise<string> {
  if (path === undefined) throw new UsageError('GITHUB_EVENT_PATH is not set: run the action inside a GitHub workflow')
  return readFile(path, 'utf8')
}

/** Says what went wrong; returns the status to end with. */
function tellError(error: unknown): number {
  core.error(logLine(messageOf(error)))
  if (error instanceof UsageError) return 2
  if (core.isDebug() && error instanceof Error) core.debug(error.stack ?? '')
  return 3
}

guardStatus(process, tellError)
// Until there is another one: what ends early is an error.
core.setOutput('verdict', 'error')
process.exitCode = await run().catch(tellError)
