import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import type { Files } from '../data/files.js'
import { isLfsPointer, withSlashes } from '../data/files.js'
import { UsageError } from '../errors.js'
import { Unreached } from '../remote/unreached.js'
import { gitText, lastLine } from './git.js'
import type { RunGit } from './git.js'

interface Entry {
  /** From the repository's root, with slashes. */
  readonly path: string
  readonly mode: string
  readonly type: string
  readonly object: string
  readonly size: number
}

/**
 * The files of a commit, read as if they lay in a folder: paths start at the repository's root. What Git LFS keeps is
 * fetched through git-lfs. Symbolic links are refused: the commit's author chose what they point at.
 */
export function filesOf(git: RunGit, commit: string): Files {
  const entryOf = async (path: string): Promise<Entry> => {
    const name = posix.normalize(withSlashes(path))
    const entry = name === '.' ? root : (await list(git, commit, name)).find((each) => each.path === name)
    if (entry === undefined) throw Object.assign(new Error(`no ${path} at ${commit}`), { code: 'ENOENT' })
    if (entry.mode === symbolicLink)
      throw new UsageError(`${path} at ${short(commit)}: is a symbolic link; name the file itself`)
    return entry
  }
  return {
    realpath: (path) => Promise.resolve(posix.resolve('/', withSlashes(path))),
    async stat(path) {
      const { type, size } = await entryOf(path)
      return { isFile: () => type === 'blob', isDirectory: () => type === 'tree', size }
    },
    async readdir(path) {
      const name = posix.normalize(withSlashes(path))
      return (await list(git, commit, name === '.' ? '' : `${name}/`)).map((entry) => posix.basename(entry.path))
    },
    async readFile(path) {
      const { object } = await entryOf(path)
      const { code, stdout, stderr } = await git(['cat-file', 'blob', object])
      const where = `${path} at ${short(commit)}`
      if (code !== 0)
        throw new UsageError(`${where}: git could not read it (${lastLine(stderr)}); check out with fetch-depth: 0`)
      return isLfsPointer(stdout) ? resolveLfsPointer(git, stdout, path, where) : stdout
    },
  }
}

/**
 * Whether a commit holds a path.
 *
 * @throws UsageError where a symbolic link or a submodule stands in the way: what it led to is not known, and "nothing"
 *   would pass for the first adoption of a model.
 */
export async function existsAt(git: RunGit, commit: string, path: string): Promise<boolean> {
  const entry = await reach(git, commit, path)
  if (entry === undefined || entry.path === path) return entry !== undefined
  const what = entry.mode === symbolicLink ? 'a symbolic link' : 'a git submodule'
  throw new UsageError(
    `${path} at ${short(commit)}: ${entry.path} is ${what} there, which is not followed; name the file itself, or give baseline: path:… or results:…`,
  )
}

/** Whether a commit holds a path, or a link or submodule on the way to it. */
export async function isReached(git: RunGit, commit: string, path: string): Promise<boolean> {
  return (await reach(git, commit, path)) !== undefined
}

/** Whether two commits differ at a path, anywhere under it, or in a link or submodule on the way to it. */
export async function differs(git: RunGit, from: string, to: string, path: string): Promise<boolean> {
  const ways = await Promise.all([from, to].map(async (commit) => (await reach(git, commit, path))?.path))
  const paths = new Set([path, ...ways.filter((way) => way !== undefined)])
  const command = ['--literal-pathspecs', 'diff-tree', '-r', '--name-only', '-z', from, to, '--', ...paths]
  return (await gitText(git, command)) !== ''
}

export function short(commit: string): string {
  return commit.slice(0, 10)
}

const symbolicLink = '120000'
const submodule = '160000'

/** What stands at a path; a symbolic link or a submodule on the way to it stands for all that it may lead to. */
async function reach(git: RunGit, commit: string, path: string): Promise<Entry | undefined> {
  const parts = path.split('/')
  let entry: Entry | undefined
  for (let depth = 1; depth <= parts.length; depth += 1) {
    const name = parts.slice(0, depth).join('/')
    entry = (await list(git, commit, name)).find((each) => each.path === name)
    if (entry === undefined || entry.mode === symbolicLink || entry.mode === submodule) break
  }
  return entry
}

const root: Entry = { path: '.', mode: '040000', type: 'tree', object: '', size: 0 }

/** The entry of that path; with a slash at its end, or the empty path, what the folder holds. */
async function list(git: RunGit, commit: string, path: string): Promise<readonly Entry[]> {
  const where = path === '' ? [] : ['--', path]
  const { code, stdout, stderr } = await git([
    '--literal-pathspecs',
    'ls-tree',
    '-z',
    '-l',
    '--full-tree',
    commit,
    ...where,
  ])
  if (code !== 0) throw new Error(`git ls-tree ${commit} ended with ${code}: ${lastLine(stderr)}`)
  const lines = Buffer.from(stdout).toString('utf8').split('\0').filter(Boolean)
  return lines.map((line) => {
    const tab = line.indexOf('\t')
    const [mode = '', type = '', object = '', size = ''] = line.slice(0, tab).split(/ +/)
    return { path: line.slice(tab + 1), mode, type, object, size: Number(size) || 0 }
  })
}

/** What git-lfs says, and its network library, where its server or the way to it failed; it has tried again itself. */
const ofLfsServer =
  /\bbatch (request|response):|\bLFS: |\bHTTP \d{3}\b|\bdial tcp\b|\btimed? ?out\b|\bconnection re(set|fused)\b|\bunexpected EOF\b/i
/** And where the server does not have it: whoever pushed the pointer has to push the file. */
const lostByLfs = /does not exist on the server/i

async function resolveLfsPointer(git: RunGit, pointer: Uint8Array, path: string, where: string): Promise<Uint8Array> {
  const expected = /^oid sha256:([0-9a-f]{64})$/m.exec(Buffer.from(pointer).toString('latin1'))?.[1]
  const { code, stdout, stderr } = await git(['lfs', 'smudge', '--', path], pointer)
  if (code === 0 && expected === createHash('sha256').update(stdout).digest('hex')) return stdout
  // What git-lfs says last is where its log lies; what git says last without it, which other command was meant perhaps.
  const told = stderr.split('\n').find((line) => /^(git:|(error|batch response|fatal|smudge error)\b)/i.test(line))
  const failure = told?.trim().slice(0, 300) ?? lastLine(stderr)
  if (code !== 0 && ofLfsServer.test(failure) && !lostByLfs.test(failure))
    throw new Unreached(
      `${where}: is a Git LFS pointer and its content could not be had (${failure}); run the job again, or see whether it may read Git LFS here`,
    )
  const reason = code === 0 ? 'git-lfs delivered other content than the pointer names' : failure
  throw new UsageError(
    `${where}: is a Git LFS pointer and its content could not be fetched (${reason}); install git-lfs on the runner, or give baseline: path:…`,
  )
}
