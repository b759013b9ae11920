import { UsageError } from '../errors.js'
import { messageOf, oneLine } from '../text.js'

/** A server, or the way to it, did not give what was asked for: neither the user's mistake nor a fault of ours. */
export class Unreached extends Error {
  override readonly name: string = 'Unreached'
}

/**
 * To catch what asking a server threw.
 *
 * @param message - Made of the server's or the network's words.
 * @throws Unreached of what server or network did, with its cause; a UsageError, and what is a fault of ours, as it is.
 */
export function asUnreached(message: (why: string) => string): (error: unknown) => never {
  return (error) => {
    if (error instanceof UsageError || !isOfServer(error)) throw error
    throw new Unreached(message(oneLine(messageOf(error), 200)), { cause: error })
  }
}

/**
 * octokit's errors have a status. What `fetch` throws, and the body it gave, has a cause (the socket's error), or is the
 * signal's; a TypeError of ours has none.
 */
function isOfServer(error: unknown): boolean {
  if (error instanceof Unreached) return true
  const { name, status, cause } = Object(error) as { readonly [field: string]: unknown }
  if (typeof status === 'number') return true
  return name === 'TimeoutError' || name === 'AbortError' || (name === 'TypeError' && cause !== undefined)
}
