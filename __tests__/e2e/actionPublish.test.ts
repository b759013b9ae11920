import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { compare, errorComparison } from '../../src/comparison/compare.js'
import { parseConfig } from '../../src/config/parse.js'
import { formatResults } from '../../src/evaluation/resultsFile.js'
import { exampleOf } from '../support/github/payloads.js'
import {
  base,
  config,
  head,
  installPublisher,
  mallorys,
  other,
  robust,
  startPublishing,
  weak,
} from '../support/github/publishing.js'
import type { Publishing } from '../support/github/publishing.js'
import { runJob } from '../support/github/runner.js'
import type { InstalledAction } from '../support/github/runner.js'
import type { HostedPull } from '../support/github/workflowRuns.js'

/**
 * The second of two workflows: it holds the token and publishes what a stranger's run uploaded. The installed action lacks
 * the child's program and the native runtime, so that nothing here can load a model.
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

function nothingPosted(): void {
  expect([...scene.github.comments, ...scene.github.checkRuns]).toEqual([])
}

describe('a pull request from a fork, whose own run had no permissions', () => {
  test('gets its comment and a red check on its head; both say whose word the figures are', async () => {
    scene.uploadResults(weak)
    const outcome = await scene.publish({ conclusion: 'failure' })
    expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'regression' }, warnings: [], errors: [] })
    expect(scene.github.comments).toEqual([
      expect.objectContaining({ pullRequest: 2, body: expect.stringContaining('❌ **Regression**') }),
    ])
    expect(scene.github.comments[0].body).toContain('which ran without permissions on what the pull request brought')
    expect(scene.github.comments[0].body).toContain('/actions/runs/77')
    expect(scene.github.checkRuns).toEqual([expect.objectContaining({ head_sha: head, conclusion: 'failure' })])
    expect(outcome.summary).toContain('which ran without permissions')
  })

  test('passes with a model that is as robust', async () => {
    scene.uploadResults(robust)
    expect(await scene.publish()).toMatchObject({ status: 0, outputs: { verdict: 'pass' } })
    expect(scene.github.checkRuns).toEqual([expect.objectContaining({ head_sha: head, conclusion: 'success' })])
  })

  test('that changes workflow files gets a warning: what ran was its own', async () => {
    scene.runs.pulls[0] = { ...mallorys, files: ['.github/workflows/robustness.yml', 'models/classifier.onnx'] }
    scene.uploadResults(robust)
    await scene.publish()
    expect(scene.github.comments[0].body).toContain('what ran may have been another workflow')
  })

  test('that changes data or config gets a word of it, although that run was the pull request’s', async () => {
    scene.runs.pulls[0] = { ...mallorys, files: ['data/test.npz', 'robustness.yml'] }
    scene.uploadResults(robust)
    await scene.publish({}, { data: 'data/test.npz' })
    const { body } = scene.github.comments[0]
    expect(body).toContain('changes the config (robustness.yml). It is judged by the one of the default branch')
    expect(body).toContain('changes the data (data/test.npz)')
  })

  test('whose run found the baseline broken is not let through as a first adoption', async () => {
    const absence = { state: 'broken', why: 'the archive ends early' } as const
    const { policy } = parseConfig({ flags: {} })
    const comparison = compare(robust, undefined, policy, { absence })
    scene.upload({ 'results.json': formatResults(robust), 'comparison.json': JSON.stringify(comparison) })
    expect(await scene.publish()).toMatchObject({ status: 0, outputs: { verdict: 'inconclusive' } })
    expect(scene.github.checkRuns).toEqual([expect.objectContaining({ head_sha: head, conclusion: 'failure' })])
    expect(scene.github.comments[0].body).toContain('the archive ends early')
  })

  test('whose run uploaded no results of a baseline, and no word why, is not let through either', async () => {
    scene.upload({ 'results.json': formatResults(robust) })
    expect(await scene.publish()).toMatchObject({ outputs: { verdict: 'inconclusive' } })
    expect(scene.github.checkRuns).toEqual([expect.objectContaining({ conclusion: 'failure' })])
  })

  test('whose run says that its evaluation broke gets that error', async () => {
    const comparison = errorComparison('the baseline ran out of memory', { failed: 'baseline' })
    scene.upload({ 'results.json': formatResults(robust), 'comparison.json': JSON.stringify(comparison) })
    expect(await scene.publish()).toMatchObject({ status: 0, outputs: { verdict: 'error' } })
    expect(scene.github.comments[0].body).toContain('ran out of memory')
  })

  test('whose branch has the name of somebody else’s gets its own comment', async () => {
    scene.runs.pulls.unshift({ ...mallorys, number: 3, from: 'eve/Hello-World', sha: other })
    scene.uploadResults(robust)
    await scene.publish()
    expect(scene.github.comments.map(({ pullRequest }) => pullRequest)).toEqual([2])
  })

  test('from a merge queue there is a check run and no comment', async () => {
    scene.uploadResults(robust)
    await scene.publish({ event: 'merge_group', head_branch: 'gh-readonly-queue/main/pr-2' })
    expect(scene.github.comments).toEqual([])
    expect(scene.github.checkRuns).toEqual([expect.objectContaining({ head_sha: head, conclusion: 'success' })])
  })
})

describe('nothing is posted, and one sentence says why', () => {
  test.each<[string, Partial<HostedPull>, object, RegExp]>([
    ['the run was cancelled', {}, { conclusion: 'cancelled' }, /^Run 77 was ended early \(cancelled\)/],
    ['the pull request is closed', { state: 'closed' }, {}, /^Pull request 2 is closed/],
    ['the pull request moved on', { sha: other }, {}, /^Pull request 2 has moved on from c0ffee\w* to bad/],
    ['the fork was deleted', {}, { head_repository: null }, /^The repository or branch .* is gone/],
    ['there is no such pull request', { branch: 'else' }, {}, /^There is no pull request from the branch feature/],
  ])('%s', async (_, pull, run, sentence) => {
    scene.runs.pulls[0] = { ...mallorys, ...pull }
    scene.uploadResults(robust)
    const outcome = await scene.publish(run)
    expect(outcome).toMatchObject({ status: 0, errors: [], warnings: [] })
    expect(outcome.summary.replaceAll('\u2060', '')).toMatch(sentence)
    nothingPosted()
  })
})

describe('without results the verdict is an error, never a pass', () => {
  async function told(sentence: RegExp, run: object = {}): Promise<void> {
    expect(await scene.publish(run)).toMatchObject({ status: 0, outputs: { verdict: 'error' } })
    expect(scene.github.comments[0].body).toContain('🛑 **Error**')
    expect(scene.github.comments[0].body.replaceAll('\u2060', '').replaceAll('&#95;', '_')).toMatch(sentence)
    expect(scene.github.checkRuns).toEqual([expect.objectContaining({ head_sha: head, conclusion: 'failure' })])
  }

  test('the run broke before it had any', () =>
    told(/run 77 ended \(failure\) before it had/, { conclusion: 'failure' }))

  test('the workflow does not upload them', () => told(/uploaded no artifact whose name begins with robustness-gate/))

  test('there are several artifacts, and none is named', async () => {
    for (const name of ['robustness-gate-a', 'robustness-gate-b']) scene.upload({ 'results.json': '{}' }, { name })
    await told(/several artifacts \(robustness-gate-b, robustness-gate-a\); name one/)
  })

  test('the artifact has expired', async () => {
    scene.upload({ 'results.json': formatResults(robust) }, { expired: true })
    await told(/has expired; run that workflow again: repeat the run or, after a month, push a commit/)
  })

  test('the artifact is another run’s', async () => {
    scene.upload({ 'results.json': formatResults(robust) }, { run: 78 })
    await told(/uploaded no artifact/)
  })
})

test('several gates publish one artifact each, under their own names', async () => {
  for (const name of ['robustness-gate-a', 'robustness-gate-b'])
    scene.upload(
      { 'results.json': formatResults(name.endsWith('a') ? robust : weak), 'baseline.json': formatResults(base) },
      { name },
    )
  for (const gate of ['a', 'b']) await scene.publish({}, { artifact: `robustness-gate-${gate}`, 'check-name': gate })
  expect(scene.github.checkRuns).toEqual([
    expect.objectContaining({ name: 'a', conclusion: 'success' }),
    expect.objectContaining({ name: 'b', conclusion: 'failure' }),
  ])
})

describe('a workflow that has to be mended ends with status 2', () => {
  test('it checked out the pull request’s head', async () => {
    const fork = await scene.hosted.commit('feature', { 'robustness.yml': `${config}failOn: never\n` }, 'main')
    scene.uploadResults(weak)
    const outcome = await scene.publish({ head_sha: fork }, {}, await scene.hosted.checkout(fork, 1))
    expect(outcome.status).toBe(2)
    expect(outcome.errors).toEqual([expect.stringMatching(/workspace holds the pull request’s own files/)])
    nothingPosted()
  })

  test('its config cannot be read: the pull request is not left without a check', async () => {
    const outcome = await scene.publish({}, { config: 'missing.yml' })
    expect(outcome.status).toBe(2)
    expect(scene.github.checkRuns).toEqual([expect.objectContaining({ head_sha: head, conclusion: 'failure' })])
  })

  test('it lacks mode: publish, and would load a model beside the token', async () => {
    const outcome = await scene.publish({}, { mode: 'gate' })
    expect(outcome.status).toBe(2)
    expect(outcome.errors).toEqual([expect.stringContaining('write mode: publish here')])
  })

  test('mode: publish on another event', async () => {
    const job = { event: 'pull_request', payload: exampleOf('pull_request'), sha: head, apiUrl: scene.github.url }
    const { workspace } = scene
    const outcome = await runJob(action, { ...job, workspace, token: 'ghs_writes', inputs: { mode: 'publish' } })
    expect(outcome.status).toBe(2)
    expect(outcome.errors).toEqual([expect.stringContaining('mode: publish is for the event workflow_run')])
  })
})

describe('what the network does', () => {
  const refused = { status: 403, body: { message: 'Resource not accessible by integration', documentation_url: '' } }

  test.each([
    ['actions/list-workflow-run-artifacts', refused],
    ['actions/download-artifact', { status: 410, body: { message: 'Gone' } }],
  ])(
    'no results (%s): the verdict is an error, and the job fails so that it is run again',
    async (operation, reply) => {
      scene.uploadResults(robust)
      scene.github.breakOperation(operation, reply)
      const outcome = await scene.publish()
      expect(outcome).toMatchObject({ status: 3, outputs: { verdict: 'error' }, warnings: [] })
      expect(outcome.errors).toEqual([expect.stringContaining('the job needs actions: read')])
      expect(outcome.summary).toContain('the job needs actions')
      expect(scene.github.checkRuns).toEqual([expect.objectContaining({ head_sha: head, conclusion: 'failure' })])
    },
  )

  test.each([
    ['pulls/list', 'no comment is posted', 0],
    ['pulls/list-files', 'files could not be listed', 1],
  ])(
    'nothing from %s: one warning, the verdict stays and the check run is there',
    async (operation, warning, comments) => {
      scene.uploadResults(weak)
      scene.github.breakOperation(operation, { status: 404, body: { message: 'Not Found' } })
      const outcome = await scene.publish()
      expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'regression' } })
      expect(outcome.warnings).toEqual([expect.stringContaining(warning)])
      expect(scene.github.comments).toHaveLength(comments)
      expect(scene.github.checkRuns).toEqual([expect.objectContaining({ head_sha: head, conclusion: 'failure' })])
    },
  )

  test.each([
    [
      ['pulls/list', 'checks/create'],
      ['no comment is posted', 'The check run could not be posted'],
    ],
    [
      ['pulls/list-files', 'issues/create-comment'],
      ['files could not be listed', 'The comment could not be posted'],
    ],
  ])('nothing from %j: both are told of in one warning', async (operations, sentences) => {
    scene.uploadResults(weak)
    for (const operation of operations)
      scene.github.breakOperation(operation, { status: 404, body: { message: 'Not Found' } })
    const outcome = await scene.publish()
    expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'regression' } })
    expect(outcome.warnings).toEqual([expect.stringMatching(new RegExp(sentences.join('.*')))])
  })
})
