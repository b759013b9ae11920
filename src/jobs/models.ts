import { join } from 'node:path'
import { readListed } from '../github/request.js'
import { prose } from '../report/escape.js'
import { cut } from '../report/layout.js'
import { placeOf } from './gate.js'
import type { Run } from './services.js'

/** Does a job on one run and returns the exit status; what it throws is told by `tellError`. */
export type Job = (run: Run) => Promise<number>

/**
 * Does a job for each model that the config lists, one after the other: each with its own check, section and folder. One
 * that breaks does not stop the others; the status is that of the worst. Without a list the job is done once, as it is.
 *
 * Sets the outputs `verdict`, the worst, and `verdicts`, by name; of the other outputs none.
 *
 * @param tellError - Says what a job threw, and returns its status.
 */
export async function forEachModel(
  run: Run,
  job: Job,
  tellError: (error: unknown, run: Run) => number,
): Promise<number> {
  const names = await readListed(run.inputs, placeOf(run)).catch(() => undefined)
  // What is wrong with the config is told by the job, which has to read it anyway.
  if (names === undefined || names.length === 0) return job(run)
  const verdicts: Record<string, string> = {}
  let worst = 0
  for (const name of names) {
    verdicts[name] = 'error'
    const one = narrowed(run, name, names.length, (verdict) => {
      verdicts[name] = verdict
    })
    one.services.log.info('begins')
    worst = Math.max(worst, await job(one).catch((error: unknown) => tellError(error, one)))
  }
  const { setOutput } = run.services
  setOutput('verdict', worstFirst.find((verdict) => Object.values(verdicts).includes(verdict)) ?? '')
  setOutput('verdicts', JSON.stringify(verdicts))
  return worst
}

const worstFirst: readonly string[] = ['error', 'regression', 'inconclusive', 'pass']

/** GitHub drops a step's summary that is longer; half of it is left for headings. */
const summaryLimit = 2 ** 20 / 2

/** The same run, of one model alone. */
function narrowed(run: Run, name: string, of: number, onVerdict: (verdict: string) => void): Run {
  const { inputs, services } = run
  const { log, writeSummary } = services
  return {
    ...run,
    inputs: { ...inputs, listed: name, outputDir: join(inputs.outputDir, name) },
    services: {
      ...services,
      log: {
        info: (message) => log.info(`${name}: ${message}`),
        warning: (message) => log.warning(`${name}: ${message}`),
        error: (message) => log.error(`${name}: ${message}`),
        block: log.block,
      },
      setOutput(output, value) {
        if (output === 'verdict') onVerdict(value)
      },
      writeSummary: (markdown) => writeSummary(`## ${prose(name)}\n\n${cut(markdown, summaryLimit / of)}`),
    },
  }
}
