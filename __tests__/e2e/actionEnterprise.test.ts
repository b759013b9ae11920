import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { exampleOf, pullRequestFrom } from '../support/github/payloads.js'
import { head, installPublisher, mallorys, startPublishing, weak } from '../support/github/publishing.js'
import { pullRequestScene } from '../support/github/pullRequestScene.js'
import { installAction, runJob } from '../support/github/runner.js'
import type { InstalledAction } from '../support/github/runner.js'

/** GitHub Enterprise Server: its interface is below a path, its pages on a host of its own. */

const environment = { GITHUB_SERVER_URL: 'https://ghes.example' }

describe('is all that is spoken to and linked to, github.com is nowhere', () => {
  let publisher: InstalledAction
  let gate: InstalledAction
  beforeAll(async () => {
    publisher = await installPublisher()
    gate = await installAction()
  })
  afterAll(async () => {
    await publisher.remove()
    await gate.remove()
  })

  test('by mode: publish', async () => {
    const scene = await startPublishing(publisher)
    try {
      scene.uploadResults(weak)
      const example = exampleOf('workflow_run')
      const own = {
        ...{ id: 77, run_attempt: 1, event: 'pull_request', conclusion: 'success', head_sha: head },
        ...{ head_branch: 'feature', head_repository: { full_name: mallorys.from, owner: { login: 'mallory' } } },
      }
      const outcome = await runJob(publisher, {
        ...{ event: 'workflow_run', payload: { ...example, workflow_run: { ...example.workflow_run, ...own } } },
        ...{
          sha: 'd'.repeat(40),
          workspace: scene.workspace,
          apiUrl: `${scene.github.url}/api/v3`,
          token: 'ghs_writes',
        },
        inputs: { mode: 'publish', config: 'robustness.yml' },
        environment,
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

  test('by a gate', async () => {
    const scene = await pullRequestScene(gate)
    try {
      const file = (name: string) => readFileSync(`fixtures/fashion/fashion-${name}`)
      const before = { 'a.onnx': file('hardened.onnx'), 'x.npz': file('test.npz') }
      const { base, head, merge } = await scene.open(before, { 'a.onnx': file('finetuned.onnx') })
      const outcome = await runJob(gate, {
        ...{ workspace: await scene.hosted.checkout(merge, 1), event: 'pull_request', sha: merge, environment },
        ...{ payload: pullRequestFrom(head, base), apiUrl: `${scene.github.url}/api/v3`, token: 'ghs_writes' },
        inputs: { model: 'a.onnx', data: 'x.npz', epsilon: '0.1', samples: '16', suite: 'quick' },
      })
      expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'regression' }, warnings: [] })
      const { comments, checkRuns } = scene.github
      expect(comments[0].body).toContain('https://ghes.example/Codertocat/Hello-World/actions/runs/')
      expect(JSON.stringify([comments, checkRuns, outcome.summary, outcome.log])).not.toContain('github.com')
    } finally {
      await scene.close()
    }
  })
})
