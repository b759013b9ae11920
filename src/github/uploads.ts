import { comparisonSchema } from '../comparison/schema.js'
import type { Comparison } from '../comparison/types.js'
import { UsageError } from '../errors.js'
import type { Results } from '../evaluation/results.js'
import { parseResults } from '../evaluation/resultsFile.js'
import { oneLine } from '../text.js'
import { artifactsOfRun, downloadArtifact, largestReported, unreadable } from './artifacts.js'
import type { Artifact, StorageEffects } from './artifacts.js'
import type { Client } from './client.js'
import type { WorkflowRunEvent } from './context.js'
import { readZip } from './zip.js'

/** What a run says it measured. */
export interface Reported {
  /** Undefined where the model is unchanged and was not attacked. */
  readonly candidate?: Results
  readonly baseline?: Results
  readonly spared?: Spared
  /** Its comparison.json, of which no figure and no verdict counts; undefined where none can be read. */
  readonly said?: Comparison
}

/** What it says of a model that is its own baseline. */
export interface Spared {
  readonly data: NonNullable<Comparison['data']>
  readonly origins: NonNullable<Comparison['origins']>
}

/** What the artifacts of the gate are called, unless an input says otherwise. */
export const artifactPrefix = 'robustness-gate'

const [results, baseline, comparison] = ['results.json', 'baseline.json', 'comparison.json'] as const

/**
 * Downloads the results another run uploaded and reads them as a stranger's: sizes, schema, and that nothing in them
 * contradicts the rest. Of its own comparison only what results do not tell is read, and no verdict but that of an unchanged
 * model, which need not have been attacked. Whatever else the artifact holds is not looked at.
 *
 * @param named - The artifact's name; empty for the only one that begins with `robustness-gate`.
 * @param folder - Where in the artifact they are; empty for its top.
 * @throws UsageError that says in one sentence why there are no results; any other error is the network's.
 */
export async function reportedResults(
  client: Client,
  storage: StorageEffects,
  run: WorkflowRunEvent,
  named: string,
  folder = '',
): Promise<Reported> {
  const reading = unreadable(`the artifacts of run ${run.runId}`)
  const artifact = chosen(await artifactsOfRun(client, run.runId).catch(reading), run, named)
  const name = `artifact ${oneLine(artifact.name, 100)}`
  const zip = await downloadArtifact(client, storage, artifact, largestReported.zip).catch(reading)
  const wanted = [results, baseline, comparison].map((file) => (folder === '' ? file : `${folder}/${file}`))
  const [inCandidate, inBaseline, inComparison] = wanted
  const files = readZip(zip, wanted, largestReported.file, name)
  const ofCandidate = files[inCandidate]
  const said = saidIn(files[inComparison])
  const spared = ofCandidate === undefined ? sparedIn(said) : undefined
  if (spared !== undefined) return { spared }
  const ofBaseline = files[inBaseline]
  if (said?.verdict.outcome === 'error' && (ofCandidate === undefined || ofBaseline === undefined))
    throw new UsageError(
      `run ${run.runId} could not complete its evaluation (${oneLine(said.failure?.message ?? '', 300)}); its log says more`,
    )
  if (ofCandidate === undefined)
    throw new UsageError(
      `${name} has no ${results} ${folder === '' ? 'at its top' : `in ${folder}/`}; upload what is inside the folder output-dir`,
    )
  return {
    candidate: parsed(ofCandidate, results),
    ...(ofBaseline && { baseline: parsed(ofBaseline, baseline) }),
    ...(said && { said }),
  }
}

function chosen(artifacts: readonly Artifact[], run: WorkflowRunEvent, named: string): Artifact {
  const { runId, conclusion } = run
  const wanted = artifacts.filter(({ name }) => (named === '' ? name.startsWith(artifactPrefix) : name === named))
  const [newest] = wanted
  if (newest === undefined) {
    const what = named === '' ? `whose name begins with ${artifactPrefix}` : oneLine(named, 100)
    throw new UsageError(
      conclusion === 'success'
        ? `run ${runId} uploaded no artifact ${what}; upload the folder output-dir after the gate, with if: always()`
        : `run ${runId} ended (${oneLine(conclusion, 30)}) before it had results; its log says why`,
    )
  }
  const names = [...new Set(wanted.map(({ name }) => name))]
  if (names.length > 1)
    throw new UsageError(
      `run ${runId} uploaded several artifacts (${oneLine(names.join(', '), 200)}); name one with the input artifact`,
    )
  if (newest.expired)
    throw new UsageError(
      `artifact ${oneLine(newest.name, 100)} of run ${runId} has expired; run that workflow again: ${again(run.startedBy)}`,
    )
  return newest
}

/** GitHub repeats no run that is older than a month. */
function again(startedBy: string): string {
  return startedBy.startsWith('pull_request')
    ? 'repeat the run or, after a month, push a commit to the pull request'
    : 'repeat the run or, after a month, start another (workflow_dispatch, schedule)'
}

/** Undefined of what is no comparison: then it tells nothing. */
function saidIn(bytes: Uint8Array | undefined): Comparison | undefined {
  if (bytes === undefined) return undefined
  try {
    return comparisonSchema.parse(JSON.parse(new TextDecoder().decode(bytes)))
  } catch {
    return undefined
  }
}

/** Undefined of anything but a pass of one and the same model. */
function sparedIn(said: Comparison | undefined): Spared | undefined {
  const { data, origins, verdict } = said ?? {}
  const { candidate, baseline: replaced } = origins ?? {}
  const isSpared = verdict?.outcome === 'pass' && verdict.reasons.some(({ code }) => code === 'unchanged')
  if (!isSpared || data === undefined || candidate === undefined || candidate.sha256 !== replaced?.sha256)
    return undefined
  return { data, origins: { candidate, baseline: replaced } }
}

/** Whatever a file makes our readers stumble over, a nesting too deep for the stack among it, is the file's fault. */
function parsed(bytes: Uint8Array, name: string): Results {
  try {
    return parseResults(new TextDecoder().decode(bytes), name)
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${name}: cannot be read (${oneLine(String(error), 200)})`, { cause: error })
  }
}
