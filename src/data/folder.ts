import { join, relative } from 'node:path'
import { UsageError } from '../errors.js'
import type { Files } from './files.js'
import { attempt, lastPart, MAXIMUM_BYTES, readInside, refuseEscape, withSlashes } from './files.js'
import type { RawData } from './types.js'

const readable = /\.(png|jpe?g)$/i
/** Images we cannot read: leaving them out in silence would change what is measured. */
const unreadable = /\.(webp|gif|bmp|tiff?|ppm|pgm|avif|heic|jxl)$/i

type FolderData = Extract<RawData, { kind: 'folder' }>
interface Listed {
  readonly path: string
  readonly label: number
}

/**
 * A folder with one folder of PNG or JPEG files per class. Labels follow the order of `classNames` when given (names
 * without a folder are classes without images), else the folders' names sorted by code unit, as Python sorts them.
 * @param samples how many images to read; undefined: all
 */
export async function locateFolder(
  root: string,
  classNames: readonly string[] | undefined,
  samples: number | undefined,
  files: Files,
): Promise<FolderData> {
  const folders = await classFolders(root, files)
  const classes = classNames ?? folders
  const stranger = folders.find((folder) => !classes.includes(folder))
  if (stranger !== undefined)
    throw new UsageError(
      `${join(root, stranger)}: this folder is not in the list of class names; add "${stranger}" to the list or remove the folder`,
    )
  const perClass: Listed[][] = []
  for (const folder of folders) {
    const label = classes.indexOf(folder)
    const paths = await imagePaths(root, join(root, folder), files)
    perClass[label] = paths.map((path) => ({ path, label }))
  }
  const listed = inTurn(perClass.filter((images) => images !== undefined))
  if (samples !== undefined && listed.length < samples)
    throw new UsageError(
      `${root}: holds ${listed.length} images, but ${samples} were asked for; lower \`samples\` (--samples) or add images`,
    )
  return {
    kind: 'folder',
    name: lastPart(root),
    classNames: classes,
    files: await readAll(root, listed.slice(0, samples), files),
  }
}

/** The first of each class, then the second of each, …; a class that has run out is passed over. */
function inTurn<T>(classes: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...classes.map((images) => images.length))
  return Array.from({ length: longest }, (_, round) =>
    classes.flatMap((images) => images.slice(round, round + 1)),
  ).flat()
}

async function classFolders(root: string, files: Files): Promise<string[]> {
  const names = await visible(root, files)
  const folders: string[] = []
  for (const name of names) {
    const path = join(root, name)
    if ((await attempt(path, () => files.stat(path))).isDirectory()) {
      await refuseEscape(root, path, files)
      folders.push(name)
    }
  }
  if (names.length === 0)
    throw new UsageError(`${root}: this folder is empty; put one folder of PNG or JPEG files per class into it`)
  if (folders.length === 0)
    throw new UsageError(
      `${root}: has no class folders; put the images of each class into a folder of their own, or name a file (.npz, IDX, .csv)`,
    )
  return folders
}

async function imagePaths(root: string, folder: string, files: Files): Promise<string[]> {
  const names = await visible(folder, files)
  const stranger = names.find((name) => unreadable.test(name))
  if (stranger !== undefined)
    throw new UsageError(`${join(folder, stranger)}: only PNG and JPEG are read; convert this image to PNG`)
  const images = names.filter((name) => readable.test(name)).map((name) => join(folder, name))
  if (images.length === 0)
    throw new UsageError(
      `${folder}: this class folder has no .png, .jpg or .jpeg file; add images or remove the folder from ${root}`,
    )
  return images
}

/** Names that do not begin with a dot, in plain code-unit order, which no locale changes. */
async function visible(folder: string, files: Files): Promise<string[]> {
  const names = await attempt(folder, () => files.readdir(folder))
  const odd = names.find((name) => /\p{Cc}/u.test(name))
  if (odd !== undefined)
    throw new UsageError(`${folder}: the name ${JSON.stringify(odd)} has a control character in it; rename that file`)
  return names.filter((name) => !name.startsWith('.')).sort()
}

async function readAll(root: string, listed: readonly Listed[], files: Files): Promise<FolderData['files']> {
  const read: { name: string; label: number; bytes: Uint8Array }[] = []
  let total = 0
  for (const { path, label } of listed) {
    const bytes = await readInside(root, path, files)
    total += bytes.length
    if (total > MAXIMUM_BYTES)
      throw new UsageError(
        `${root}: its images have more than the 2 GiB that are read; set \`samples\` (--samples) to use fewer`,
      )
    read.push({ name: withSlashes(join(lastPart(root), relative(root, path))), label, bytes })
  }
  return read
}
