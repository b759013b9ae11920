import { readFileSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { hostLabels } from '../support/github/labels.js'
import type { HostedLabels, LabelEvent } from '../support/github/labels.js'
import { actionsToken, notAccessible, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { exampleOf, pullRequestFrom } from '../support/github/payloads.js'
import { hostRepository } from '../support/github/repository.js'
import type { Content, HostedRepository } from '../support/github/repository.js'
import { startResultsService } from '../support/github/resultsService.js'
import type { ResultsService } from '../support/github/resultsService.js'
import { installAction, runJob } from '../support/github/runner.js'
import type { InstalledAction, Job, Outcome } from '../support/github/runner.js'

/** The built action lets a weaker model through when a person has said so, and only that model. */

const label = 'robustness-regression-accepted'
const model = 'models/classifier.onnx'
const hardened = readFileSync('fixtures/fashion/fashion-hardened.onnx')
const finetuned = readFileSync('fixtures/fashion/fashion-finetuned.onnx')
/** With a word of documentation (field 6): it does the same, and is another model all the same. */
const retrained = Buffer.concat([finetuned, Buffer.from([0x32, 1, 0x61])])
const start: Content = {
  [model]: hardened,
  'data/test.npz': readFileSync('fixtures/fashion/fashion-test.npz'),
  'robustness.yml': `model: ${model}\ndata: data/test.npz\nepsilon: 0.1\nsamples: 16\nsuite: quick\n`,
}

let action: InstalledAction
beforeAll(async () => {
  action = await installAction()
})
afterAll(() => action.remove())

let github: LoopbackGitHub
let hosted: HostedRepository
let service: ResultsService
let labels: HostedLabels
let base: string
beforeEach(async () => {
  labels = hostLabels()
  labels.pulls.push({ number: 2, author: 'octocat', base: 'main', commits: [], events: [] })
  hosted = await hostRepository()
  service = await startResultsService()
  github = await startGitHub({
    ...{ repository: 'Codertocat/Hello-World', pullRequests: [2], extensions: [labels] },
    tokens: { ghs_writes: actionsToken },
  })
  base = await hosted.commit('main', start)
})
afterEach(async () => {
  await service.close()
  await hosted.remove()
  await github.close()
})

async function run(job: Pick<Job, 'workspace' | 'event' | 'payload' | 'sha'>, inputs = {}): Promise<Outcome> {
  const temporary = join(hosted.folder, 'temporary')
  await mkdir(temporary, { recursive: true })
  const environment = { ...service.environment, RUNNER_TEMP: temporary }
  const given = { config: 'robustness.yml', ...inputs }
  return runJob(action, { apiUrl: github.url, token: 'ghs_writes', inputs: given, environment, ...job })
}

/** A commit on the pull request's branch. */
async function pushed(files: Content): Promise<string> {
  const head = await hosted.commit('feature', files, base)
  labels.pulls[0].commits = [...labels.pulls[0].commits, head]
  github.heads.set(2, head)
  return head
}

/** A run on the pull request. What its payload says of labels is wrong, as when it is run again. */
async function onPull(head: string, payload: object = {}, inputs = {}): Promise<Outcome> {
  const merge = await hosted.merge(2, base, head)
  const example = pullRequestFrom(head, base)
  const pull = { ...example.pull_request, labels: [{ name: payload === unlabeled ? label : 'bug' }] }
  const workspace = await hosted.checkout(merge, 1)
  return run(
    { workspace, event: 'pull_request', sha: merge, payload: { ...example, ...payload, pull_request: pull } },
    inputs,
  )
}
const labeled = { action: 'labeled' }
const unlabeled = { action: 'unlabeled' }

function set(event: LabelEvent['event'] = 'labeled', who = 'mona'): void {
  labels.pulls[0].events.push({ event, label, who, when: github.now() })
}

const newestCheck = () => github.checkRuns.at(-1)
const words = (text: string) => text.replaceAll('\u2060', '')

async function accepted(): Promise<string> {
  const head = await pushed({ [model]: finetuned })
  expect((await onPull(head)).status).toBe(1)
  set()
  return head
}

describe('on the pull request', () => {
  test('a regression fails, and log and comment name the label that would accept it', async () => {
    const outcome = await onPull(await pushed({ [model]: finetuned }))
    expect(outcome).toMatchObject({ status: 1, warnings: [] })
    expect(outcome.errors).toEqual([expect.stringContaining(`with the label “${label}” on pull request 2`)])
    expect(words(github.comments[0].body)).toContain(`with the label “${label}” on pull request 2`)
  })

  test('the label turns it into success; who set it and when is in comment, check, summary and comparison.json', async () => {
    const head = await accepted()
    const outcome = await onPull(head, labeled)
    expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'regression' }, warnings: [], errors: [] })
    expect(newestCheck()).toMatchObject({ head_sha: head, conclusion: 'success' })
    const sentence = `Accepted by mona, on 2026-01-01 at 00:02 UTC with the label “${label}” on pull request 2, after`
    for (const text of [github.comments[0].body, newestCheck()?.output.summary ?? '', outcome.summary])
      expect(words(text)).toContain(sentence)
    expect(github.comments[0].body).toContain('☑️ **Regression (accepted by mona)**')
    const comparison = JSON.parse(await readFile(outcome.outputs.comparison, 'utf8')) as object
    expect(comparison).toMatchObject({
      verdict: {
        outcome: 'regression',
        fails: false,
        acceptance: { who: 'mona', when: '2026-01-01T00:02:00Z', label },
      },
    })
  })

  test('setting the label and taking it off decide again without an attack: green, then red', async () => {
    const head = await accepted()
    const stored = service.entries.length
    const green = await onPull(head, labeled)
    set('unlabeled')
    const red = await onPull(head, unlabeled)
    expect([green.status, red.status]).toEqual([0, 1])
    expect(newestCheck()).toMatchObject({ conclusion: 'failure' })
    expect(github.comments[0].body).toContain('❌ **Regression**')
    for (const { summary } of [green, red]) expect(summary.match(/results were found in the cache/g)).toHaveLength(2)
    expect(service.entries).toHaveLength(stored)
  })

  test('a label that was there before the gate had told of the model does not count, until it is set anew', async () => {
    set()
    const head = await pushed({ [model]: finetuned })
    const early = await onPull(head)
    expect(early).toMatchObject({ status: 1, warnings: [] })
    expect(early.errors).toEqual([expect.stringContaining('a new model needs a new decision')])
    expect(await onPull(head, labeled)).toMatchObject({ status: 1 })
    set('unlabeled')
    set()
    expect(await onPull(head, labeled)).toMatchObject({ status: 0 })
  })

  test('a new model needs a new decision; the same one on a new commit does not', async () => {
    await accepted()
    expect(await onPull(await pushed({ 'README.md': 'Words.' }))).toMatchObject({ status: 0 })
    const next = await pushed({ [model]: retrained })
    const outcome = await onPull(next)
    expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'regression' } })
    expect(newestCheck()).toMatchObject({ head_sha: next, conclusion: 'failure' })
    expect(words(github.comments[0].body)).toContain('a new model needs a new decision')
  })

  test('a forced push with the same model keeps the decision, in the merge queue, too', async () => {
    const former = await accepted()
    labels.pulls[0].commits = []
    const rebased = await pushed({ 'README.md': 'Rebased.' })
    expect(await onPull(rebased, { action: 'synchronize', before: former })).toMatchObject({ status: 0 })
    expect(await onGroup(rebased)).toMatchObject({ status: 0 })
  })

  test('accept-label gives it another name, and none switches it off', async () => {
    const head = await accepted()
    const [other, none] = ['ok', 'none']
    const outcome = await onPull(head, labeled, { 'accept-label': other })
    expect(outcome.errors).toEqual([expect.stringContaining('the label “ok”')])
    const before = github.operations.length
    expect(await onPull(head, labeled, { 'accept-label': none })).toMatchObject({ status: 1 })
    expect(github.operations.slice(before)).not.toContain('issues/list-events')
  })
})

