import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { exampleOf } from '../support/github/payloads.js'
import { head, installPublisher, mallorys, startPublishing, weak } from '../support/github/publishing.js'
import { runJob } from '../support/github/runner.js'
import type { InstalledAction } from '../support/github/runner.js'

/** GitHub Enterprise Server: its interface is below a path, its pages on a host of its own. */

let action: InstalledAction
beforeAll(async () => {
  action = await installPublisher()
})
afterAll(() => action.remove())

test('is all that is spoken to and linked to: github.com is nowhere', async () => {
  const scene = await startPublishing(action)
  try {
    scene.uploadResults(weak)
    const example = exampleOf('workflow_run')
    const own = {
      ...{ id: 77, run_attempt: 1, event: 'pull_request', conclusion: 'success', head_sha: head },
      ...{ head_branch: 'feature', head_repository: { full_name: mallorys.from, owner: { login: 'mallory' } } },
    }
    const outcome = await runJob(action, {
      ...{ event: 'workflow_run', payload: { ...example, workflow_run: { ...example.workflow_run, ...own } } },
      ...{ sha: 'd'.repeat(40), workspace: scene.workspace, apiUrl: `${scene.github.url}/api/v3`, token: 'ghs_writes' },
      inputs: { mode: 'publish', config: 'robustness.yml' },
      environment: { GITHUB_SERVER_URL: 'https://ghes.example' },
    })
    expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'regression' }, warnings: [], errors: [] })
    const { comments, checkRuns } = scene.github
    expect(comments[0].body).toContain('https://ghes.example/Codertocat/Hello-World/actions/runs/77')
    expect(checkRuns).toEqual([
      expect.objectContaining({ details_url: expect.stringContaining('https://ghes.example/') }),
    ])
    expect(JSON.stringify([comments, checkRuns, outcome.summary, outcome.log])).not.toContain('github.com')
  } finally {
    await scene.close()
  }
})
