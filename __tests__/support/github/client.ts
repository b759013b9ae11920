import { getOctokit } from '@actions/github'
import type { Client } from '../../../src/github/client.js'

/** A client of another server than GITHUB_API_URL's, which the library reads once, when it is loaded. */
export function clientOf(baseUrl: string, token: string, repository: Client['repository']): Client {
  return { octokit: getOctokit(token, { baseUrl }), repository }
}
