import type { getOctokit } from '@actions/github'

/** How often one request may be tried again. */
export const retries = 3

export interface AttemptOptions {
  /** Milliseconds that a second of waiting lasts. */
  readonly second: number
  readonly answerWithin: number
  /** Milliseconds lost to failures after which nothing is tried again: a GitHub that is down must not hold the job. */
  readonly patience: number
}

/**
 * A plugin for octokit that stands between its own ones (retry, throttling) and the network, and looks at every single attempt:
 * each has a time limit of its own; a reply that broke off on the way is a failure, where octokit would hand on half a
 * text; rate limits are left to throttling, which knows how long to wait; and the time lost to failures is bounded.
 */
export function attempts({ hook }: Pick<ReturnType<typeof getOctokit>, 'hook'>, options: object): void {
  const { second, answerWithin, patience } = (options as { readonly attempts: AttemptOptions }).attempts
  let lost = 0
  hook.wrap('request', async (request, given) => {
    const { request: own } = given
    const began = performance.now()
    // A refusal is final, whatever was allowed after an earlier attempt.
    own.retries = 0
    // With these two fields octokit's plugins take an error for an answer of the server.
    const failure = (message: string) => Object.assign(new Error(message), { status: 502, request: { ...given } })
    try {
      const signal = own.signal ?? AbortSignal.timeout(answerWithin)
      // Half a body may outlive the signal.
      const late = new Promise<never>((_, reject) =>
        signal.addEventListener('abort', () => reject(failure('no whole answer came in time')), { once: true }),
      )
      const response = await Promise.race([request({ ...given, request: { ...own, signal } }), late])
      if (isBroken(response)) throw failure('the reply broke off')
      return response
    } catch (error) {
      const count = (own.retryCount as number | undefined) ?? 0
      lost += performance.now() - began + second * (count + 1) ** 2
      own.retries = lost > patience || isRateLimit(error) ? 0 : retries
      throw error
    }
  })
}

/**
 * A plugin for octokit, to be given as the last one: all requests share one object in which the others count attempts, so that
 * what one request was allowed or has used up would hold for every later one.
 */
export function countedApart({ hook }: Pick<ReturnType<typeof getOctokit>, 'hook'>): void {
  hook.wrap('request', (request, given) => {
    given.request = { ...given.request }
    return request(given)
  })
}

/** octokit parses what says it is JSON, and keeps the text when that fails. */
function isBroken({ data, headers }: { readonly data: unknown; readonly headers: object }): boolean {
  const type = 'content-type' in headers ? String(headers['content-type']) : ''
  return typeof data === 'string' && /^application\/(json|scim\+json)\b/i.test(type)
}

/** Of GitHub's two answers, that one may not and that one may not now, the second. */
export function isRateLimit(error: unknown): boolean {
  const { message, status, response } = error as Partial<Refusal>
  if (status !== 403 && status !== 429) return false
  return /\bsecondary rate\b/i.test(message ?? '') || response?.headers['x-ratelimit-remaining'] === '0'
}

interface Refusal extends Error {
  readonly status: number
  readonly response: { readonly headers: Readonly<Record<string, string | undefined>> }
}
