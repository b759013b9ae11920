import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { isLfsPointer, withSlashes } from '../data/files.js'
import type { Files } from '../data/files.js'
import { UsageError } from '../errors.js'
import type { Pause } from '../remote/pause.js'
import { tried } from '../remote/tried.js'
import { asUnreached, Unreached } from '../remote/unreached.js'
import { baseOfPush, findBase } from './base.js'
import type { Base } from './base.js'
import type { Client } from './client.js'
import type { Event } from './context.js'
import type { OpenPointer } from './lfs.js'
import { short } from './tree.js'

/** Files of a commit for a job that has no clone. */
export interface RemoteCommit {
  /** The commit that a change starts from; asked for once. @throws when GitHub does not tell */
  readonly base: () => Promise<Base>
  /** The commit that is judged. */
  readonly head: string
  readonly filesOf: (commit: string) => Files
  /** Git's id of what a commit has at a path, a folder's too, or of what stands in the way; undefined where nothing is. */
  readonly objectAt: (commit: string, path: string) => Promise<string | undefined>
}

/** GitHub gives out files of 100 MB at most. */
const downloadWithin = 300_000
/** GitHub lists no more of a folder, and does not say that there is more. */
const mostListed = 1000

/** What GitHub's interface knows of the commits of an event. */
export function remoteCommit(client: Client, event: Event, openPointer: OpenPointer, pause: Pause): RemoteCommit {
  let base: Promise<Base> | undefined
  const trees = new Map<string, Tree>()
  const treeOf = (commit: string): Tree => {
    const tree = trees.get(commit) ?? treeAt(client, commit)
    trees.set(commit, tree)
    return tree
  }
  return {
    base: () => (base ??= baseOf(client, event)),
    head: event.headSha,
    filesOf: (commit) => filesAt(client, commit, treeOf(commit), openPointer, pause),
    objectAt: async (commit, path) => (await treeOf(commit).reach(path))?.entry.sha,
  }
}

/** As `findBase`, but where a pull request left its base branch: nobody knows what the branch has taken in since. */
async function baseOf(client: Client, event: Event): Promise<Base> {
  switch (event.kind) {
    case 'pull_request':
      return { commit: await mergeBaseOf(client, event.baseSha, event.headSha) }
    case 'push':
      return baseOfPush(event, () => ({
        reach: (commit) => Promise.resolve(commit),
        mergeBase: (head, branch) => mergeBaseOf(client, branch, head),
      }))
    case 'merge_group':
      return { commit: event.baseSha }
    default:
      return findBase(undefined, event)
  }
}

async function mergeBaseOf({ octokit, repository }: Client, base: string, head: string): Promise<string> {
  const compared = { ...repository, basehead: `${base}...${head}`, per_page: 1 }
  const { data } = await octokit.rest.repos
    .compareCommitsWithBasehead(compared)
    .catch(
      asUnreached(
        (why) =>
          `the commit that ${short(head)} starts from could not be asked for (${why}); the job needs contents: read, or a clone`,
      ),
    )
  return data.merge_base_commit.sha
}

interface Entry {
  readonly name: string
  readonly type: string
  readonly size: number
  readonly sha: string
}

/** What stands at a path or, where no folder leads on, on the way to it. */
interface Reached {
  readonly entry: Entry
  readonly whole: boolean
}

interface Tree {
  readonly list: (folder: string) => Promise<readonly Entry[]>
  readonly reach: (path: string) => Promise<Reached | undefined>
}

function treeAt({ octokit, repository }: Client, commit: string): Tree {
  const lists = new Map<string, Promise<readonly Entry[]>>()
  const list = (folder: string): Promise<readonly Entry[]> => {
    const found = lists.get(folder) ?? fetchList(folder)
    lists.set(folder, found)
    return found
  }
  const fetchList = async (folder: string): Promise<readonly Entry[]> => {
    const { data } = await octokit.rest.repos
      .getContent({ ...repository, path: folder, ref: commit })
      .catch(asUnreached((why) => `GitHub does not tell what ${short(commit)} holds (${why})`))
    return Array.isArray(data) ? data.map(({ name, type, size, sha }) => ({ name, type, size, sha })) : []
  }
  return {
    list,
    /** From the root down, so that a token that may not read is told from a file that is not there. */
    async reach(path) {
      const names = path.split('/').filter(Boolean)
      let entry: Entry = { name: '', type: 'dir', size: 0, sha: commit }
      for (const [depth, name] of names.entries()) {
        if (entry.type !== 'dir') return { entry, whole: false }
        const listed = await list(names.slice(0, depth).join('/'))
        const next = listed.find((each) => each.name === name)
        if (next === undefined && listed.length >= mostListed) throw tooMany(path, commit)
        if (next === undefined) return undefined
        entry = next
      }
      return { entry, whole: true }
    },
  }
}

function tooMany(path: string, commit: string): UsageError {
  return new UsageError(
    `${path} at ${short(commit)}: cannot be looked for without a clone, since GitHub lists no more than ${mostListed} files of a folder; check out with git`,
  )
}

/** Symbolic links and submodules are refused: GitHub gives no content of theirs here. */
function filesAt(client: Client, commit: string, { list, reach }: Tree, openPointer: OpenPointer, pause: Pause): Files {
  const entryOf = async (path: string): Promise<Entry> => {
    const found = await reach(withSlashes(path))
    if (found === undefined) throw Object.assign(new Error(`no ${path} at ${commit}`), { code: 'ENOENT' })
    const { name, type } = found.entry
    // A submodule is listed as a file.
    const isPlain = type === 'dir' || type === 'file'
    if (isPlain && found.whole) return found.entry
    throw new UsageError(
      `${path} at ${short(commit)}: ${name} is a ${isPlain ? 'file or submodule' : type} there; name the file itself`,
    )
  }
  return {
    realpath: (path) => Promise.resolve(posix.resolve('/', withSlashes(path))),
    async stat(path) {
      const { type, size } = await entryOf(path)
      return { isFile: () => type === 'file', isDirectory: () => type === 'dir', size }
    },
    async readdir(path) {
      const entries = await list(posix.normalize(withSlashes(path)).replace(/^\.?\/?/, ''))
      if (entries.length >= mostListed) throw tooMany(path, commit)
      return entries.map(({ name }) => name)
    },
    async readFile(path) {
      const { sha } = await entryOf(path)
      const signal = AbortSignal.timeout(downloadWithin)
      const where = `${path} at ${short(commit)}`
      const bytes = await tried(() => rawFile(client, path, commit, sha, signal), { pause, signal }).catch(
        asUnreached((why) => `${where}: could not be read (${why}); the job needs contents: read, or a clone`),
      )
      return isLfsPointer(bytes) ? openPointer(bytes, where) : bytes
    },
  }
}

/** @param sha - Git's id of it, by which half a file is told from a whole one. */
async function rawFile(
  { octokit, repository }: Client,
  path: string,
  commit: string,
  sha: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { data } = await octokit.request('GET /repos/{owner}/{repo}/contents/{path}', {
    ...{ ...repository, path: withSlashes(path).replace(/^\//, ''), ref: commit, mediaType: { format: 'raw' } },
    // octokit takes for text what GitHub calls utf-8, whatever it is.
    request: { parseSuccessResponseBody: false, signal },
  })
  const bytes = new Uint8Array(await new Response(data as unknown as ReadableStream).arrayBuffer())
  const found = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
  if (found !== sha) throw new Unreached('what came is not the whole file')
  return bytes
}
