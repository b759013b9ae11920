import { UsageError } from '../errors.js'
import type { Results } from '../evaluation/results.js'
import { parseResults } from '../evaluation/resultsFile.js'
import { messageOf, oneLine } from '../text.js'
import { artifactsOfRun, downloadArtifact } from './artifacts.js'
import type { Artifact, Fetch } from './artifacts.js'
import type { Client } from './client.js'
import type { WorkflowRunEvent } from './context.js'
import { readZip } from './zip.js'

/** What a run says it measured. */
export interface Reported {
  readonly candidate: Results
  readonly baseline?: Results
}

/** What the artifacts of the gate are called, unless an input says otherwise. */
export const artifactPrefix = 'robustness-gate'

/** Some 50,000 images with a full suite. Both files come from whoever opened the pull request. */
const largestFile = 64 * 2 ** 20
const largestZip = 128 * 2 ** 20

const [results, baseline] = ['results.json', 'baseline.json'] as const

/**
 * Downloads the results another run uploaded and reads them as a stranger's: sizes, schema, and that nothing in them
 * contradicts the rest. Whatever else the artifact holds, a verdict of its own among it, is not looked at.
 *
 * @param named - The artifact's name; empty for the only one that begins with `robustness-gate`.
 * @param folder - Where in the artifact they are; empty for its top.
 * @throws UsageError that says in one sentence why there are no results; any other error is the network's.
 */
export async function reportedResults(
  client: Client,
  fetch: Fetch,
  run: WorkflowRunEvent,
  named: string,
  folder = '',
): Promise<Reported> {
  const reading = readable(run)
  const artifact = chosen(await artifactsOfRun(client, run.runId).catch(reading), run, named)
  const name = `artifact ${oneLine(artifact.name, 100)}`
  const zip = await downloadArtifact(client, fetch, artifact, largestZip).catch(reading)
  const [inCandidate, inBaseline] = [results, baseline].map((file) => (folder === '' ? file : `${folder}/${file}`))
  const files = readZip(zip, [inCandidate, inBaseline], largestFile, name)
  const ofCandidate = files[inCandidate]
  if (ofCandidate === undefined)
    throw new UsageError(
      `${name} has no ${results} ${folder === '' ? 'at its top' : `in ${folder}/`}; upload what is inside the folder output-dir`,
    )
  const ofBaseline = files[inBaseline]
  return {
    candidate: parsed(ofCandidate, results),
    ...(ofBaseline && { baseline: parsed(ofBaseline, baseline) }),
  }
}

/** A token that lacks the permission is told of in words that do not name it. */
function readable({ runId }: WorkflowRunEvent): (error: unknown) => never {
  return (error) => {
    if (error instanceof UsageError) throw error
    throw new Error(
      `the artifacts of run ${runId} could not be read (${oneLine(messageOf(error), 200)}); the job needs actions: read, or to be run again`,
      { cause: error },
    )
  }
}

function chosen(artifacts: readonly Artifact[], { runId, conclusion }: WorkflowRunEvent, named: string): Artifact {
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
    throw new UsageError(`artifact ${oneLine(newest.name, 100)} of run ${runId} has expired; run that workflow again`)
  return newest
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
