import { createHash } from 'node:crypto'
import { basename, dirname, join, relative } from 'node:path'
import { MAXIMUM_BYTES, attempt, isLfsPointer, nodeFiles, refuseEscape } from '../data/files.js'
import type { Files } from '../data/files.js'
import type { ModelBytes } from '../engine/messages.js'
import { UsageError } from '../errors.js'
import { oneLine } from '../text.js'

/** A model, and perhaps a way to further files in its folder. */
export interface ModelFile extends ModelBytes {
  /** By location. @throws UsageError for one that is not a regular file inside the model's folder */
  readonly readBeside?: (locations: readonly string[]) => Promise<Readonly<Record<string, Uint8Array>>>
}

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
): Promise<ModelFile & { readonly sha256: string }> {
  const bytes = await readBinary(path, name, files)
  const folder = dirname(path)
  const siblings = new Set(await attempt(folder, () => files.readdir(folder)))
  const external: Record<string, Uint8Array> = {}
  for (const file of externalNames(basename(path)))
    if (siblings.has(file)) external[file] = await readBinary(join(folder, file), file, files)
  const model = { name, bytes, external }
  if (modelSize(model) > MAXIMUM_BYTES)
    throw new UsageError(`${name}: has over 2 GiB with its external data; give a smaller model`)
  return { ...model, sha256: hashModel(model), readBeside: (locations) => readBeside(path, locations, files) }
}

/** @throws UsageError when the bytes, wherever they come from, are none of a model: empty, or a Git LFS pointer. */
export function refuseNoModel(name: string, bytes: Uint8Array): void {
  if (bytes.length === 0) throw new UsageError(`${name}: is empty; export the model again and commit the whole file`)
  if (isLfsPointer(bytes))
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

/**
 * Whether the model may keep numbers in other files: each tensor that does has an entry whose key, field 1 of 8 bytes, is
 * `location`. To find those bytes is not to parse the model, and spares the question for nearly all of them.
 */
export function mayNameFiles({ bytes }: ModelBytes): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes('\x0a\x08location', 'latin1')
}

/** Reads files that a model names, which the pull request chose: none may lead out of the model's folder. */
async function readBeside(
  path: string,
  locations: readonly string[],
  files: Files,
): Promise<Readonly<Record<string, Uint8Array>>> {
  const folder = dirname(path)
  const root = await attempt(folder, () => files.realpath(folder))
  const external: Record<string, Uint8Array> = {}
  let total = 0
  for (const location of locations) {
    const parts = partsOf(location)
    const file = join(folder, ...parts)
    const real = await attempt(file, () => files.realpath(file))
    if (relative(root, real) !== join(...parts))
      throw new UsageError(`${file}: a symbolic link stands on the way to it; put the file there itself`)
    external[location] = await readBinary(file, file, files)
    total += external[location].length
    if (total > MAXIMUM_BYTES) throw new UsageError(`${path}: has over 2 GiB of external data; give a smaller model`)
  }
  return external
}

/** The folders and the file of a location. @throws UsageError when it does not lie in the model's folder */
function partsOf(location: string): readonly string[] {
  const parts = location.split('/').filter((part) => part !== '.')
  const leaves = parts.some((part) => part === '..' || part === '') || /[\0\\]|^[a-z]:/i.test(location)
  if (leaves || parts.length === 0)
    throw new UsageError(
      `${oneLine(location)}: the model names this file for its weights; save it with weights inside the model's own folder`,
    )
  return parts
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
