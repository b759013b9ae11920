import { createHash } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { MAXIMUM_BYTES, attempt, nodeFiles, refuseEscape, startsWith } from '../data/files.js'
import type { Files } from '../data/files.js'
import type { ModelBytes } from '../engine/messages.js'
import { UsageError } from '../errors.js'

const LFS_POINTER = 'version https://git-lfs.github.com/spec/v1'

/**
 * Reads a model and the files of external data that exporters write next to it, and parses neither: this runs in the
 * process that holds the token.
 *
 * @param name what messages and results call it
 * @returns `external` by file name; `sha256` as of hashModel
 * @throws UsageError when it is missing, a directory, empty, a Git LFS pointer, a link that leaves its folder, or over 2 GiB
 */
export async function readModelFile(
  path: string,
  name: string = path,
  files: Files = nodeFiles,
): Promise<ModelBytes & { readonly sha256: string }> {
  const bytes = await readBinary(path, name, files)
  const folder = dirname(path)
  const siblings = new Set(await attempt(folder, () => files.readdir(folder)))
  const external: Record<string, Uint8Array> = {}
  for (const file of externalNames(basename(path)))
    if (siblings.has(file)) external[file] = await readBinary(join(folder, file), file, files)
  const model = { name, bytes, external }
  if (modelSize(model) > MAXIMUM_BYTES)
    throw new UsageError(`${name}: has over 2 GiB with its external data; give a smaller model`)
  return { ...model, sha256: hashModel(model) }
}

/** @throws UsageError when the bytes, wherever they come from, are none of a model: empty, or a Git LFS pointer. */
export function refuseNoModel(name: string, bytes: Uint8Array): void {
  if (bytes.length === 0) throw new UsageError(`${name}: is empty; export the model again and commit the whole file`)
  if (startsWith(bytes, LFS_POINTER))
    throw new UsageError(
      `${name}: is a Git LFS pointer, not the model; run \`git lfs pull\`, or set \`lfs: true\` on actions/checkout`,
    )
}

/**
 * SHA-256 (hex) of the model's file; with external data, of the digests of all its files, so that other weights are
 * another model.
 */
export function hashModel({ bytes, external }: ModelBytes): string {
  const names = Object.keys(external).sort()
  if (names.length === 0) return sha256(bytes)
  const parts = [sha256(bytes), ...names.map((name) => `${sha256(external[name])}  ${name}`)]
  return sha256(parts.join('\n'))
}

/** Bytes of the model and its external data. */
export function modelSize({ bytes, external }: ModelBytes): number {
  return Object.values(external).reduce((sum, part) => sum + part.length, bytes.length)
}

/** What PyTorch (`model.onnx.data`), onnx's converter (`model.data`) and optimum (`model.onnx_data`) write. */
function externalNames(file: string): ReadonlySet<string> {
  const stem = file.replace(/\.onnx$/i, '')
  return new Set([`${file}.data`, `${stem}.data`, `${stem}.onnx.data`, `${stem}.onnx_data`])
}

async function readBinary(path: string, name: string, files: Files): Promise<Uint8Array> {
  const info = await attempt(path, () => files.stat(path))
  if (info.isDirectory()) throw new UsageError(`${name}: is a folder; give the path of the .onnx file in it`)
  if (!info.isFile()) throw new UsageError(`${name}: is not a regular file; give the path of an .onnx file`)
  await refuseEscape(dirname(path), path, files)
  if (info.size > MAXIMUM_BYTES)
    throw new UsageError(`${name}: has ${info.size} bytes, more than the 2 GiB that are read; give a smaller model`)
  const bytes = await attempt(path, () => files.readFile(path))
  refuseNoModel(name, bytes)
  return bytes
}

function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex')
}
