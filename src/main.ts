import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import * as core from '@actions/core'
import { progressLines } from './cli/progress.js'
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
import { readConfig, readRequest } from './github/request.js'
import type { Place } from './github/request.js'
import { fetchCredentials, locateInGit } from './github/workspace.js'
import { nodeHost } from './host.js'
import { headline } from './report/headline.js'
import { terminalReport } from './report/terminal.js'
import { oneLine } from './text.js'

const host = nodeHost(import.meta.url, process)

/** Inputs → context → baseline → gate → comment, check run, summary. Returns the job's exit status. */
async function run(): Promise<number> {
  const inputs = readInputs((name) => core.getInput(name))
  if (inputs.token !== '') core.setSecret(inputs.token)
  const context = readContext(process.env, await readPayload(process.env.GITHUB_EVENT_PATH))
  const workspace = resolve(process.env.GITHUB_WORKSPACE || '.')
  const locate = locateInGit(process.env, fetchCredentials(context.serverUrl, inputs.token))
  const place: Place = { workspace, event: context.event, findBase: baseFinder(context.event), locate }

  const config = await readConfig(inputs, place)
  const measured = await measure(config, inputs, place, context)
  await tell(measured, config, inputs, context)
  if ('error' in measured) throw measured.error
  return statusOf(measured.report.comparison)
}

/** What was found out: a report always, because a comment of an earlier run must not go on saying what is no longer true. */
type Measured =
  { readonly report: Report; readonly files: GateRun['files'] } | { readonly report: Report; readonly error: unknown }

async function measure(config: Config, inputs: Inputs, place: Place, context: Context): Promise<Measured> {
  try {
    const request = await readRequest(config, inputs, place)
    for (const note of request.notes) core.info(oneLine(note))
    const showProgress = progressLines((line) => core.info(line))
    const { comparison, candidate, baseline, files } = await runGate(
      config,
      request,
      resolve(place.workspace, inputs.outputDir),
      { ...host, onProgress: (role, progress) => showProgress(role, progress) },
    )
    withoutCommands(() => core.info(terminalReport(comparison, { color: true, width: 120 })))
    const report: Report = { comparison, results: { candidate, baseline }, notes: request.notes }
    await writeFileAtomically(files.report, fullReport(report, config, context))
    return { report, files }
  } catch (error) {
    const comparison = errorComparison(oneLine(messageOf(error)), { policy: config.policy })
    return { report: { comparison, notes: [] }, error }
  }
}

/** Everything people and later steps read: outputs, summary, check run, comment. */
async function tell(measured: Measured, config: Config, { token }: Inputs, context: Context): Promise<void> {
  const { report } = measured
  const files = 'files' in measured ? measured.files : undefined
  for (const [name, value] of Object.entries(outputsOf(report.comparison, files))) core.setOutput(name, value)
  await core.summary
    .addRaw(fullReport(report, config, context), true)
    .write()
    .catch((error: unknown) => core.warning(`The job summary could not be written: ${oneLine(messageOf(error))}`))
  if (token === '') return core.info('No github-token was given: neither comment nor check run is posted.')
  const warnings = await post(connect(token, context.repository), publicationOf(report, config, context))
  for (const warning of warnings) core.warning(warning)
}

function fullReport(report: Report, { publish }: Config, { runUrl }: Context): string {
  return reportMarkdown(report, 'full', publish.checkName, runUrl)
}

function statusOf(comparison: Comparison): number {
  const { outcome, fails } = comparison.verdict
  if (!fails) return 0
  const { verdict, sentence } = headline(comparison)
  core.error(oneLine(`${verdict}: ${comparison.failure?.message ?? sentence}`))
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

try {
  process.exitCode = await run()
} catch (error) {
  core.error(oneLine(messageOf(error)))
  if (error instanceof UsageError) {
    process.exitCode = 2
  } else {
    if (core.isDebug() && error instanceof Error) core.debug(error.stack ?? '')
    process.exitCode = 3
  }
}
