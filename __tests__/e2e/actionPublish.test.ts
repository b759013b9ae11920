import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { strToU8, zipSync } from 'fflate'
import { parseConfig } from '../../src/config/parse.js'
import { suiteOf } from '../../src/evaluation/evaluate.js'
import type { Results } from '../../src/evaluation/results.js'
import { formatResults } from '../../src/evaluation/resultsFile.js'
import { summarise } from '../../src/evaluation/summarise.js'
import { fates, handmadeBaseline, handmadeResults } from '../comparison/handmade.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { exampleOf } from '../support/github/payloads.js'
import { hostRepository } from '../support/github/repository.js'
import type { HostedRepository } from '../support/github/repository.js'
import { installAction, runJob } from '../support/github/runner.js'
import type { InstalledAction, Outcome } from '../support/github/runner.js'
import { hostRuns } from '../support/github/workflowRuns.js'
import type { HostedPull, HostedRuns } from '../support/github/workflowRuns.js'

/**
 * The second of two workflows: it holds the token and publishes what a stranger's run uploaded. The installed action lacks
 * the child's program and the native runtime, so that nothing here can load a model.
 */
const config = 'epsilon: 0.1\nsuite: standard@1\n'
const suite = suiteOf(parseConfig({ file: { name: 'robustness.yml', text: config } }))
const robust = handmadeResults(fates('R', 150, 'p', 50), { suite })
const base = handmadeBaseline(fates('R', 150, 'p', 50), { suite })
const weak = handmadeResults(fates('R', 30, 'p', 170), { suite })

const head = 'c0ffee'.padEnd(40, '0')
const other = 'bad'.padEnd(40, '0')
const mallorys: HostedPull = {
  number: 2,
  from: 'mallory/Hello-World',
  branch: 'feature',
  sha: head,
  baseSha: 'a'.repeat(40),
}

let action: InstalledAction
beforeAll(async () => {
  action = await installAction()
  for (const part of ['worker', 'bin', 'cli']) await rm(join(action.folder, 'dist', part), { recursive: true })
})
afterAll(() => action.remove())

let runs: HostedRuns
let github: LoopbackGitHub
let hosted: HostedRepository
let workspace: string
beforeEach(async () => {
  runs = hostRuns()
  runs.pulls.push(mallorys)
  hosted = await hostRepository()
  workspace = await hosted.checkout(await hosted.commit('main', { 'robustness.yml': config }), 1)
  github = await startGitHub({
    repository: 'Codertocat/Hello-World',
    pullRequests: [2],
    tokens: { ghs_writes: actionsToken },
    extensions: [runs],
  })
})
afterEach(async () => {
  await hosted.remove()
  await github.close()
})

type Files = Readonly<Record<string, string | Uint8Array>>

function upload(files: Files, { name = 'robustness-gate-results', expired = false, run = 77 } = {}): void {
  const packed = Object.entries(files).map(([path, content]) => [
    path,
    typeof content === 'string' ? strToU8(content) : content,
  ])
  runs.artifacts.push({ run, name, expired, zip: zipSync(Object.fromEntries(packed)) })
}

function uploadResults(candidate: Results, baseline: Results = base, more: Files = {}): void {
  upload({
    'results.json': formatResults(candidate),
    'baseline.json': formatResults(baseline),
    ...more,
  })
}

function publish(changes: object = {}, inputs: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const example = exampleOf('workflow_run')
  const ofFork = { full_name: mallorys.from, owner: { login: 'mallory' } }
  const payload = {
    ...example,
    workflow_run: {
      ...example.workflow_run,
      ...{ id: 77, run_attempt: 1, event: 'pull_request', conclusion: 'success' },
      ...{ head_sha: head, head_branch: 'feature', head_repository: ofFork, pull_requests: [] },
      ...changes,
    },
  }
  return runJob(action, {
    ...{ event: 'workflow_run', payload, sha: 'd'.repeat(40), workspace, apiUrl: github.url, token: 'ghs_writes' },
    inputs: { mode: 'publish', config: 'robustness.yml', ...inputs },
  })
}

function nothingPosted(): void {
  expect([...github.comments, ...github.checkRuns]).toEqual([])
}

