import { posix } from 'node:path'
import { isLfsPointer } from '../data/files.js'
import type { Files } from '../data/files.js'
import { UsageError } from '../errors.js'
import type { Client } from './client.js'
import type { Event } from './context.js'
import type { OpenPointer } from './lfs.js'
import { short } from './tree.js'

/** Files of a commit for a job that has no clone. */
export interface RemoteCommit {
  /** Undefined where the event has no commit to start from. */
  readonly base?: string
  readonly filesOf: (commit: string) => Files
}

/** GitHub gives out files of 100 MB at most. */
const downloadWithin = 300_000

/** What GitHub's interface knows of the commit a change starts from: of a pull request, the tip of its base branch. */
export function remoteCommit(client: Client, event: Event, openPointer: OpenPointer): RemoteCommit {
  const base = baseOf(event)
  return { ...(base !== undefined && { base }), filesOf: (commit) => filesAt(client, commit, openPointer) }
}

function baseOf(event: Event): string | undefined {
  if (event.kind === 'push') return event.before
  return event.kind === 'pull_request' || event.kind === 'merge_group' ? event.baseSha : undefined
}

interface Entry {
  readonly name: string
  readonly type: string
  readonly size: number
}

/** Symbolic links and submodules are refused: GitHub gives no content of theirs here. */
function filesAt({ octokit, repository }: Client, commit: string, openPointer: OpenPointer): Files {
  const lists = new Map<string, Promise<readonly Entry[]>>()
  const list = (folder: string): Promise<readonly Entry[]> => {
    const found = lists.get(folder) ?? fetchList(folder)
    lists.set(folder, found)
    return found
  }
  const fetchList = async (folder: string): Promise<readonly Entry[]> => {
    const { data } = await octokit.rest.repos.getContent({ ...repository, path: folder, ref: commit })
    return Array.isArray(data) ? data.map(({ name, type, size }) => ({ name, type, size })) : []
  }
  /** From the root down, so that a token that may not read is told from a file that is not there. */
  const entryOf = async (path: string): Promise<Entry> => {
    let entry: Entry = { name: '', type: 'dir', size: 0 }
    let folder = ''
    for (const name of path.split('/').filter(Boolean)) {
      const next = entry.type === 'dir' ? (await list(folder)).find((each) => each.name === name) : undefined
      if (next === undefined) throw Object.assign(new Error(`no ${path} at ${commit}`), { code: 'ENOENT' })
      if (next.type !== 'dir' && next.type !== 'file')
        throw new UsageError(`${path} at ${short(commit)}: ${name} is a ${next.type} there; name the file itself`)
      folder = posix.join(folder, name)
      entry = next
    }
    return entry
  }
  return {
    realpath: (path) => Promise.resolve(posix.resolve('/', path)),
    async stat(path) {
      const { type, size } = await entryOf(path)
      return { isFile: () => type === 'file', isDirectory: () => type === 'dir', size }
    },
    readdir: async (path) => (await list(posix.normalize(path).replace(/^\.?\/?/, ''))).map(({ name }) => name),
    async readFile(path) {
      const { data } = await octokit.request('GET /repos/{owner}/{repo}/contents/{path}', {
        ...{ ...repository, path: path.replace(/^\//, ''), ref: commit, mediaType: { format: 'raw' } },
        // octokit takes for text what GitHub calls utf-8, whatever it is.
        request: { parseSuccessResponseBody: false, signal: AbortSignal.timeout(downloadWithin) },
      })
      const bytes = new Uint8Array(await new Response(data as unknown as ReadableStream).arrayBuffer())
      return isLfsPointer(bytes) ? openPointer(bytes, `${path} at ${short(commit)}`) : bytes
    },
  }
}
