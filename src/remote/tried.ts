import { UsageError } from '../errors.js'
import type { Pause } from './pause.js'

/** Milliseconds before the second attempt and the third. */
const pauses = [1_000, 4_000]
/** A server that wants more time does not give the file to this job. */
const longestPause = 60_000

export interface Trying {
  readonly pause: Pause
  /** Of all attempts together. */
  readonly signal?: AbortSignal
}

/**
 * What comes of work that may go better next time: of a server that drops a connection, is overloaded (5xx) or asks to come
 * again later (408, 429). Its Retry-After is waited for, up to a minute.
 *
 * @param work - Its number, from 0 on, is handed in.
 * @throws at once a UsageError, a refusal, and what octokit threw, which has tried again itself; any other error after the last
 * attempt.
 */
export async function tried<T>(work: (attempt: number) => Promise<T>, { pause, signal }: Trying): Promise<T> {
  for (let attempt = 0; ; attempt += 1)
    try {
      return await work(attempt)
    } catch (error) {
      const wait = attempt < pauses.length && mayGoBetter(error) ? waitAfter(error, pauses[attempt]) : Infinity
      if (wait > longestPause || signal?.aborted) throw error
      await pause(wait, signal)
      if (signal?.aborted) throw error
    }
}

/** What a server other than GitHub's interface answered in the place of what it was asked for. */
export class FailedAnswer extends Error {
  override readonly name = 'FailedAnswer'
  readonly status: number
  /** Milliseconds; undefined where the server does not say. */
  readonly retryAfter?: number

  constructor({ status, headers }: Pick<Response, 'status' | 'headers'>, message = `status ${status}`) {
    super(message)
    this.status = status
    this.retryAfter = retryAfterIn(headers)
  }
}

/** RFC 9110, 10.2.3: seconds, or a date, which is held against the server's own clock. */
function retryAfterIn(headers: Headers): number | undefined {
  const given = headers.get('retry-after')
  if (given === null) return undefined
  const wait = /^\d+$/.test(given) ? Number(given) * 1000 : Date.parse(given) - Date.parse(headers.get('date') ?? '')
  return Number.isNaN(wait) ? undefined : wait
}

function mayGoBetter(error: unknown): boolean {
  if (error instanceof FailedAnswer) return error.status >= 500 || error.status === 408 || error.status === 429
  return !(error instanceof UsageError || (error instanceof Error && 'status' in error))
}

function waitAfter(error: unknown, pause: number): number {
  return Math.max(pause, (error instanceof FailedAnswer ? error.retryAfter : undefined) ?? 0)
}
