import { hostRepository } from './repository.js'
import type { Content, HostedRepository } from './repository.js'
import { actionsToken, startGitHub } from './loopback.js'
import type { LoopbackGitHub } from './loopback.js'
import { pullRequestFrom } from './payloads.js'
import { runJob } from './runner.js'
import type { InstalledAction, Outcome } from './runner.js'

/** A repository with one pull request, and a GitHub that knows it. */
export interface PullRequestScene {
  readonly hosted: HostedRepository
  readonly github: LoopbackGitHub
  /** Opens the pull request, or pushes to it: files of the base commit, and what it changes. Returns what `run` takes. */
  open(before: Content, changes: Content): Promise<OpenedPullRequest>
  /** Runs the action on GitHub's merge commit, checked out one commit deep. */
  run(pull: OpenedPullRequest, inputs: Inputs, environment?: Inputs): Promise<Outcome>
  close(): Promise<void>
}

export interface OpenedPullRequest {
  readonly base: string
  readonly head: string
  readonly merge: string
}

type Inputs = Readonly<Record<string, string>>

export async function pullRequestScene(action: InstalledAction): Promise<PullRequestScene> {
  const hosted = await hostRepository()
  const tokens = { ghs_writes: actionsToken }
  const github = await startGitHub({ repository: 'Codertocat/Hello-World', pullRequests: [2], tokens })
  let branches = 0
  return {
    ...{ hosted, github },
    async open(before, changes) {
      const base = await hosted.commit('main', before)
      const head = await hosted.commit(`feature-${(branches += 1)}`, changes, base)
      github.heads.set(2, head)
      return { base, head, merge: await hosted.merge(2, base, head) }
    },
    async run({ base, head, merge }, inputs, environment = {}) {
      return runJob(action, {
        ...{ workspace: await hosted.checkout(merge, 1), event: 'pull_request', sha: merge, inputs, environment },
        ...{ payload: pullRequestFrom(head, base), apiUrl: github.url, token: 'ghs_writes' },
      })
    },
    async close() {
      await hosted.remove()
      await github.close()
    },
  }
}
