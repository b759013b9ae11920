import { readNamed } from '../data/files.js'
import { UsageError } from '../errors.js'
import { Unreached } from '../remote/unreached.js'
import { fromArtifact, orOfBase } from './artifactBaseline.js'
import { parseArtifactSpec } from './artifactReader.js'
import type { ArtifactReader } from './artifactReader.js'
import type { FindBase } from './base.js'
import { unreached } from './baseline.js'
import type { Baseline, NoBaseline } from './baseline.js'
import { splitSpec } from './baselineRequest.js'
import type { BaselineRequest } from './baselineRequest.js'
import { parsedBaseline } from './baselineResults.js'
import { fileAt } from './fileAtBase.js'
import { modelAt, namedFile } from './fileBaseline.js'
import { modelsRemoved } from './removedModels.js'
import { resolveCommit } from './history.js'
import { checkRemote, fetchedModel, neverFetched } from './remoteSources.js'
import type { OpenRemote } from './remoteSources.js'
import { insideOf } from './insideOf.js'
import { oneLine } from '../text.js'
import { remoteFileAt } from './withoutClone.js'
import type { LocateInGit, TrackedFile } from './workspace.js'

/**
 * Finds the baseline a workflow asks for. Reads files and git; parses no model.
 *
 * @throws UsageError for a request that makes no sense. A baseline that is there but cannot be read, or that nobody could look
 *   for, is `broken`; a fault of ours is neither.
 */
export async function findBaseline(
  request: BaselineRequest,
  findBase: FindBase,
  locate: LocateInGit,
  artifacts?: ArtifactReader,
): Promise<Baseline> {
  try {
    return await lookFor(request, findBase, locate, artifacts)
  } catch (error) {
    if (error instanceof Unreached) return unreached(error)
    throw error
  }
}

async function lookFor(
  request: BaselineRequest,
  findBase: FindBase,
  locate: LocateInGit,
  artifacts: ArtifactReader | undefined,
): Promise<Baseline> {
  const { spec, guarded, openRemote } = request
  if (spec === 'none') return { kind: 'none', reason: 'The workflow asks for no baseline.' }
  if (spec === 'auto') return auto(request, findBase, locate, artifacts)
  const [kind, argument] = splitSpec(spec)
  switch (kind) {
    case 'ref': {
      const file = await tracked(request, locate)
      return modelAt(fileAt(file, await resolveCommit(file.git, argument)), `baseline ${spec}`, guarded)
    }
    case 'artifact':
      return neverUploaded(await fromArtifact(parseArtifactSpec(argument), artifacts), guarded)
    case 'http':
    case 'https':
    case 'release':
      return fromServer(spec, openRemote)
    case 'path':
      return namedFile(argument, 'path', request, findBase, locate)
    case 'results':
      return namedFile(argument, 'results', request, findBase, locate)
    default:
      throw new UsageError(
        `baseline "${spec}": write auto, none, ref:BRANCH, ref:SHA, path:FILE, results:FILE, artifact:NAME, release:TAG/NAME or https://…#sha256=…`,
      )
  }
}

async function auto(
  request: BaselineRequest,
  findBase: FindBase,
  locate: LocateInGit,
  artifacts: ArtifactReader | undefined,
): Promise<Baseline> {
  const { model, former, workspace, guarded, artifact, fetched, remote, ownArtifact } = request
  if (artifact !== undefined) return neverUploaded(await fromArtifact(artifact, artifacts), guarded)
  const file = await locate(model)
  if (fetched) {
    // Git is asked for nothing else here, and there may be no clone.
    const base = await findBase(file?.git).catch(orNothing)
    if (base !== undefined && 'absent' in base) return { kind: base.absent, reason: base.reason }
    return orOfBase(neverFetched(guarded), ownArtifact, artifacts)
  }
  const path = insideOf(workspace, model)
  if (file === undefined && remote !== undefined && path !== undefined) {
    const base = await remote.base()
    if ('absent' in base) return { kind: base.absent, reason: base.reason }
    const how = 'baseline auto, where the change starts from, without a clone'
    const there = await modelAt(remoteFileAt(path, base.commit, remote, 'baseline'), how, guarded)
    return orOfBase(there, ownArtifact, artifacts)
  }
  const base = await findBase(file?.git)
  if ('absent' in base) return { kind: base.absent, reason: base.reason }
  const at = await tracked(request, locate)
  const there = await modelAt(fileAt(at, base.commit), 'baseline auto, where the change starts from', guarded)
  const found = await orOfBase(there, ownArtifact, artifacts)
  if (found.kind !== 'missing' || !guarded) return found
  const was = former === undefined ? undefined : await locate(former)
  return orMoved(found, await modelsRemoved(at.git, base.commit, at.path, was?.path))
}

/** An artifact that the base branch has to upload before anything is compared is missing on one pull request after the other. */
function neverUploaded(found: Baseline, guarded: boolean): Baseline {
  if (found.kind !== 'missing' || !guarded) return found
  const reason = `${found.reason} Until one does, no pull request is compared with anything: upload it on push there, too; on-missing-baseline: fail lets none through until then.`
  return { ...found, reason, warning: reason }
}

/** A new model is a first adoption, unless it takes the place of one that the same change removes: only people can tell. */
function orMoved(found: NoBaseline, [removed, ...more]: readonly string[]): NoBaseline {
  if (removed === undefined) return found
  const names = oneLine([removed, ...more].join(', '), 200)
  const moved = `The pull request removes ${names}: if that is the model this one replaces, compare them with baseline: path:${oneLine(removed, 200)}.`
  const warning = [found.warning, moved].filter((each) => each !== undefined).join(' ')
  return { ...found, reason: `${found.reason} ${moved}`, warning }
}

function orNothing(error: unknown): undefined {
  if (!(error instanceof UsageError || error instanceof Unreached)) throw error
}

/** What a server refuses, or gives in the place of it, is told, in a warning too: the policy may let the model pass. */
async function fromServer(spec: string, openRemote: OpenRemote | undefined): Promise<Baseline> {
  checkRemote(spec, 'baseline')
  if (openRemote === undefined) throw new Error('nothing can be fetched here')
  try {
    const found = await openRemote(spec, 'baseline')
    const origin = { how: `fetched: ${found.how}` }
    if (!found.name.endsWith('.json')) return { kind: 'model', model: await fetchedModel(found), origin }
    return parsedBaseline(new TextDecoder().decode(await readNamed(found.path, found.files)), found.name, origin)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const reason = `The baseline cannot be used: ${error.message}.`
    return { kind: 'broken', reason, warning: reason }
  }
}

async function tracked({ spec, model, artifact, fetched }: BaselineRequest, locate: LocateInGit): Promise<TrackedFile> {
  if (artifact !== undefined || fetched)
    throw new UsageError(
      `baseline ${spec}: the candidate is ${fetched ? 'fetched' : 'an artifact'}, so git does not know it; give artifact:NAME, results:FILE or an address`,
    )
  const file = await locate(model)
  if (file !== undefined) return file
  throw new UsageError(
    `baseline ${spec}: ${model} is not in a git checkout; run actions/checkout before the gate, or give baseline: path:…`,
  )
}
