import { readFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { repositoryContents } from '../support/github/contents.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { pullRequestFrom } from '../support/github/payloads.js'
import { hostRepository } from '../support/github/repository.js'
import type { Content, HostedRepository } from '../support/github/repository.js'
import { installAction, runJob } from '../support/github/runner.js'
import type { InstalledAction, Outcome } from '../support/github/runner.js'

/** The built action in a workspace that actions/checkout filled on a runner without git: the files, and no .git. */

const hardened = readFileSync('fixtures/fashion/fashion-hardened.onnx')
const finetuned = readFileSync('fixtures/fashion/fashion-finetuned.onnx')
const config = 'model: models/classifier.onnx\ndata: data/test.npz\nepsilon: 0.1\nsamples: 16\nsuite: quick\n'
const model = 'models/classifier.onnx'
const start: Content = {
  ...{
    [model]: hardened,
    'robustness.yml': config,
    'data/test.npz': readFileSync('fixtures/fashion/fashion-test.npz'),
  },
}

let action: InstalledAction
beforeAll(async () => {
  action = await installAction()
})
afterAll(() => action.remove())

let github: LoopbackGitHub
let hosted: HostedRepository
beforeEach(async () => {
  hosted = await hostRepository()
  github = await startGitHub({
    ...{ repository: 'Codertocat/Hello-World', pullRequests: [2], tokens: { ghs_writes: actionsToken } },
    extensions: [repositoryContents(join(hosted.folder, 'origin'))],
  })
})
afterEach(async () => {
  await hosted.remove()
  await github.close()
})

async function pullRequest(changes: Content, meanwhile?: Content, token = 'ghs_writes'): Promise<Outcome> {
  const root = await hosted.commit('main', start)
  const head = await hosted.commit('feature', changes, root)
  const base = meanwhile === undefined ? root : await hosted.commit('main', meanwhile)
  const workspace = await hosted.checkout(head, 1)
  await rm(join(workspace, '.git'), { recursive: true })
  const payload = pullRequestFrom(head, base)
  const temporary = join(hosted.folder, 'temporary')
  await mkdir(temporary)
  const inputs = { config: 'robustness.yml', cache: 'false', upload: 'false' }
  const environment = { RUNNER_TEMP: temporary }
  return runJob(action, {
    ...{ workspace, event: 'pull_request', payload, sha: head, apiUrl: github.url, token, inputs, environment },
  })
}

const lax: Content = { [model]: finetuned, 'robustness.yml': `${config}maxRobustDrop: 100\n` }

test('a pull request that raises the limit it is judged by is judged by the old one, and the report says so', async () => {
  const outcome = await pullRequest(lax)
  expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'regression' } })
  expect(outcome.summary).toContain('The pull request changes the config (robustness.yml).')
  // actions/checkout may have left either, and nothing shows which.
  expect(outcome.summary).toMatch(/Candidate.*no clone tells the commit of: the head’s, or those of GitHub’s merge/)
})

test('without a token it is not judged at all, in one line', async () => {
  const outcome = await pullRequest(lax, undefined, '')
  expect(outcome).toMatchObject({ status: 2, errors: [expect.stringContaining('there is no github-token')] })
})

test('a pull request that changes words is not held against a model that main has got since', async () => {
  const outcome = await pullRequest({ 'README.md': 'Better words.' }, { [model]: finetuned })
  expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'pass' }, warnings: [] })
  expect(outcome.summary).toContain('the model is unchanged')
})
