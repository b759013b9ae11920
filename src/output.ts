import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
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
  ENAMETOOLONG: 'the name is too long',
}

/** Makes a folder and those it lies in. */
export async function makeFolder(path: string): Promise<void> {
  await told(path, () => mkdir(path, { recursive: true }))
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
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (mendable[code] === undefined) throw error
    throw new UsageError(`${path}: cannot be written, ${mendable[code]}; give another place for the results`)
  }
}