describe('a pull request from a fork, whose own run had no permissions', () => {
  test('gets its comment and a red check on its head; both say whose word the figures are', async () => {
    uploadResults(weak)
    const outcome = await publish({ conclusion: 'failure' })
    expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'regression' }, warnings: [], errors: [] })
    expect(github.comments).toEqual([
      expect.objectContaining({ pullRequest: 2, body: expect.stringContaining('❌ **Regression**') }),
    ])
    expect(github.comments[0].body).toContain('which ran without permissions on what the pull request brought')
    expect(github.comments[0].body).toContain('/actions/runs/77')
    expect(github.checkRuns).toEqual([expect.objectContaining({ head_sha: head, conclusion: 'failure' })])
    expect(outcome.summary).toContain('which ran without permissions')
  })

  test('passes with a model that is as robust', async () => {
    uploadResults(robust)
    expect(await publish()).toMatchObject({ status: 0, outputs: { verdict: 'pass' } })
    expect(github.checkRuns).toEqual([expect.objectContaining({ head_sha: head, conclusion: 'success' })])
  })

  test('that changes workflow files gets a warning: what ran was its own', async () => {
    runs.pulls[0] = { ...mallorys, files: ['.github/workflows/robustness.yml', 'models/classifier.onnx'] }
    uploadResults(robust)
    await publish()
    expect(github.comments[0].body).toContain('what ran may have been another workflow')
  })

  test('whose branch has the name of somebody else’s gets its own comment', async () => {
    runs.pulls.unshift({ ...mallorys, number: 3, from: 'eve/Hello-World', sha: other })
    uploadResults(robust)
    await publish()
    expect(github.comments.map(({ pullRequest }) => pullRequest)).toEqual([2])
  })

  test('from a merge queue there is a check run and no comment', async () => {
    uploadResults(robust)
    await publish({ event: 'merge_group', head_branch: 'gh-readonly-queue/main/pr-2' })
    expect(github.comments).toEqual([])
    expect(github.checkRuns).toEqual([expect.objectContaining({ head_sha: head, conclusion: 'success' })])
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
    runs.pulls[0] = { ...mallorys, ...pull }
    uploadResults(robust)
    const outcome = await publish(run)
    expect(outcome).toMatchObject({ status: 0, errors: [], warnings: [] })
    expect(outcome.summary).toMatch(sentence)
    nothingPosted()
  })
})

describe('without results the verdict is an error, never a pass', () => {
  async function told(sentence: RegExp, run: object = {}): Promise<void> {
    expect(await publish(run)).toMatchObject({ status: 0, outputs: { verdict: 'error' } })
    expect(github.comments[0].body).toContain('🛑 **Error**')
    expect(github.comments[0].body.replaceAll('\u2060', '').replaceAll('&#95;', '_')).toMatch(sentence)
    expect(github.checkRuns).toEqual([expect.objectContaining({ head_sha: head, conclusion: 'failure' })])
  }

  test('the run broke before it had any', () =>
    told(/run 77 ended \(failure\) before it had/, { conclusion: 'failure' }))

  test('the workflow does not upload them', () => told(/uploaded no artifact whose name begins with robustness-gate/))

  test('there are several artifacts, and none is named', async () => {
    for (const name of ['robustness-gate-a', 'robustness-gate-b']) upload({ 'results.json': '{}' }, { name })
    await told(/several artifacts \(robustness-gate-b, robustness-gate-a\); name one/)
  })

  test('the artifact has expired', async () => {
    upload({ 'results.json': formatResults(robust) }, { expired: true })
    await told(/has expired; run that workflow again/)
  })

  test('the artifact is another run’s', async () => {
    upload({ 'results.json': formatResults(robust) }, { run: 78 })
    await told(/uploaded no artifact/)
  })
})

