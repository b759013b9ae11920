import type { CheckRequest } from './checkRun.js'
import { putCheckRun } from './checkRun.js'
import type { Client } from './client.js'
import { messageOf, oneLine } from '../text.js'
import { putComment } from './comment.js'

export interface Publication {
  readonly check: CheckRequest
  /** Only a pull request has a comment. */
  readonly comment?: { readonly pullRequest: number; readonly markdown: string }
}

/** What GITHUB_TOKEN posts as. */
const actionsLogin = 'github-actions[bot]'

/**
 * Posts check run and comment. Neither can fail the gate: what could not be posted becomes a warning, and the verdict
 * stays with the job and its summary.
 *
 * @returns Warnings for people, one line each.
 */
export async function publish(client: Client, { check, comment }: Publication): Promise<readonly string[]> {
  const failures: Failure[] = []
  const attempt = async <T>(what: What, post: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await post()
    } catch (error) {
      failures.push({ what, error })
      return undefined
    }
  }
  const appLogin = await attempt('check run', () => putCheckRun(client, check))
  if (comment !== undefined)
    await attempt('comment', async () => {
      const login = appLogin ?? (await ownLogin(client))
      await putComment(client, { ...comment, checkName: check.checkName, login })
    })
  return warnings(failures)
}

/** An installation's token, GITHUB_TOKEN among them, may not ask who it is; a person's may. */
async function ownLogin({ octokit }: Client): Promise<string> {
  try {
    return (await octokit.rest.users.getAuthenticated()).data.login
  } catch (error) {
    if (statusOf(error) === 403) return actionsLogin
    throw error
  }
}

type What = 'check run' | 'comment'

interface Failure {
  readonly what: What
  readonly error: unknown
}

const permissions: Readonly<Record<What, string>> = {
  comment: '`pull-requests: write`',
  'check run': '`checks: write`',
}

function warnings(failures: readonly Failure[]): readonly string[] {
  const refused = failures.filter(({ error }) => isPermission(error)).map(({ what }) => what)
  const others = failures.filter(({ error }) => !isPermission(error))
  return [
    ...(refused.length > 0 ? [refusedWarning(refused)] : []),
    ...others.map(
      ({ what, error }) => `The ${what} could not be posted (${reason(error)}). The verdict is not affected.`,
    ),
  ]
}

function refusedWarning(refused: readonly What[]): string {
  const names = refused.join(' and the ')
  const needed = refused.map((what) => permissions[what]).join(' and ')
  return (
    `The ${names} ${refused.length > 1 ? 'were' : 'was'} skipped: the token lacks ${needed}. ` +
    'A pull request from a fork has a token that only reads; otherwise add it under `permissions:` of the job. ' +
    'The verdict is in the job’s status and summary.'
  )
}

/** A 403 also stands for a rate limit, which no permission would cure. */
function isPermission(error: unknown): boolean {
  return (
    statusOf(error) === 403 && /not accessible by|must authenticate via a GitHub App|must have/i.test(messageOf(error))
  )
}

function reason(error: unknown): string {
  const status = statusOf(error)
  const advice = status === 401 ? '; is `github-token` still valid?' : ''
  return `${status === undefined ? '' : `${status} `}${oneLine(messageOf(error), 300)}${advice}`
}

function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : undefined
}
