import { UsageError } from '../errors.js'

/** A classifier that can be run and whose gradient cannot be made. It can still be attacked by what needs none. */
export class NoGradient extends UsageError {}

/** Turns what keeps a gradient from being made into a NoGradient. */
export async function asNoGradient<T>(work: () => Promise<T> | T): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof UsageError) throw new NoGradient(error.message, { cause: error })
    throw error
  }
}
