import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import * as core from '@actions/core'
import type { Comparison } from './comparison/types.js'
import { UsageError } from './errors.js'
import { artifactStore } from './github/artifactStore.js'
import { connect } from './github/client.js'
import { readContext } from './github/context.js'
import { readInputs } from './github/inputs.js'
import type { Inputs } from './github/inputs.js'
import { resultsCache } from './github/resultsCache.js'
import { guardStatus, nodeHost } from './host.js'
import { tryOut } from './jobs/dryRun.js'
import { judge } from './jobs/gate.js'
import { publishReported } from './jobs/publish.js'
import { joined } from './jobs/merge.js'
import { forEachModel } from './jobs/models.js'
import type { Job } from './jobs/models.js'
import type { Judged, Log, Run } from './jobs/services.js'
import { evaluateShard } from './jobs/shard.js'
import { tell } from './jobs/tell.js'
import { keepFiles } from './jobs/upload.js'
import { pause } from './remote/pause.js'
import { headline } from './report/headline.js'
import { addonFinder } from './runtime/addonFinder.js'
import { logLine, messageOf } from './text.js'

const log: Log = {
  info: (message) => core.info(logLine(message)),
  warning: (message) => core.warning(logLine(message)),
  error: (message) => core.error(logLine(message)),
  // The runner obeys lines that begin with `::`; names of models and classes must not give it orders.
  block(text) {
    const resume = randomUUID()
    core.info(`::stop-commands::${resume}`)
    core.info(text.replaceAll('##[', '## ['))
    core.info(`::${resume}::`)
  },
}

const cacheEffects = { toolkit: () => import('@actions/cache'), warning: log.warning, now: () => performance.now() }

/** Inputs → context → job → comment, check run, summary. Returns the job's exit status. */
async function main(): Promise<number> {
  const inputs = readInputs((name) => core.getInput(name))
  for (const secret of [inputs.token, inputs.dataToken]) if (secret !== '') core.setSecret(secret)
  const payload = await readPayload(process.env.GITHUB_EVENT_PATH)
  const context = readContext(process.env, payload, inputs.allowUnsafePullRequestTarget)
  const findAddon = addonFinder({
    entry: import.meta.url,
    environment: process.env,
    installed: inputs.onnxruntime,
    info: log.info,
  })
  const run: Run = {
    inputs,
    context,
    workspace: resolve(process.env.GITHUB_WORKSPACE || '.'),
    services: {
      environment: process.env,
      host: nodeHost(import.meta.url, process, findAddon),
      log,
      setOutput: core.setOutput,
      writeSummary: async (markdown) => void (await core.summary.addRaw(markdown, true).write()),
      fetch,
      pause,
      artifacts: artifactStore(process.env, context),
      store: inputs.cache ? resultsCache(process.env, cacheEffects) : undefined,
      ...(inputs.token !== '' && { client: connect(inputs.token, context.repository) }),
    },
  }
  return forEachModel(run, jobOf(inputs), (error, { services }) => tellError(error, services.log))
}

function jobOf({ dryRun, mode, shard }: Inputs): Job {
  if (dryRun) return withoutVerdict(tryOut)
  if (mode === 'publish') return reporting
  if (shard !== undefined) return withoutVerdict((run) => evaluateShard(run, shard))
  return withVerdict((run) => judge(run, mode === 'merge' ? joined : undefined))
}

/** The verdict is the check run's, and this job's status says whether it could be posted. */
async function reporting(run: Run): Promise<number> {
  await publishReported(run)
  return 0
}

function withoutVerdict(job: (run: Run) => Promise<void>): Job {
  return async (run) => {
    await job(run)
    run.services.setOutput('verdict', '')
    return 0
  }
}

function withVerdict(job: (run: Run) => Promise<Judged>): Job {
  return async (run) => {
    const judged = await keepFiles(await job(run), run)
    await tell(judged, run)
    const { measured } = judged
    if ('error' in measured) throw measured.error
    return statusOf(measured.report.comparison, run.services.log)
  }
}

function statusOf(comparison: Comparison, { error }: Pick<Log, 'error'>): number {
  const { outcome, fails, appeal } = comparison.verdict
  if (!fails) return 0
  const { verdict, sentence } = headline(comparison)
  error(
    [`${verdict}: ${comparison.failure?.message ?? sentence}`, ...(appeal === undefined ? [] : [appeal])].join('. '),
  )
  return outcome === 'error' ? 3 : 1
}

async function readPayload(path: string | undefined): Promise<string> {
  if (path === undefined) throw new UsageError('GITHUB_EVENT_PATH is not set: run the action inside a GitHub workflow')
  return readFile(path, 'utf8')
}

/** Says what went wrong; returns the status to end with. */
function tellError(error: unknown, to: Pick<Log, 'error'> = log): number {
  to.error(messageOf(error))
  if (error instanceof UsageError) return 2
  if (core.isDebug() && error instanceof Error) core.debug(error.stack ?? '')
  return 3
}

guardStatus(process, (error) => tellError(error))
// Until there is another one: what ends early is an error.
core.setOutput('verdict', 'error')
process.exitCode = await main().catch((error: unknown) => tellError(error))
// A service that was given up may hold a connection open, and the job with it. What was printed gets out first.
process.stdout.write('', () => process.exit())
