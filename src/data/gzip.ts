import { gunzipSync } from 'node:zlib'
import { UsageError } from '../errors.js'
import { MAXIMUM_BYTES } from './files.js'
import { codeOf, reasonOf } from './reason.js'

/**
 * The bytes themselves, or what they unpack to when they are gzip's (its checksum is checked).
 * @throws UsageError for a damaged file, and for one that would unpack to more than `limit` bytes
 */
export function gunzipIfNeeded(bytes: Uint8Array, name: string, limit: number = MAXIMUM_BYTES): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  try {
    return gunzipSync(bytes, { maxOutputLength: limit })
  } catch (error) {
    if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE')
      throw new UsageError(`${name}: would unpack to more than the limit of ${limit} bytes; give fewer images`)
    throw new UsageError(`${name}: is not a readable gzip file (${reasonOf(error)}); compress it again`, {
      cause: error,
    })
  }
}
