/** GitHub alone writes the queue's branches; each is named after the pull request that joins with it. */
const queueBranch = /^(?:refs\/heads\/)?gh-readonly-queue\/(.+)\/pr-([1-9]\d{0,9})-[0-9a-f]{40,64}$/

/** The branch that a merge group goes into, and its pull request; undefined of a branch that is no group's. */
export function readQueueBranch(ref: string): { readonly branch: string; readonly number: number } | undefined {
  const [, branch, digits] = queueBranch.exec(ref) ?? []
  return digits === undefined ? undefined : { branch, number: Number(digits) }
}
