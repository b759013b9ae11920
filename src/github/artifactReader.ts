import { posix } from 'node:path'
import type { Files } from '../data/files.js'
import { UsageError } from '../errors.js'
import { oneLine } from '../text.js'
import { artifactsOfRun, downloadArtifact, unreadable } from './artifacts.js'
import type { StorageEffects } from './artifacts.js'
import { searchBranch } from './branchArtifacts.js'
import type { FoundArtifact, Search } from './branchArtifacts.js'
import type { Client } from './client.js'
import type { Event } from './context.js'
import { readQueueBranch } from './queueBranch.js'
import { filesInZip } from './zip.js'

/** Artifacts as sources of models and results. */
export interface ArtifactReader {
  /** Of the run that asks: what its earlier jobs have uploaded. */
  readonly ofThisRun: (name: string) => Promise<FoundArtifact | undefined>
  /**
   * The newest of a successful run on the branch that a change goes into. See `searchBranch`.
   *
   * @param use - Undefined of what cannot be used: then the one before it is asked for.
   */
  readonly ofBase: <T>(name: string, use: (artifact: FoundArtifact) => Promise<T | undefined>) => Promise<Search<T>>
  /** Undefined where the event has none. */
  readonly baseBranch?: string
  readonly open: (artifact: FoundArtifact) => Promise<Files>
}

/** A model and what lies beside it; more is hardly meant. */
const largestZip = 2 ** 30

export function artifactReader(client: Client, storage: StorageEffects, event: Event, runId: number): ArtifactReader {
  const baseBranch = baseBranchOf(event)
  return {
    ...(baseBranch !== undefined && { baseBranch }),
    async ofThisRun(name) {
      const all = await artifactsOfRun(client, runId).catch(unreadable(shown(name)))
      const found = all.find((each) => each.name === name)
      return found && { ...found, run: runId }
    },
    ofBase: async (name, use) =>
      baseBranch === undefined
        ? { none: true }
        : searchBranch(client, { name, branch: baseBranch, except: runId }, use),
    async open(artifact) {
      const name = shown(artifact.name)
      return filesInZip(await downloadArtifact(client, storage, artifact, largestZip).catch(unreadable(name)), name)
    },
  }
}

function shown(name: string): string {
  return `artifact ${oneLine(name, 100)}`
}

/** The branch that a change goes into. */
function baseBranchOf(event: Event): string | undefined {
  switch (event.kind) {
    case 'pull_request':
      return event.baseRef
    case 'push':
      return event.ref.replace(/^refs\/heads\//, '')
    case 'merge_group':
      return readQueueBranch(event.headRef)?.branch
    default:
      return undefined
  }
}

/** `NAME/path/in/it`; without a path the artifact's results.json, or the one model it holds. */
export interface ArtifactSpec {
  readonly name: string
  readonly path?: string
}

/** @param written - What stands after `artifact:`. @throws UsageError */
export function parseArtifactSpec(written: string): ArtifactSpec {
  const [name, ...rest] = written.split('/')
  const path = rest.join('/')
  if (name !== '' && (path === '' || (path === posix.normalize(path) && !/^(\.\.|\/)/.test(path)))) {
    return path === '' ? { name } : { name, path }
  }
  throw new UsageError(`artifact:${oneLine(written, 100)}: write artifact:NAME or artifact:NAME/path/to/model.onnx`)
}

/** The file an artifact was named for. @throws UsageError where it is not there, or could be several. */
export async function fileIn(files: Files, { name, path }: ArtifactSpec): Promise<string> {
  if (path !== undefined) return `/${path}`
  const names = await files.readdir('/')
  if (names.includes('results.json')) return '/results.json'
  const [model, ...more] = names.filter((each) => each.endsWith('.onnx'))
  if (model !== undefined && more.length === 0) return `/${model}`
  throw new UsageError(
    `artifact ${oneLine(name, 100)}: holds ${model === undefined ? 'no' : 'more than one'} model at its top; write artifact:NAME/path`,
  )
}

/** Of a gate that found its model unchanged: a report, and no results. What it was held against is in an older one. */
export async function hasNoResults(files: Files, { path }: ArtifactSpec): Promise<boolean> {
  if (path !== undefined && posix.basename(path) !== 'results.json') return false
  const beside = await files.readdir(posix.dirname(`/${path ?? 'results.json'}`))
  const usable = (name: string) => name === 'results.json' || (path === undefined && name.endsWith('.onnx'))
  return beside.includes('comparison.json') && !beside.some(usable)
}
