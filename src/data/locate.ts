import { dirname, join } from 'node:path'
import type { DataOptions } from '../config/types.js'
import { UsageError } from '../errors.js'
import type { Files } from './files.js'
import { attempt, lastPart, nodeFiles, readClassNames, readNamed } from './files.js'
import { locateFolder } from './folder.js'
import type { RawData } from './types.js'

const formats = 'an .npz file, a folder with one folder of images per class, an IDX file or a .csv file'

/**
 * Reads the bytes of a dataset and decodes none: this is the part that runs in the process with the token. What the path
 * is, is told by what is there: a folder holds class folders; a file's name, or its first bytes, says npz, IDX or CSV.
 * @param samples how many images are asked for; undefined: all. Image folders read no more files than that.
 * @throws UsageError for a missing, unreadable or unknown file, a Git LFS pointer, a symbolic link that leaves its folder.
 */
export async function locateData(
  path: string,
  options: DataOptions,
  samples: number | undefined,
  files: Files = nodeFiles,
): Promise<RawData> {
  const info = await attempt(path, () => files.stat(path))
  const classNames = options.classNames === undefined ? undefined : await readClassNames(options.classNames, files)
  if (info.isDirectory()) return locateFolder(path, classNames, samples, files)

  const bytes = await readNamed(path, files)
  const name = lastPart(path)
  switch (formatOf(name, bytes)) {
    case 'npz':
      return { kind: 'npz', name, bytes, classNames }
    case 'csv':
      return { kind: 'csv', name, bytes, classNames }
    case 'idx':
      return { kind: 'idx', name, images: bytes, labels: await idxLabels(path, options.labels, files), classNames }
    default:
      throw new UsageError(`${path}: is of no kind that is read here; give ${formats}`)
  }
}

function formatOf(name: string, bytes: Uint8Array): 'npz' | 'idx' | 'csv' | undefined {
  if (/\.npz$/i.test(name)) return 'npz'
  if (/\.csv(\.gz)?$/i.test(name)) return 'csv'
  if (/(-ubyte|\.idx)(\.gz)?$/i.test(name)) return 'idx'
  const ubyteOfRank3 = bytes[0] === 0 && bytes[1] === 0 && bytes[2] === 8 && bytes[3] === 3
  const gzip = bytes[0] === 0x1f && bytes[1] === 0x8b
  return ubyteOfRank3 || gzip ? 'idx' : undefined
}

/** Of train-images-idx3-ubyte.gz the labels are train-labels-idx1-ubyte.gz, compressed or not. */
async function idxLabels(images: string, declared: string | undefined, files: Files): Promise<Uint8Array> {
  if (declared !== undefined) return readNamed(declared, files)
  const name = lastPart(images)
  const names = idxLabelNames(name)
  const [derived] = names
  if (derived === undefined)
    throw new UsageError(
      `${images}: its name does not tell the label file's; give its path as \`labels\` in the data options`,
    )
  const folder = dirname(images)
  const present = await attempt(folder, () => files.readdir(folder))
  const found = names.find((candidate) => present.includes(candidate))
  if (found === undefined)
    throw new UsageError(
      `${join(folder, derived)}: the labels of ${name} are not there; put them there or give their path as \`labels\` in the data options`,
    )
  return readNamed(join(folder, found), files)
}

/** What the label file beside a file of IDX images may be called; nothing where that file's name does not tell. */
export function idxLabelNames(name: string): readonly [string, string] | readonly [] {
  const derived = name.replace('images', 'labels').replace('idx3', 'idx1')
  if (derived === name) return []
  return [derived, derived.endsWith('.gz') ? derived.slice(0, -'.gz'.length) : `${derived}.gz`]
}
