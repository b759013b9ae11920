import { page } from './loopback.js'
import type { Extension, Reply } from './loopback.js'
import { exampleOf } from './payloads.js'

/** An artifact of some run, as a repository lists them. */
export interface RepositoryArtifact {
  readonly run: number
  readonly name: string
  readonly zip: Uint8Array
  readonly branch?: string
  readonly commit?: string
  readonly event?: string
  readonly conclusion?: string
  readonly expired?: boolean
  /** Of a fork's branch. */
  readonly fork?: boolean
}

const someTime = '2026-01-01T00:00:00Z'
const someCommit = '0'.repeat(40)

/** The artifacts of a repository's runs, the last one the newest, which GitHub lists first. The storage refuses tokens. */
export function repositoryArtifacts(artifacts: readonly RepositoryArtifact[]): Extension {
  return {
    file(path, headers) {
      const place = /^\/stored\/(\d+)$/.exec(path)?.[1]
      if (place === undefined) return undefined
      return headers.authorization === undefined ? artifacts[Number(place)].zip : 'the storage was given a token'
    },
    perform({ operation, query }, base) {
      const all = artifacts.map((artifact, id) => shown(artifact, id, base))
      const place = (within: string) => `${base}/repos/Codertocat/Hello-World/actions/${within}`
      const run = Number(operation.path.run_id)
      switch (operation.id) {
        case 'actions/list-artifacts-for-repo':
          return artifactsPage(
            all.filter(({ name }) => query.get('name') === null || name === query.get('name')),
            query,
            place('artifacts'),
          )
        case 'actions/list-workflow-run-artifacts':
          return artifactsPage(
            all.filter(({ workflow_run: { id } }) => id === run),
            query,
            place(`runs/${run}/artifacts`),
          )
        case 'actions/download-artifact':
          return { status: 302, body: undefined, headers: { location: `${base}/stored/${operation.path.artifact_id}` } }
        case 'actions/get-workflow-run': {
          const found = artifacts.find((artifact) => artifact.run === run)
          const { event = 'push', conclusion = 'success', branch = 'main', commit = someCommit } = found ?? {}
          const { workflow_run: example } = exampleOf('workflow_run')
          const own = { id: run, event, conclusion, status: 'completed', head_branch: branch, head_sha: commit }
          return { status: 200, body: { ...example, display_title: 'A run', path: 'gate.yml', ...own } }
        }
        default:
          return undefined
      }
    },
  }
}

/** @param all - The oldest first. */
export function artifactsPage(all: readonly object[], query: URLSearchParams, url: string): Reply {
  const { body: artifacts, ...reply } = page(all.toReversed(), query, url)
  return { ...reply, body: { total_count: all.length, artifacts } }
}

function shown({ run, name, zip, ...more }: RepositoryArtifact, id: number, base: string) {
  const { branch = 'main', commit = someCommit, expired = false, fork = false } = more
  const url = `${base}/repos/Codertocat/Hello-World/actions/artifacts/${id}`
  const of = { repository_id: 42, head_repository_id: fork ? 43 : 42, head_branch: branch, head_sha: commit }
  return {
    ...{ id, node_id: `A_${id}`, name, size_in_bytes: zip.length, url, archive_download_url: `${url}/zip`, expired },
    ...{ created_at: someTime, expires_at: someTime, updated_at: someTime, workflow_run: { id: run, ...of } },
  }
}