describe('hostile files', () => {
  async function refused(sentence: RegExp): Promise<void> {
    const outcome = await publish()
    expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'error' } })
    expect(github.checkRuns).toEqual([expect.objectContaining({ head_sha: head, conclusion: 'failure' })])
    expect(outcome.summary.replaceAll('\u2060', '')).toMatch(sentence)
  }

  test('a bomb: a file that unpacks to more than is allowed', async () => {
    upload({ 'results.json': new Uint8Array(65 * 2 ** 20) })
    await refused(/would unpack to \d+ bytes, more than the limit/)
  })

  test('no zip at all', async () => {
    runs.artifacts.push({ run: 77, name: 'robustness-gate-results', zip: strToU8('not a zip') })
    await refused(/is not a readable zip archive/)
  })

  test('paths that lead out of the folder are not followed', async () => {
    upload({ '../results.json': formatResults(robust), '/results.json': formatResults(robust) })
    await refused(/has no results\.json at its top/)
  })

  test('another schema', async () => {
    upload({ 'results.json': '{"schema":"robustness-gate/results/1","samples":"all robust"}' })
    await refused(/is no valid results file/)
  })

  test('a summary that the images contradict', async () => {
    const claimed = { ...weak, summary: robust.summary }
    uploadResults(claimed)
    await refused(/summary\.[^ ]* is not what the samples say/)
  })

  test('arrays nested deeper than the stack', async () => {
    upload({ 'results.json': '['.repeat(1_000_000) })
    await refused(/results\.json/)
  })

  test('an attack that is easier to withstand than the config’s', async () => {
    const weaker = { ...suite, attacks: suite.attacks.map((attack) => ({ ...attack, steps: 1 })) }
    const easier = (results: Results): Results => ({ ...results, suite: weaker })
    uploadResults(easier(robust), easier(base))
    await refused(/were not made as the config asks/)
  })

  test('a verdict, a config and a commit of its own are not looked at', async () => {
    const verdict = { outcome: 'pass', fails: false }
    uploadResults(weak, base, {
      'comparison.json': JSON.stringify({ schema: 'robustness-gate/comparison/1', verdict, headSha: other }),
      'event.json': JSON.stringify({ pull_request: { number: 3, head: { sha: other } } }),
      'robustness.yml': 'failOn: never',
    })
    expect(await publish()).toMatchObject({ outputs: { verdict: 'regression' } })
    expect(github.comments.map(({ pullRequest }) => pullRequest)).toEqual([2])
    expect(github.checkRuns).toEqual([expect.objectContaining({ head_sha: head, conclusion: 'failure' })])
  })

  test('names that are markdown, mentions and orders to the runner stay names', async () => {
    const classNames = Array.from(
      { length: 10 },
      (_, label) => `${label} | </details> @octocat ![x](https://e.example/x)`,
    )
    const named = (results: Results): Results => ({
      ...results,
      model: { ...results.model, name: '::error::gone\n::stop-commands::x\n<img src=x>' },
      data: { ...results.data, classNames },
      summary: summarise(results.samples, { ...results, attacks: results.suite.attacks, classNames }),
    })
    uploadResults(named(weak), named(base))
    const { log, errors } = await publish()
    const { body } = github.comments[0]
    expect(body).toContain('❌ **Regression**')
    expect(body.replaceAll(/`[^`]*`/g, '')).not.toMatch(/<img|!\[|@octocat|<\/details> /)
    expect(body.match(/<details>/g) ?? []).toHaveLength((body.match(/<\/details>/g) ?? []).length)
    expect(log).not.toMatch(/^::(error|stop-commands::x)/m)
    expect(errors).toEqual([])
  })
})

describe('a workflow that has to be mended ends with status 2', () => {
  test('it checked out the pull request’s head', async () => {
    const fork = await hosted.commit('feature', { 'robustness.yml': `${config}failOn: never\n` }, 'main')
    workspace = await hosted.checkout(fork, 1)
    uploadResults(weak)
    const outcome = await publish({ head_sha: fork })
    expect(outcome.status).toBe(2)
    expect(outcome.errors).toEqual([expect.stringMatching(/workspace holds the pull request’s own files/)])
    nothingPosted()
  })

  test('its config cannot be read: the pull request is not left without a check', async () => {
    const outcome = await publish({}, { config: 'missing.yml' })
    expect(outcome.status).toBe(2)
    expect(github.checkRuns).toEqual([expect.objectContaining({ head_sha: head, conclusion: 'failure' })])
  })

  test('mode: publish on another event', async () => {
    const job = { event: 'pull_request', payload: exampleOf('pull_request'), sha: head, workspace, apiUrl: github.url }
    const outcome = await runJob(action, { ...job, token: 'ghs_writes', inputs: { mode: 'publish' } })
    expect(outcome.status).toBe(2)
    expect(outcome.errors).toEqual([expect.stringContaining('mode: publish is for the event workflow_run')])
  })
})

describe('what the network does', () => {
  test('no download: an error that says to look here, exit status 3', async () => {
    uploadResults(robust)
    github.breakOperation('actions/download-artifact', { status: 410, body: { message: 'Gone' } })
    expect(await publish()).toMatchObject({ status: 3, outputs: { verdict: 'error' } })
    expect(github.checkRuns).toEqual([expect.objectContaining({ conclusion: 'failure' })])
  })

  test('no look-up of the pull request: one warning, and the check run is there', async () => {
    uploadResults(weak)
    github.breakOperation('pulls/list', {
      status: 422,
      body: { message: 'Validation Failed', documentation_url: 'https://docs.github.com/rest' },
    })
    const outcome = await publish()
    expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'regression' } })
    expect(outcome.warnings).toEqual([expect.stringContaining('no comment is posted')])
    expect(github.comments).toEqual([])
    expect(github.checkRuns).toEqual([expect.objectContaining({ head_sha: head, conclusion: 'failure' })])
  })
})
