import { mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { codeOf } from './data/reason.js'
import { UsageError } from './errors.js'
import { writeFileAtomically } from './files.js'

/** What the user can mend, by making room or naming another place. */
const mendable: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EEXIST: 'a file is in the way',
  ENOTDIR: 'a file is in the way',
  EISDIR: 'a folder is in the way',
  EBUSY: 'another program has it open',
  ENOENT: 'no folder can be made there',
  ENAMETOOLONG: 'the name is too long',
}

/** Makes a folder and those it lies in. */
export async function makeFolder(path: string): Promise<void> {
  await told(path, () => make(resolve(path)))
}

/** `mkdir` with `recursive` never returns where a file system, such as /proc, lets nobody make a folder (Node 20 to 24). */
async function make(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    if (await isFolder(path)) return
    if (codeOf(error) !== 'ENOENT' || (await isFolder(dirname(path)))) throw error
    await make(dirname(path))
    await make(path)
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true
}

/** Writes a file whole or not at all, and the folder it lies in where that is missing. */
export async function writeOutput(path: string, content: string | Uint8Array): Promise<void> {
  await makeFolder(dirname(path))
  await told(path, () => writeFileAtomically(path, content))
}

async function told(path: string, run: () => Promise<unknown>): Promise<void> {
  try {
    await run()
  } catch (error) {
    const code = codeOf(error) ?? ''
    if (mendable[code] === undefined) throw error
    throw new UsageError(`${path}: cannot be written, ${mendable[code]}; give another place for the results`)
  }
}
