import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { hostLabels } from '../support/github/labels.js'
import type { HostedLabels } from '../support/github/labels.js'
import { base, head, installPublisher, startPublishing, weak } from '../support/github/publishing.js'
import type { Publishing } from '../support/github/publishing.js'
import type { InstalledAction } from '../support/github/runner.js'

/** A stranger's weaker model, published by the second of two workflows, and accepted by a label. */

let action: InstalledAction
beforeAll(async () => {
  action = await installPublisher()
})
afterAll(() => action.remove())

let labels: HostedLabels
let scene: Publishing
beforeEach(async () => {
  labels = hostLabels()
  labels.pulls.push({ number: 2, author: 'mallory', base: 'main', commits: [head], events: [] })
  scene = await startPublishing(action, [labels])
  scene.github.heads.set(2, head)
  scene.uploadResults(weak)
})
afterEach(() => scene.close())

function set(): void {
  const label = 'robustness-regression-accepted'
  labels.pulls[0].events.push({ event: 'labeled', label, who: 'mona', when: scene.github.now() })
}

const conclusions = () => scene.github.checkRuns.map(({ conclusion }) => conclusion)

test('a label that was set after the report turns the check green, and the comment says who set it', async () => {
  await scene.publish({ conclusion: 'failure' })
  set()
  const outcome = await scene.publish({ conclusion: 'failure', run_attempt: 2 })
  expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'regression' }, warnings: [] })
  expect(conclusions().at(-1)).toBe('success')
  expect(scene.github.comments[0].body).toContain('☑️ **Regression (accepted by mona)**')
})

test('a label that was there before does not', async () => {
  set()
  await scene.publish({ conclusion: 'failure' })
  expect(conclusions()).toEqual(['failure'])
  expect(scene.github.comments[0].body).toContain('a new model needs a new decision')
})

test('another model under the same label does not pass', async () => {
  await scene.publish({ conclusion: 'failure' })
  set()
  const other = { ...weak, model: { ...weak.model, sha256: 'e'.repeat(64) } }
  scene.uploadResults(other, base)
  await scene.publish({ conclusion: 'failure', run_attempt: 2 })
  expect(conclusions().at(-1)).toBe('failure')
})

test('a merge group is not bounced: its pull request is found by the queue’s branch', async () => {
  await scene.publish({ conclusion: 'failure' })
  set()
  const branch = `gh-readonly-queue/main/pr-2-${'a'.repeat(40)}`
  await scene.publish({ event: 'merge_group', head_sha: 'f'.repeat(40), head_branch: branch, conclusion: 'failure' })
  expect(scene.github.checkRuns.at(-1)).toMatchObject({ head_sha: 'f'.repeat(40), conclusion: 'success' })
})
