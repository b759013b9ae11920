import * as fs from 'node:fs/promises'
import { basename, dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import { UsageError } from '../errors.js'
import { codeOf } from './reason.js'

/** What reading data needs of a file system. Paths are this system's, with its separators, of files that lie in no folder, too. */
export interface Files {
  /** The path with every symbolic link resolved. */
  realpath(path: string): Promise<string>
  stat(path: string): Promise<{ isFile(): boolean; isDirectory(): boolean; readonly size: number }>
  readdir(path: string): Promise<string[]>
  readFile(path: string): Promise<Uint8Array>
}

export const nodeFiles: Files = {
  realpath: (path) => fs.realpath(path),
  stat: (path) => fs.stat(path),
  readdir: (path) => fs.readdir(path),
  readFile: (path) => fs.readFile(path),
}

/** More than this is not read into memory: Node's own limit for one file. */
export const MAXIMUM_BYTES = 2 ** 31 - 1

/** What Git LFS leaves in a repository in the place of a file. */
export function isLfsPointer(bytes: Uint8Array): boolean {
  return startsWith(bytes, 'version https://git-lfs.github.com/spec/v1')
}

/**
 * The bytes of `path`, a regular file that lies, links resolved, inside `folder`. The pull request chooses what its
 * links point at, so a link that leads elsewhere could carry any file of the runner into a report.
 * @throws UsageError for a link that leaves the folder, a Git LFS pointer, a file over 2 GiB, anything that cannot be read.
 */
export async function readInside(folder: string, path: string, files: Files): Promise<Uint8Array> {
  await refuseEscape(folder, path, files)
  const info = await attempt(path, () => files.stat(path))
  if (!info.isFile()) throw new UsageError(`${path}: is not a regular file; give a file that holds data`)
  if (info.size > MAXIMUM_BYTES)
    throw new UsageError(`${path}: has ${info.size} bytes, more than the 2 GiB that are read; give fewer images`)
  const bytes = await attempt(path, () => files.readFile(path))
  if (isLfsPointer(bytes))
    throw new UsageError(
      `${path}: is a Git LFS pointer, not the file itself; run \`git lfs pull\`, or set \`lfs: true\` on actions/checkout`,
    )
  return bytes
}

/** As `readInside`, for a file that was named itself: its folder is the one it lies in. */
export async function readNamed(path: string, files: Files): Promise<Uint8Array> {
  return readInside(dirname(path), path, files)
}

/** @throws UsageError when `path`, links resolved, lies outside `folder`. */
export async function refuseEscape(folder: string, path: string, files: Files): Promise<void> {
  const root = await attempt(folder, () => files.realpath(folder))
  const target = await attempt(path, () => files.realpath(path))
  const rest = relative(root, target)
  if (isAbsolute(rest) || rest.split(sep)[0] === '..')
    throw new UsageError(
      `${path}: is a symbolic link that leaves ${folder}; put the file there itself, or name the link's target`,
    )
}

/** Runs a file system call, and says of its failure what, where and what to do. */
export async function attempt<T>(path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new UsageError(`${path}: no such file or folder; check the path, it is relative to the working directory`)
    if (code === 'EACCES' || code === 'EPERM')
      throw new UsageError(`${path}: may not be read; give this user permission to read it`)
    if (code === 'ELOOP') throw new UsageError(`${path}: is a symbolic link to itself; put the file there instead`)
    throw error
  }
}

/** One class name a line. Empty lines at the end do not count; one in between would shift the labels and is refused. */
export async function readClassNames(path: string, files: Files): Promise<readonly string[]> {
  const text = new TextDecoder().decode(await readNamed(path, files))
  const names = text
    .trimEnd()
    .split('\n')
    .map((line) => line.trim())
  const empty = names.indexOf('')
  if (empty >= 0)
    throw new UsageError(`${path}: line ${empty + 1} is empty; write one class name a line, in the order of the labels`)
  const repeated = names.find((name, place) => names.indexOf(name) !== place)
  if (repeated !== undefined)
    throw new UsageError(`${path}: names the class "${repeated}" twice; write each class name once`)
  return names
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return bytes.length >= text.length && [...text].every((letter, place) => bytes[place] === letter.charCodeAt(0))
}

/** A path as git, zip archives, GitHub and reports write it; Windows has backslashes. */
export function withSlashes(path: string): string {
  return path.split(sep).join('/')
}

/** `images` of `./data/images/`, and the working folder's own name of `.`. */
export function lastPart(path: string): string {
  return basename(resolve(path))
}
