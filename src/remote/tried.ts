import { UsageError } from '../errors.js'

/** A server that drops a connection, or is overloaded, usually takes the next. */
const attempts = 3

/**
 * What comes of work that may go better next time.
 *
 * @throws UsageError at once, and what octokit threw, which has tried again itself; any other error after the last attempt.
 */
export async function tried<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await work()
    } catch (error) {
      if (error instanceof UsageError || hasStatus(error) || attempt === attempts) throw error
    }
}

function hasStatus(error: unknown): boolean {
  return error instanceof Error && 'status' in error
}
