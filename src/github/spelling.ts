import { join, relative, sep } from 'node:path'
import { nodeFiles } from '../data/files.js'
import type { Files } from '../data/files.js'
import { UsageError } from '../errors.js'
import { oneLine } from '../text.js'
import { insideOf } from './insideOf.js'

/**
 * Refuses a path of the workspace that has other capitals, or accents in another form, than what lies there. Windows and macOS
 * open it all the same, and git does not find it in the base commit: the limits would be the pull request's own, and any
 * model a first adoption.
 *
 * @param path - Absolute; nothing need be there.
 * @throws UsageError that says how it is written.
 */
export async function refuseOtherSpelling(
  path: string,
  workspace: string,
  { readdir }: Pick<Files, 'readdir'> = nodeFiles,
): Promise<void> {
  if (insideOf(workspace, path) === undefined) return
  const parts = relative(workspace, path).split(sep)
  for (const [depth, part] of parts.entries()) {
    const above = parts.slice(0, depth)
    const names = await readdir(join(workspace, ...above)).catch((): string[] => [])
    if (names.includes(part)) continue
    const written = names.find((name) => folded(name) === folded(part))
    if (written === undefined) return
    const [given, there] = [part, written].map((name) => oneLine([...above, name].join('/'), 200))
    throw new UsageError(`${given}: is called ${there} here; write it so, for git takes them for two`)
  }
}

function folded(name: string): string {
  return name.normalize('NFC').toLowerCase()
}
