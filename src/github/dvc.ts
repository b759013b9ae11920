import { stat } from 'node:fs/promises'
import { UsageError } from '../errors.js'
import { oneLine } from '../text.js'
import { existsAt, short } from './tree.js'
import type { TrackedFile } from './workspace.js'

/** What `dvc add` leaves in a repository beside the place of a file or folder. */
const pointer = '.dvc'

/**
 * Refuses a file that DVC keeps and nobody has pulled: where it lies, and who may read it there, is in settings and secrets that DVC
 * knows.
 *
 * @param path - Absolute.
 * @param setting - `model` or `data`.
 * @throws UsageError that names the command.
 */
export async function refuseUnpulled(path: string, named: string, setting: string): Promise<void> {
  const isPointer = named.endsWith(pointer)
  if (!isPointer && ((await isThere(path)) || !(await isThere(pointerOf(path))))) return
  const shown = oneLine(isPointer ? named.slice(0, -pointer.length) : named, 200)
  throw new UsageError(
    `${setting} ${shown}: is kept by DVC and not here; run \`dvc pull ${shown}${pointer}\` in a step before the gate${isPointer ? `, and give ${setting}: ${shown}` : ''}`,
  )
}

/** Why a commit does not hold a model that DVC keeps; undefined where DVC does not keep it. */
export async function keptByDvc({ git, path }: TrackedFile, commit: string): Promise<string | undefined> {
  return (await existsAt(git, commit, pointerOf(path))) ? fetchByDvc(path, commit) : undefined
}

export function pointerOf(path: string): string {
  return `${path}${pointer}`
}

/** The sentence for a model that a commit has only a pointer to. */
export function fetchByDvc(path: string, commit: string): string {
  return `${path} at ${short(commit)} is kept by DVC: fetch it in a step before the gate with \`dvc get . ${path} --rev ${commit} --out baseline.onnx\`, and give baseline: path:baseline.onnx.`
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}
