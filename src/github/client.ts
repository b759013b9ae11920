import { getOctokit } from '@actions/github'
import type { Repository } from './context.js'

export type Octokit = ReturnType<typeof getOctokit>

/** GitHub's REST interface for one repository. */
export interface Client {
  readonly octokit: Octokit
  readonly repository: Repository
}

/** A server that does not answer must not hold the job for the five minutes that fetch would wait. */
const answerWithin = 30_000

/** Speaks to GITHUB_API_URL, which on GitHub Enterprise Server is its own. */
export function connect(token: string, repository: Repository): Client {
  const octokit = getOctokit(token)
  octokit.hook.before('request', (options) => {
    options.request.signal ??= AbortSignal.timeout(answerWithin)
  })
  return { octokit, repository }
}

/** A gate's name as text that cannot end an HTML comment, whatever the name holds. */
export function gateKey(checkName: string): string {
  return encodeURIComponent(Buffer.from(checkName).toString('utf8')).replaceAll('-', '%2D')
}
