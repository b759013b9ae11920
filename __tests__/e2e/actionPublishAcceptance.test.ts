import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { hostLabels } from '../support/github/labels.js'
import type { HostedLabels } from '../support/github/labels.js'
import { pullRequestFrom } from '../support/github/payloads.js'
import { base, head, installPublisher, mallorys, startPublishing, weak } from '../support/github/publishing.js'
import type { Publishing } from '../support/github/publishing.js'
import { installAction, runJob } from '../support/github/runner.js'
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

test('both workflows: the first job stays red and names the label, which turns the check of the second green', async () => {
  const { github, hosted } = scene
  const model = 'models/classifier.onnx'
  const settings = `model: ${model}\ndata: data/test.npz\nepsilon: 0.1\nsamples: 16\nsuite: quick\ndecision: observed\n`
  const main = await hosted.commit('main', {
    [model]: readFileSync('fixtures/fashion/fashion-hardened.onnx'),
    'data/test.npz': readFileSync('fixtures/fashion/fashion-test.npz'),
    'robustness.yml': settings,
  })
  const sha = await hosted.commit('feature', { [model]: readFileSync('fixtures/fashion/fashion-finetuned.onnx') }, main)
  const merged = await hosted.merge(2, main, sha)
  const evaluating = await installAction()
  try {
    const evaluated = await runJob(evaluating, {
      ...{ event: 'pull_request', payload: pullRequestFrom(sha, main), sha: merged, apiUrl: github.url, token: '' },
      ...{ workspace: await hosted.checkout(merged, 1), inputs: { config: 'robustness.yml' } },
    })
    expect(evaluated).toMatchObject({ status: 1, outputs: { verdict: 'regression' } })
    const named = /the label “robustness-regression-accepted” on pull request 2\. .*mode: publish/
    expect(evaluated.errors).toEqual([expect.stringMatching(named)])
    expect(evaluated.summary).toMatch(named)
    expect(github.operations).toEqual([])

    const written = (name: string) => readFileSync(join(dirname(evaluated.outputs.results), name))
    const files = ['results.json', 'baseline.json', 'comparison.json'].map((name) => [name, written(name)] as const)
    scene.runs.artifacts.length = 0
    scene.upload(Object.fromEntries(files))
  } finally {
    await evaluating.remove()
  }
  scene.runs.pulls[0] = { ...mallorys, sha, baseSha: main }
  labels.pulls[0].commits = [sha]
  github.heads.set(2, sha)
  const ended = { head_sha: sha, conclusion: 'failure' }
  const publish = async (attempt: number) =>
    scene.publish({ ...ended, run_attempt: attempt }, {}, await hosted.checkout(main, 1))
  await publish(1)
  expect(conclusions()).toEqual(['failure'])
  set()
  expect(await publish(2)).toMatchObject({ status: 0, outputs: { verdict: 'regression' }, warnings: [] })
  expect(github.checkRuns.at(-1)).toMatchObject({ head_sha: sha, conclusion: 'success' })
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
