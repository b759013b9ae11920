/** The HTTP status that an error of octokit stands for; undefined of any other error. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : undefined
}
