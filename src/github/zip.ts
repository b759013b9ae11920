import { unzipSync } from 'fflate'
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
 * @returns Those that are there, by name.
 * @throws UsageError for what is no zip, a member that is too large, and one that is there twice.
 */
export function readZip<Member extends string>(
  zip: Uint8Array,
  wanted: readonly Member[],
  limit: number,
  name: string,
): Readonly<Partial<Record<Member, Uint8Array>>> {
  const found = new Set<string>()
  let members = 0
  const accept = ({ name: member, originalSize }: { name: string; originalSize: number }): boolean => {
    members += 1
    if (members > mostMembers) throw new UsageError(`${name} holds more than ${mostMembers} files`)
    if (!wanted.some((each) => each === member)) return false
    if (found.has(member)) throw new UsageError(`${name} holds ${member} twice`)
    found.add(member)
    if (originalSize > limit)
      throw new UsageError(`${name}: ${member} would unpack to ${originalSize} bytes, more than the limit of ${limit}`)
    return true
  }
  try {
    return unzipSync(zip, { filter: accept }) as Partial<Record<Member, Uint8Array>>
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${name} is not a readable zip archive (${reasonOf(error)})`, { cause: error })
  }
}
