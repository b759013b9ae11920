import { posix, resolve } from 'node:path'
import { lastPart, nodeFiles } from '../data/files.js'
import type { Files } from '../data/files.js'
import { idxLabelNames } from '../data/locate.js'
import { codeOf } from '../data/reason.js'
import { UsageError } from '../errors.js'
import { oneLine } from '../text.js'
import { insideOf } from './insideOf.js'
import { short } from './tree.js'

/** What `dvc add` leaves in a repository beside the place of a file or folder. */
const pointer = '.dvc'
/** What `dvc repro` writes of the pipelines of a folder. */
const lock = 'dvc.lock'
const largestLock = 10_000_000

/**
 * Refuses files that DVC keeps and nobody has pulled: where they lie, and who may read them there, is in settings and secrets that
 * DVC knows.
 *
 * @param wanted - Absolute paths by setting; undefined of what lies in no workspace.
 * @throws UsageError that names the command.
 */
export async function refuseUnpulled(
  wanted: Readonly<Record<string, string | undefined>>,
  workspace: string,
): Promise<void> {
  for (const [setting, path] of Object.entries(wanted))
    if (path !== undefined && (path.endsWith(pointer) || !(await has(nodeFiles, path))))
      await refuseKept(setting, path, workspace)
  const { data, labels } = wanted
  if (data !== undefined && labels === undefined) await refuseUnpulledBeside(data, workspace)
}

/** The labels of IDX images, which nobody names. A folder that DVC keeps may have been pulled and hold none. */
async function refuseUnpulledBeside(images: string, workspace: string): Promise<void> {
  const paths = idxLabelNames(lastPart(images)).map((name) => resolve(images, '..', name))
  for (const path of paths) if (await has(nodeFiles, path)) return
  for (const path of paths) if (await has(nodeFiles, path + pointer)) await refuseKept('labels', path, workspace)
}

async function refuseKept(setting: string, path: string, workspace: string): Promise<void> {
  const isPointer = path.endsWith(pointer)
  const file = isPointer ? path.slice(0, -pointer.length) : path
  const inside = insideOf(workspace, file)
  const target = inside === undefined ? undefined : await targetOf(inside, nodeFiles, workspace)
  if (target === undefined && !isPointer) return
  const shown = oneLine(inside ?? file, 200)
  throw new UsageError(
    `${setting} ${shown}: is kept by DVC and not here; run \`dvc pull ${oneLine(target ?? path, 200)}\` before the gate${isPointer ? `, and give ${setting}: ${shown}` : ''}`,
  )
}

/**
 * Why a commit does not hold a model that DVC keeps; undefined where DVC does not keep it.
 *
 * @param path - From the root of the repository, with slashes.
 * @param files - Of the commit.
 */
export async function keptByDvc(path: string, commit: string, files: Files): Promise<string | undefined> {
  if ((await targetOf(path, files)) === undefined) return undefined
  return `${path} at ${short(commit)} is kept by DVC: fetch it in a step before the gate with \`dvc get . ${path} --rev ${commit} --out baseline.onnx\`, and give baseline: path:baseline.onnx.`
}

/**
 * What `dvc pull` takes to bring a file: the pointer to it or to a folder that it is in, and of what a pipeline makes its own path.
 *
 * @param path - From `root`, with slashes.
 */
async function targetOf(path: string, files: Files, root = ''): Promise<string | undefined> {
  const at = (name: string) => (root === '' ? name : resolve(root, name))
  const ways = waysTo(path)
  for (const way of ways) if (await has(files, at(`${way}${pointer}`))) return `${way}${pointer}`
  for (const folder of ways.map((way) => posix.dirname(way))) {
    const made = madeIn(await textOf(files, at(posix.join(folder, lock))))
    if (ways.some((way) => made.has(posix.relative(folder, way)))) return path
  }
  return undefined
}

/** A path and the folders it is in: `a/b/c`, `a/b`, `a`. */
function waysTo(path: string): readonly string[] {
  const parts = path.split('/')
  return parts.map((_, place) => parts.slice(0, parts.length - place).join('/'))
}

/** What a lock file names, from its folder. Dependencies are among it: one that git does not hold is an output of somebody else's. */
function madeIn(text: string): ReadonlySet<string> {
  return new Set(text.split('\n').flatMap(pathIn))
}

/**
 * Of one line, as DVC writes it. The text is a pull request's, and the process holds the token: what is trimmed, cut and matched
 * here takes time in proportion to the line, which a search for spaces within it, or a parser of all that YAML has, may not.
 */
function pathIn(line: string): readonly string[] {
  const value = /^(?:- )?path: (.+)$/s.exec(line.trim())?.[1].trim()
  return value === undefined ? [] : [posix.normalize(/^(['"])(.+)\1$/s.exec(value)?.[2] ?? value)]
}

async function textOf(files: Files, path: string): Promise<string> {
  const size = await sizeOf(files, path)
  return size === undefined || size > largestLock ? '' : new TextDecoder().decode(await files.readFile(path))
}

async function has(files: Files, path: string): Promise<boolean> {
  return (await sizeOf(files, path)) !== undefined
}

async function sizeOf(files: Files, path: string): Promise<number | undefined> {
  try {
    return (await files.stat(path)).size
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return undefined
    throw error
  }
}
