import { randomBytes } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { codeOf } from './data/reason.js'

/** What replaces one file by another, and waits. */
export interface ReplaceEffects {
  readonly platform: string
  readonly replace: (from: string, to: string) => Promise<void>
  readonly pause: (milliseconds: number) => Promise<unknown>
}

const thisMachine: ReplaceEffects = {
  platform: process.platform,
  replace: rename,
  pause: (milliseconds) => setTimeout(milliseconds),
}

/** Writes a file so that a reader sees the old one or the whole new one, never a part: a job can be cancelled at any time. */
export async function writeFileAtomically(
  path: string,
  content: string | Uint8Array,
  effects: ReplaceEffects = thisMachine,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    await writeFile(temporary, content, { flag: 'wx' })
    await replace(temporary, path, effects)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Milliseconds between two attempts. */
const pauses = [10, 50, 100, 250, 500, 1000]

/** Windows renames no file that somebody has open, and scanners and indexers open what is new for a moment. */
async function replace(from: string, to: string, effects: ReplaceEffects): Promise<void> {
  for (const pause of effects.platform === 'win32' ? pauses : [])
    try {
      return await effects.replace(from, to)
    } catch (error) {
      if (!['EPERM', 'EACCES', 'EBUSY'].includes(codeOf(error) ?? '')) throw error
      await effects.pause(pause)
    }
  return effects.replace(from, to)
}
