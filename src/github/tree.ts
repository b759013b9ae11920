import { createHash } from 'node:crypto'
import { UsageError } from '../errors.js'
import { gitText, lastLine } from './git.js'
import type { RunGit } from './git.js'

/** onnxruntime's and protobuf's own limit for a model in one piece. */
const largestFile = 2 ** 31

interface Entry {
  readonly mode: string
  readonly type: string
  readonly object: string
  readonly size: number
}

/**
 * A file as it was in a commit, or undefined where the commit has none of that name. Content kept by Git LFS is
 * fetched through git-lfs.
 *
 * @param path - Relative to the repository's root, with slashes.
 * @throws UsageError when the name stands for something else than a regular file, or git-lfs does not deliver it.
 */
export async function readCommitted(git: RunGit, commit: string, path: string): Promise<Uint8Array | undefined> {
  const entry = (await list(git, commit, path)).get(path)
  if (entry === undefined) return undefined
  const where = `${path} at ${commit.slice(0, 12)}`
  if (entry.type !== 'blob' || entry.mode === '120000')
    throw new UsageError(
      `${where} is ${entry.mode === '120000' ? 'a symbolic link' : 'a folder'}, not a file: name the file itself`,
    )
  if (entry.size > largestFile) throw new UsageError(`${where} has ${entry.size} bytes: more than the 2 GiB of a model`)
  const { code, stdout, stderr } = await git(['cat-file', 'blob', entry.object])
  if (code !== 0)
    throw new UsageError(`${where} could not be read (${lastLine(stderr)}): check out with fetch-depth: 0`)
  return resolveLfsPointer(git, stdout, path, where)
}

/** Whether a commit changes anything at or under a path, against another commit. */
export async function differs(git: RunGit, from: string, to: string, path: string): Promise<boolean> {
  const names = await gitText(git, [
    '--literal-pathspecs',
    ...['diff-tree', '-r', '--name-only', '-z', from, to, '--', path],
  ])
  return names !== ''
}

async function list(git: RunGit, commit: string, path: string): Promise<ReadonlyMap<string, Entry>> {
  const { code, stdout, stderr } = await git([
    '--literal-pathspecs',
    ...['ls-tree', '-z', '-l', '--full-tree', commit, '--', path],
  ])
  if (code !== 0) throw new Error(`git ls-tree ${commit} ended with ${code}: ${lastLine(stderr)}`)
  const lines = Buffer.from(stdout).toString('utf8').split('\0').filter(Boolean)
  return new Map(
    lines.map((line) => {
      const tab = line.indexOf('\t')
      const [mode = '', type = '', object = '', size = ''] = line.slice(0, tab).split(/ +/)
      return [line.slice(tab + 1), { mode, type, object, size: Number(size) || 0 }]
    }),
  )
}

const pointerStart = 'version https://git-lfs.github.com/spec/v1'

async function resolveLfsPointer(git: RunGit, content: Uint8Array, path: string, where: string): Promise<Uint8Array> {
  // A pointer is a few lines of text, under 1,024 bytes by the specification of Git LFS.
  const pointer = content.length < 1024 ? Buffer.from(content).toString('latin1') : ''
  if (!pointer.startsWith(pointerStart)) return content
  const expected = /^oid sha256:([0-9a-f]{64})$/m.exec(pointer)?.[1]
  const { code, stdout, stderr } = await git(['lfs', 'smudge', '--', path], content)
  if (code === 0 && expected === createHash('sha256').update(stdout).digest('hex')) return stdout
  const reason = code === 0 ? 'git-lfs gave other content than the pointer names' : lastLine(stderr)
  throw new UsageError(
    `${where} is a Git LFS pointer and its content could not be had (${reason}): install git-lfs on the runner, or give the baseline as path:…`,
  )
}