describe('never', () => {
  test('an error is accepted: nobody is asked', async () => {
    const head = await accepted()
    const outcome = await onPull(await pushed({ [model]: 'no model' }), labeled)
    expect(outcome).toMatchObject({ status: 2, outputs: { verdict: 'error' } })
    expect(head).toBeDefined()
    expect(github.operations).not.toContain('issues/list-events')
  })

  test('a label read with a token that may not: one warning, and it stays red', async () => {
    const head = await accepted()
    github.breakOperation('issues/list-events', notAccessible)
    const outcome = await onPull(head, labeled)
    expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'regression' } })
    expect(outcome.warnings).toEqual([expect.stringContaining('the token lacks `pull-requests: read`')])
  })

  test('a bot’s label', async () => {
    const head = await pushed({ [model]: finetuned })
    await onPull(head)
    set('labeled', 'github-actions[bot]')
    expect(await onPull(head, labeled)).toMatchObject({ status: 1 })
  })

  test('asked about a model that passes', async () => {
    expect(await onPull(await pushed({ 'README.md': 'Words.' }))).toMatchObject({ status: 0 })
    expect(github.operations).not.toContain('issues/list-events')
  })
})

async function onGroup(head: string): Promise<Outcome> {
  const group = await hosted.merge(2, base, head)
  const example = exampleOf('merge_group')
  const headRef = `refs/heads/gh-readonly-queue/main/pr-2-${base}`
  const merged = { ...example.merge_group, head_sha: group, base_sha: base, head_ref: headRef }
  const payload = { ...example, merge_group: merged }
  return run({ workspace: await hosted.checkout(group, 1), event: 'merge_group', payload, sha: group })
}

async function onMain(head: string): Promise<Outcome> {
  const after = await hosted.merge(2, base, head)
  labels.pulls[0].mergedAs = after
  const payload = { ...exampleOf('push'), ref: 'refs/heads/main', before: base, after, commits: [] }
  return run({ workspace: await hosted.checkout(after, 1), event: 'push', payload, sha: after })
}

describe('after the pull request', () => {
  test('the merge queue does not bounce what was accepted, nor does the push to main', async () => {
    const head = await accepted()
    for (const outcome of [await onGroup(head), await onMain(head)]) {
      expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'regression' }, warnings: [] })
      expect(words(outcome.summary)).toContain('Accepted by mona, on 2026-01-01 at 00:02 UTC')
    }
  })

  test('what was not accepted bounces from both', async () => {
    const head = await pushed({ [model]: finetuned })
    await onPull(head)
    expect([(await onGroup(head)).status, (await onMain(head)).status]).toEqual([1, 1])
  })
})
