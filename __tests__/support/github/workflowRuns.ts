import { artifactsPage } from './branchArtifacts.js'
import { page } from './loopback.js'
import type { Extension, Reply } from './loopback.js'
import { exampleOf } from './payloads.js'

export interface UploadedArtifact {
  readonly run: number
  readonly name: string
  readonly zip: Uint8Array
  readonly expired?: boolean
}

export interface HostedPull {
  readonly number: number
  /** `owner/name` of the repository its branch is in. */
  readonly from: string
  readonly branch: string
  readonly sha: string
  readonly baseSha: string
  readonly state?: 'open' | 'closed'
  readonly files?: readonly string[]
}

/** What other workflows' runs have uploaded, and the pull requests they were started by. */
export interface HostedRuns extends Extension {
  readonly artifacts: UploadedArtifact[]
  readonly pulls: HostedPull[]
}

const someTime = '2026-01-01T00:00:00Z'

/** Artifacts with GitHub's two steps of a download: the interface answers with an address of a storage, which refuses tokens. */
export function hostRuns(): HostedRuns {
  const artifacts: UploadedArtifact[] = []
  const pulls: HostedPull[] = []
  return {
    artifacts,
    pulls,
    file(path, headers) {
      const place = /^\/storage\/(\d+)$/.exec(path)?.[1]
      if (place === undefined) return undefined
      return headers.authorization === undefined ? artifacts[Number(place)].zip : 'the storage was given a token'
    },
    perform({ operation, query }, base) {
      switch (operation.id) {
        case 'actions/list-workflow-run-artifacts': {
          const all = artifacts.flatMap((artifact, id) =>
            artifact.run === Number(operation.path.run_id) ? [shown(artifact, id, base)] : [],
          )
          const within = `runs/${operation.path.run_id}/artifacts`
          return artifactsPage(all, query, `${base}/repos/Codertocat/Hello-World/actions/${within}`)
        }
        case 'actions/download-artifact': {
          const id = Number(operation.path.artifact_id)
          return { status: 302, body: undefined, headers: { location: `${base}/storage/${id}` } }
        }
        case 'pulls/list':
          return list(pulls, query, base)
        case 'pulls/list-files': {
          const pull = pulls.find(({ number }) => number === Number(operation.path.pull_number))
          const files = (pull?.files ?? ['models/classifier.onnx']).map((name) => file(name, base))
          return page(files, query, `${base}/repos/Codertocat/Hello-World/pulls/${operation.path.pull_number}/files`)
        }
        default:
          return undefined
      }
    },
  }
}

/** A head without its owner is overlooked by GitHub, and every pull request returned. */
function list(pulls: readonly HostedPull[], query: URLSearchParams, base: string): Reply {
  const head = query.get('head') ?? ''
  const states = query.get('state') === 'all' ? ['open', 'closed'] : [query.get('state') ?? 'open']
  const found = pulls.filter(
    ({ from, branch, state = 'open' }) =>
      states.includes(state) && (!head.includes(':') || head === `${from.split('/')[0]}:${branch}`),
  )
  return page(found.map(pullRequest), query, `${base}/repos/Codertocat/Hello-World/pulls`)
}

function pullRequest({ number, from, branch, sha, baseSha, state = 'open' }: HostedPull): object {
  const example = exampleOf('pull_request').pull_request
  const repo = { ...example.head.repo, full_name: from }
  return {
    ...example,
    ...{ number, state, auto_merge: null },
    head: { ...example.head, ref: branch, sha, repo },
    base: { ...example.base, ref: 'main', sha: baseSha },
  }
}

function shown({ run, name, zip, expired = false }: UploadedArtifact, id: number, base: string): object {
  const url = `${base}/repos/Codertocat/Hello-World/actions/artifacts/${id}`
  return {
    ...{ id, node_id: `A_${id}`, name, size_in_bytes: zip.length, url, archive_download_url: `${url}/zip`, expired },
    ...{ created_at: someTime, expires_at: someTime, updated_at: someTime, workflow_run: { id: run } },
  }
}

function file(name: string, base: string): object {
  const url = `${base}/file`
  return {
    ...{ sha: null, filename: name, status: 'modified', additions: 1, deletions: 0, changes: 1 },
    ...{ blob_url: url, raw_url: url, contents_url: url },
  }
}
