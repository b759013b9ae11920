import { getOctokit } from '@actions/github'
import { retry } from '@octokit/plugin-retry'
import { throttling } from '@octokit/plugin-throttling'
import type { ThrottlingOptions } from '@octokit/plugin-throttling'
import { attempts, countedApart, retries } from './attempts.js'
import type { Repository } from './context.js'

export type Octokit = ReturnType<typeof getOctokit>

/** GitHub's REST interface for one repository. */
export interface Client {
  readonly octokit: Octokit
  readonly repository: Repository
}

export interface Connection {
  /** Of another server than GITHUB_API_URL's, which the library reads once, when it is loaded. */
  readonly baseUrl?: string
  /** Milliseconds that a second of waiting lasts. */
  readonly second?: number
  /** Milliseconds that one attempt may take that brings no signal of its own; GitHub itself gives up after ten seconds. */
  readonly answerWithin?: number
  /** Milliseconds that may be lost to failures before nothing is tried again: about what one request's attempts take. */
  readonly patience?: number
  /** octokit's own spacing of what writes, a second or three from one request to the next. */
  readonly spacing?: Pick<ThrottlingOptions, 'write' | 'notifications'>
}

/** Seconds that all waits for rate limits together may take: the verdict is in the job's summary in any case. */
const limitBudget = 120

/**
 * Speaks to GITHUB_API_URL, which on GitHub Enterprise Server is its own. What may go better next time (5xx, resets,
 * timeouts, broken replies, rate limits) is tried again by octokit's plugins, within bounds of number and time.
 */
export function connect(token: string, repository: Repository, connection: Connection = {}): Client {
  const { baseUrl, second = 1000, answerWithin = 15_000, patience = 30_000, spacing = {} } = connection
  let waited = 0
  const waits = (seconds: number, _: unknown, __: unknown, count: number): boolean => {
    if (count >= retries || waited + seconds > limitBudget) return false
    waited += seconds
    return true
  }
  const options = {
    ...(baseUrl !== undefined && { baseUrl }),
    attempts: { second, answerWithin, patience },
    retry: { retryAfterBaseValue: second },
    throttle: { ...spacing, retryAfterBaseValue: second, onRateLimit: waits, onSecondaryRateLimit: waits },
  }
  return { octokit: getOctokit(token, options, attempts, retry, throttling, countedApart), repository }
}
