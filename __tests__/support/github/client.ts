import { connect } from '../../../src/github/client.js'
import type { Client, Connection } from '../../../src/github/client.js'

type Spacing = NonNullable<Connection['spacing']>

/** Writes that follow each other at once. */
const unspaced = { key: () => ({ schedule: (_options: object, run: () => Promise<void>) => run() }) }
const spacing = { write: unspaced, notifications: unspaced } as unknown as Spacing

/** A client of another server than GITHUB_API_URL's that waits for nothing between its attempts. */
export function clientOf(
  baseUrl: string,
  token: string,
  repository: Client['repository'],
  connection: Connection = {},
): Client {
  return connect(token, repository, { baseUrl, second: 0, spacing, ...connection })
}
