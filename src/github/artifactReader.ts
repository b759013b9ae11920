import { posix } from 'node:path'
import type { Files } from '../data/files.js'
import { UsageError } from '../errors.js'
import { messageOf, oneLine } from '../text.js'
import { artifactsOfRun, downloadArtifact } from './artifacts.js'
import type { Artifact, Fetch } from './artifacts.js'
import type { Client } from './client.js'
import type { Event } from './context.js'
import { filesInZip } from './zip.js'

/** One that can be downloaded, or could once. */
export interface FoundArtifact extends Artifact {
  readonly run: number
  /** That the run was for, where it is known. */
  readonly commit?: string
}

/** Artifacts as sources of models and results. */
export interface ArtifactReader {
  /** Of the run that asks: what its earlier jobs have uploaded. */
  readonly ofThisRun: (name: string) => Promise<FoundArtifact | undefined>
  /** The newest of a successful run on the branch that a change goes into. */
  readonly ofBase: (name: string) => Promise<FoundArtifact | undefined>
  /** Undefined where the event has none. */
  readonly baseBranch?: string
  readonly open: (artifact: FoundArtifact) => Promise<Files>
}

/** A model and what lies beside it; more is hardly meant. */
const largestZip = 2 ** 30
/** Runs that are looked at before it counts as missing. */
const mostRuns = 20

export function artifactReader(client: Client, fetch: Fetch, event: Event, runId: number): ArtifactReader {
  const baseBranch = baseBranchOf(event)
  return {
    ...(baseBranch !== undefined && { baseBranch }),
    async ofThisRun(name) {
      const found = (await artifactsOfRun(client, runId).catch(withAdvice(name))).find((each) => each.name === name)
      return found && { ...found, run: runId }
    },
    ofBase: async (name) =>
      baseBranch === undefined ? undefined : newestOnBranch(client, name, baseBranch, runId).catch(withAdvice(name)),
    async open(artifact) {
      const shown = `artifact ${oneLine(artifact.name, 100)}`
      return filesInZip(
        await downloadArtifact(client, fetch, artifact, largestZip).catch(withAdvice(artifact.name)),
        shown,
      )
    },
  }
}

/** The branch that a change goes into. */
function baseBranchOf(event: Event): string | undefined {
  switch (event.kind) {
    case 'pull_request':
      return event.baseRef
    case 'push':
      return event.ref.replace(/^refs\/heads\//, '')
    case 'merge_group':
      return /^refs\/heads\/gh-readonly-queue\/(.+)\/pr-\d+-[0-9a-f]+$/.exec(event.headRef)?.[1]
    default:
      return undefined
  }
}

/** Only what runs of the branch itself have uploaded: a fork's branch may have the same name, and so may a pull request's. */
async function newestOnBranch(
  { octokit, repository }: Client,
  name: string,
  branch: string,
  except: number,
): Promise<FoundArtifact | undefined> {
  const { data } = await octokit.rest.actions.listArtifactsForRepo({ ...repository, name, per_page: 100 })
  const runs = new Set<number>()
  for (const artifact of data.artifacts.toSorted((one, other) => other.id - one.id)) {
    const {
      id: run,
      head_branch: of,
      head_repository_id: head,
      repository_id: own,
      head_sha: commit,
    } = artifact.workflow_run ?? {}
    if (artifact.name !== name || run === undefined || run === except) continue
    if (of !== branch || head !== own || runs.has(run)) continue
    if (runs.size === mostRuns) return undefined
    runs.add(run)
    const { data: found } = await octokit.rest.actions.getWorkflowRun({ ...repository, run_id: run })
    if (found.conclusion !== 'success' || found.event.startsWith('pull_request')) continue
    const { id, size_in_bytes: bytes, expired } = artifact
    return { id, name, bytes, expired, run, ...(commit !== undefined && { commit }) }
  }
  return undefined
}

/** A token that lacks the permission is told of in words that do not name it. */
function withAdvice(name: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof UsageError) throw error
    const text = `artifact ${oneLine(name, 100)} could not be fetched (${oneLine(messageOf(error), 200)}); the job needs actions: read, or to be run again`
    throw Object.assign(new Error(text, { cause: error }), { denied: isDenied(error) })
  }
}

/** Whether the token may not look: that there is nothing to be seen then says nothing. */
export function isDenied(error: unknown): boolean {
  const { status, denied } = error as { readonly status?: unknown; readonly denied?: unknown }
  return denied === true || status === 403 || status === 404
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
