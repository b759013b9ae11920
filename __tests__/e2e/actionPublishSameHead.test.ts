import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { everyFault } from '../support/github/faults.js'
import { heldJob } from '../support/github/heldJob.js'
import { base, head, installPublisher, mallorys, robust, startPublishing, weak } from '../support/github/publishing.js'
import type { Publishing } from '../support/github/publishing.js'
import type { InstalledAction } from '../support/github/runner.js'

/**
 * Two open pull requests of one head, into two branches, published by the second of two workflows. A check run is the commit's: the
 * one that judged the first must not let the second in.
 */

let action: InstalledAction
beforeAll(async () => {
  action = await installPublisher()
})
afterAll(() => action.remove())

let scene: Publishing
beforeEach(async () => {
  scene = await startPublishing(action)
})
afterEach(() => scene.close())

const first = 77
const second = 78
const shown = () => scene.github.checkRuns.at(-1)
const openSecond = () => void scene.runs.pulls.push({ ...mallorys, number: 3, baseSha: 'b'.repeat(40) })

test('the green check of the first does not stay: the commit’s is red, and says why and what to do', async () => {
  scene.uploadResults(robust)
  await scene.publish({ id: first })
  expect(shown()).toMatchObject({ conclusion: 'success' })

  openSecond()
  scene.runs.artifacts.length = 0
  scene.uploadResults(weak, base)
  scene.runs.artifacts[0] = { ...scene.runs.artifacts[0], run: second }
  const outcome = await scene.publish({ id: second })

  const sentence =
    /The pull requests 2 and 3 have the same head, and a check run belongs to a commit, not to a pull request.*close/
  expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'error' }, errors: [], warnings: [] })
  expect(outcome.summary).toMatch(sentence)
  const { external_id } = scene.github.checkRuns[0]
  expect(shown()).toMatchObject({ name: 'Robustness gate', external_id, head_sha: head, conclusion: 'failure' })
  expect(shown()?.output.title).toContain('the pull requests 2 and 3 have the same head')
  expect(shown()?.output.summary).toMatch(sentence)
  expect(shown()?.details_url).toContain(`/actions/runs/${second}`)
  // That of the first, from before.
  expect(scene.github.comments.map(({ pullRequest }) => pullRequest)).toEqual([2])
})

test('without an earlier check there is a red one, too, and no comment', async () => {
  openSecond()
  scene.uploadResults(robust)
  expect(await scene.publish()).toMatchObject({ status: 0, errors: [], warnings: [] })
  expect(scene.github.checkRuns).toEqual([expect.objectContaining({ head_sha: head, conclusion: 'failure' })])
  expect(scene.github.comments).toEqual([])
})

test('once one of them is closed the other is judged again, by whichever run, the older too', async () => {
  openSecond()
  scene.uploadResults(robust)
  await scene.publish({ id: second })
  expect(shown()).toMatchObject({ conclusion: 'failure' })

  scene.runs.pulls[1] = { ...scene.runs.pulls[1], state: 'closed' }
  expect(await scene.publish({ id: first })).toMatchObject({ status: 0, outputs: { verdict: 'pass' } })
  expect(shown()).toMatchObject({ conclusion: 'success', external_id: scene.github.checkRuns[0].external_id })
})

describe('where GitHub does not take it', () => {
  test.each(['403 without a word', '422', '500', 'a reset'])(
    '%s: one warning, and summary and status as ever',
    async (name) => {
      const held = heldJob()
      scene.github.onStall = held.onStall
      scene.github.faultAt = (_, operation) => (operation.startsWith('checks/') ? everyFault[name] : undefined)
      openSecond()
      const outcome = await scene.publish({}, {}, undefined, held)
      expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'error' }, errors: [] })
      expect(outcome.warnings).toEqual([expect.stringMatching(/check run (could not be posted|was skipped)/)])
      expect(outcome.summary).toContain('The pull requests 2 and 3 have the same head')
      expect([...scene.github.comments, ...scene.github.checkRuns]).toEqual([])
    },
  )
})
