import { readdir, stat } from 'node:fs/promises'
import { join, normalize, parse, sep } from 'node:path'
import { UsageError } from '../errors.js'

/**
 * The files that arguments name, in the order of the arguments; of a pattern with `*` or `?` those that match, by name. The
 * shells of Windows hand patterns on as they are written. (`glob` of node:fs is only in Node 22 and later.)
 *
 * @throws UsageError for a pattern that nothing matches.
 */
export async function filesNamed(written: readonly string[]): Promise<readonly string[]> {
  return (await Promise.all(written.map(matching))).flat()
}

async function matching(written: string): Promise<readonly string[]> {
  // A file may be called so.
  if (!/[*?]/.test(written) || (await exists(written))) return [written]
  const path = normalize(written)
  const { root } = parse(path)
  let found: readonly string[] = [root]
  for (const part of path.slice(root.length).split(sep))
    found = (await Promise.all(found.map((folder) => inside(folder, part)))).flat()
  if (found.length > 0) return found
  throw new UsageError(`${written}: no file matches; check the path, it is relative to the working directory`)
}

async function inside(folder: string, part: string): Promise<readonly string[]> {
  if (!/[*?]/.test(part)) {
    const path = join(folder, part)
    return (await exists(path)) ? [path] : []
  }
  const escaped = part.replace(/[.+^${}()|[\]\\]/g, '\\$&')
  const pattern = new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`)
  const names = await readdir(folder === '' ? '.' : folder).catch(() => [])
  // As in a shell, hidden files are meant only by a dot.
  const meant = names.filter((name) => pattern.test(name) && (part.startsWith('.') || !name.startsWith('.')))
  return meant.sort().map((name) => join(folder, name))
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
