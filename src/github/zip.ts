import { posix } from 'node:path'
import { unzipSync } from 'fflate'
import { withSlashes } from '../data/files.js'
import type { Files } from '../data/files.js'
import { reasonOf } from '../data/reason.js'
import { UsageError } from '../errors.js'

/** More than an upload of the gate has by far; a directory may claim four thousand million. */
const mostMembers = 10_000

/**
 * Files of a zip that may be a stranger's. Only those asked for are unpacked, into memory and never to a path the zip
 * names, and none to more bytes than its directory declares.
 *
 * @param zip - The archive's bytes.
 * @param wanted - Names of members, as they stand in the archive.
 * @param limit - Bytes one of them may unpack to.
 * @param name - What the archive is called in messages.
 * @param see - Gets every member and the bytes it would unpack to.
 * @returns Those that are there, by name.
 * @throws UsageError for what is no zip, a member that is too large, and one that is there twice.
 */
export function readZip<Member extends string>(
  zip: Uint8Array,
  wanted: readonly Member[],
  limit: number,
  name: string,
  see: (member: string, bytes: number) => void = () => {},
): Readonly<Partial<Record<Member, Uint8Array>>> {
  const found = new Set<string>()
  let members = 0
  const accept = ({ name: member, originalSize }: { name: string; originalSize: number }): boolean => {
    members += 1
    if (members > mostMembers)
      throw new UsageError(`${name} holds more than ${mostMembers} files; upload nothing but what the gate reads`)
    see(member, originalSize)
    if (!wanted.some((each) => each === member)) return false
    if (found.has(member)) throw new UsageError(`${name} holds ${member} twice; upload it again, each file once`)
    found.add(member)
    if (originalSize > limit)
      throw new UsageError(
        `${name}: ${member} would unpack to ${originalSize} bytes, more than the limit of ${limit}; is it the right file?`,
      )
    return true
  }
  try {
    return unzipSync(zip, { filter: accept }) as Partial<Record<Member, Uint8Array>>
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${name} is not a readable zip archive (${reasonOf(error)}); upload it again`, {
      cause: error,
    })
  }
}

/** A model of 2 GiB is refused anyway. */
const largestMember = 2 ** 31 - 1

/**
 * A zip as a folder `/`, unpacked file by file when it is read, into memory and never to a path that the zip names.
 *
 * @param name - What the archive is called in messages.
 * @throws UsageError for what is no zip, and for names that lead out of it.
 */
export function filesInZip(zip: Uint8Array, name: string): Files {
  const sizes = directoryOf(zip, name)
  const isFolder = (path: string) => path === '/' || [...sizes.keys()].some((member) => member.startsWith(`${path}/`))
  const missing = (path: string) => Object.assign(new Error(`no ${path} in ${name}`), { code: 'ENOENT' })
  return {
    realpath: (path) => Promise.resolve(absolute(path)),
    stat(path) {
      const [at, size] = [absolute(path), sizes.get(absolute(path))]
      if (size === undefined && !isFolder(at)) return Promise.reject(missing(at))
      return Promise.resolve({
        isFile: () => size !== undefined,
        isDirectory: () => size === undefined,
        size: size ?? 0,
      })
    },
    readdir(path) {
      const folder = absolute(path).replace(/\/$/, '')
      const inside = [...sizes.keys()].filter((member) => member.startsWith(`${folder}/`))
      return Promise.resolve([...new Set(inside.map((member) => member.slice(folder.length + 1).split('/')[0]))])
    },
    readFile(path) {
      const member = absolute(path).slice(1)
      const content = readZip(zip, [member], largestMember, name)[member]
      return content === undefined ? Promise.reject(missing(path)) : Promise.resolve(content)
    },
  }
}

function absolute(path: string): string {
  return posix.resolve('/', withSlashes(path))
}

/** Sizes by absolute path; folders have none. */
function directoryOf(zip: Uint8Array, name: string): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>()
  readZip(zip, [], 0, name, (member, size) => {
    if (member.endsWith('/')) return
    if (member !== posix.normalize(member) || /^(\.\.|\/)|\\/.test(member))
      throw new UsageError(
        `${name} holds a file whose name leads out of it; upload it again, all of it from one folder`,
      )
    sizes.set(`/${member}`, size)
  })
  return sizes
}
