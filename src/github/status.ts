import { messageOf } from '../text.js'

/** The HTTP status that an error of octokit stands for; undefined of any other error. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : undefined
}

/** Whether the token lacks a permission. A 403 also stands for a rate limit, which no permission would cure. */
export function isPermission(error: unknown): boolean {
  return (
    statusOf(error) === 403 && /not accessible by|must authenticate via a GitHub App|must have/i.test(messageOf(error))
  )
}
