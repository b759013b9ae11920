import { resolve } from 'node:path'
import type { Absence } from '../comparison/types.js'
import { readNamed } from '../data/files.js'
import type { ModelBytes } from '../engine/messages.js'
import { UsageError } from '../errors.js'
import type { Results } from '../evaluation/results.js'
import { messageOf } from '../text.js'
import { fromArtifact, orOfBase } from './artifactBaseline.js'
import { parseArtifactSpec } from './artifactReader.js'
import type { ArtifactReader, ArtifactSpec } from './artifactReader.js'
import type { FindBase } from './base.js'
import { parsedBaseline } from './baselineResults.js'
import type { RemoteCommit } from './contents.js'
import { modelAt, namedFile, orBroken } from './fileBaseline.js'
import { resolveCommit } from './history.js'
import { checkRemote, fetchedModel, neverFetched } from './remoteSources.js'
import type { OpenRemote } from './remoteSources.js'
import { insideOf, modelWithoutClone } from './withoutClone.js'
import type { LocateInGit, TrackedFile } from './workspace.js'

/** What the candidate is compared with, or why there is nothing. */
export type Baseline =
  | { readonly kind: 'model'; readonly model: ModelBytes; readonly origin: BaselineOrigin }
  | { readonly kind: 'results'; readonly results: Results; readonly origin: BaselineOrigin }
  | { readonly kind: Absence['state']; readonly reason: string; readonly warning?: string }

/** Which way led to it, for the report. */
export interface BaselineOrigin {
  readonly commit?: string
  readonly how: string
}

export interface BaselineRequest {
  /** `auto`, `none`, `ref:BRANCH|TAG|SHA`, `path:FILE`, `results:FILE`, `artifact:NAME[/path]`. */
  readonly spec: string
  /** Absolute path of the candidate. */
  readonly model: string
  /** Where relative paths of `path:` and `results:` start. */
  readonly workspace: string
  /** A pull request could have changed a committed baseline: then the base commit's counts. */
  readonly guarded: boolean
  /** The candidate is an artifact of this run, and no file of the workspace. */
  readonly artifact?: ArtifactSpec
  /** The candidate comes from a server, and git does not know it. */
  readonly fetched?: boolean
  readonly openRemote?: OpenRemote
  /** Of what the gate itself uploads. */
  readonly ownArtifact?: string
  /** For a workspace that is no clone. */
  readonly remote?: RemoteCommit
}

/**
 * Finds the baseline a workflow asks for. Reads files and git; parses no model.
 *
 * @throws UsageError for a request that makes no sense. A baseline that is there but cannot be read is `broken`.
 */
export async function findBaseline(
  request: BaselineRequest,
  findBase: FindBase,
  locate: LocateInGit,
  artifacts?: ArtifactReader,
): Promise<Baseline> {
  const { spec, artifact, fetched, openRemote } = request
  if (spec === 'none') return { kind: 'none', reason: 'The workflow asks for no baseline.' }
  if (spec === 'auto' && artifact !== undefined) return fromArtifact(artifact, artifacts)
  if (spec === 'auto' && fetched) {
    // Git is asked for nothing else here, and there may be no clone.
    const base = await findBase((await locate(request.model))?.git).catch(() => undefined)
    if (base !== undefined && 'absent' in base) return { kind: base.absent, reason: base.reason }
    return orOfBase(neverFetched, request.ownArtifact, artifacts)
  }
  if (spec === 'auto') {
    const file = await locate(request.model)
    const { remote } = request
    const path = insideOf(request.workspace, request.model)
    if (file === undefined && remote !== undefined && path !== undefined) {
      const base = await remote.base()
      if ('absent' in base) return { kind: base.absent, reason: base.reason }
      const there = await orBroken(() => modelWithoutClone(path, base.commit, remote.filesOf(base.commit)))
      return orOfBase(there, request.ownArtifact, artifacts)
    }
    const base = await findBase(file?.git)
    if ('absent' in base) return { kind: base.absent, reason: base.reason }
    const there = await modelAt(
      await tracked(request, locate),
      base.commit,
      'baseline auto, where the change starts from',
    )
    return orOfBase(there, request.ownArtifact, artifacts)
  }
  const [kind, argument] = split(spec)
  switch (kind) {
    case 'ref': {
      const file = await tracked(request, locate)
      return modelAt(file, await resolveCommit(file.git, argument), `baseline ${spec}`)
    }
    case 'artifact':
      return fromArtifact(parseArtifactSpec(argument), artifacts)
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

/** What was fetched but cannot be used is told, and left to the policy. */
async function fromServer(spec: string, openRemote: OpenRemote | undefined): Promise<Baseline> {
  checkRemote(spec, 'baseline')
  if (openRemote === undefined) throw new Error('nothing can be fetched here')
  try {
    const found = await openRemote(spec, 'baseline')
    const origin = { how: `fetched: ${found.how}` }
    if (!found.name.endsWith('.json')) return { kind: 'model', model: await fetchedModel(found), origin }
    return parsedBaseline(new TextDecoder().decode(await readNamed(found.path, found.files)), found.name, origin)
  } catch (error) {
    return { kind: 'broken', reason: `The baseline cannot be used: ${messageOf(error)}.` }
  }
}

/** The file of a committed baseline, where a request names one. */
export function baselineFile({ spec, workspace }: Pick<BaselineRequest, 'spec' | 'workspace'>): string | undefined {
  const [kind, argument] = split(spec)
  return kind === 'path' || kind === 'results' ? resolve(workspace, argument) : undefined
}

function split(spec: string): readonly [kind: string, argument: string] {
  const colon = spec.indexOf(':')
  const argument = spec.slice(colon + 1).trim()
  return colon > 0 && argument !== '' ? [spec.slice(0, colon).trim(), argument] : ['', '']
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
