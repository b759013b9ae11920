import { readNamed } from '../data/files.js'
import { UsageError } from '../errors.js'
import { readModelFile } from '../evaluation/modelFile.js'
import { FailedAnswer } from '../remote/tried.js'
import { oneLine } from '../text.js'
import { fileIn, hasNoResults } from './artifactReader.js'
import type { ArtifactReader, ArtifactSpec } from './artifactReader.js'
import type { Baseline } from './baseline.js'
import { parsedBaseline } from './baselineResults.js'
import { SearchDenied } from './branchArtifacts.js'
import type { FoundArtifact } from './branchArtifacts.js'
import { statusOf } from './status.js'

/**
 * The newest one of a successful run on the base branch.
 *
 * @throws UsageError without a token, Unreached where GitHub or the network does not give it.
 */
export async function fromArtifact(spec: ArtifactSpec, artifacts: ArtifactReader | undefined): Promise<Baseline> {
  if (artifacts === undefined) throw new UsageError('baseline artifact: needs a github-token, with actions: read')
  const search = await artifacts.ofBase(spec.name, (found) => readArtifact(found, spec, artifacts))
  if ('found' in search) return search.found
  if ('unusable' in search) return { kind: 'broken', reason: search.unusable }
  const branch = artifacts.baseBranch ?? 'a base branch, which this event has not'
  return { kind: 'missing', reason: `No successful run on ${branch} has uploaded artifact ${oneLine(spec.name, 100)}.` }
}

const again =
  'run that workflow again by hand (workflow_dispatch), or let it run (schedule) more often than artifacts are kept for'

/** Undefined of what a gate has uploaded that attacked nothing. */
async function readArtifact(
  found: FoundArtifact,
  spec: ArtifactSpec,
  { baseBranch, open }: ArtifactReader,
): Promise<Baseline | undefined> {
  const name = `artifact ${oneLine(spec.name, 100)}`
  const where = `${name} of run ${found.run} on ${baseBranch}`
  if (found.expired) return { kind: 'expired', reason: `The ${where} has expired; ${again}.` }
  const origin = { ...(found.commit !== undefined && { commit: found.commit }), how: where }
  try {
    const files = await open(found)
    if (await hasNoResults(files, spec)) return undefined
    const path = await fileIn(files, spec)
    if (!path.endsWith('.json'))
      return { kind: 'model', model: await readModelFile(path, `${name}${path}`, files), origin }
    return parsedBaseline(new TextDecoder().decode(await readNamed(path, files)), `${name}${path}`, origin)
  } catch (error) {
    if (isGone(error)) return { kind: 'expired', reason: `The ${where} is kept no longer; ${again}.` }
    if (!(error instanceof UsageError)) throw error
    return { kind: 'broken', reason: `The ${where} cannot be used: ${error.message}.` }
  }
}

/** What GitHub, and not its storage, answers for an artifact that has expired, or was deleted, since it was listed. */
function isGone(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  const status = statusOf(cause)
  return !(cause instanceof FailedAnswer) && (status === 410 || status === 404)
}

/**
 * Where no older model was found: what a gate on the base branch has measured of the one it had then, by whatever path. A renamed
 * model is no first adoption, and what is there but cannot be had is none either.
 *
 * @param ownArtifact - Of what the gate itself uploads.
 * @throws Unreached where GitHub or the network does not give what is there.
 */
export async function orOfBase(
  there: Baseline,
  ownArtifact: string | undefined,
  artifacts: ArtifactReader | undefined,
): Promise<Baseline> {
  if (there.kind === 'model' || ownArtifact === undefined) return there
  if (artifacts === undefined) return unseen(there, 'there is no github-token')
  try {
    const found = await fromArtifact({ name: ownArtifact, path: 'results.json' }, artifacts)
    return found.kind === 'missing' ? there : found
  } catch (error) {
    if (error instanceof SearchDenied) return unseen(there, error.why)
    throw error
  }
}

/** A first adoption, as far as anybody could look. */
function unseen(there: Baseline, why: string): Baseline {
  if (there.kind !== 'missing') return there
  const warning = `Nobody could look whether the base branch has results of an older model (${why}), so one that was renamed passes for a new one; give the job actions: read, and the gate its github-token.`
  return { ...there, reason: `${there.reason} ${warning}`, warning }
}
