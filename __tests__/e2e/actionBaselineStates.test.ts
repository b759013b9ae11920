import { readFileSync } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { repositoryArtifacts } from '../support/github/branchArtifacts.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { exampleOf, pullRequestFrom } from '../support/github/payloads.js'
import { wordsOf } from '../support/github/publication.js'
import { hostRepository } from '../support/github/repository.js'
import type { Content, HostedRepository } from '../support/github/repository.js'
import { installAction, runJob } from '../support/github/runner.js'
import type { InstalledAction, Outcome } from '../support/github/runner.js'

/** What becomes of a model in each state that its baseline can be in, under each policy, on the built action. */

const model = 'models/classifier.onnx'
const rest: Content = {
  'data/test.npz': readFileSync('fixtures/fashion/fashion-test.npz'),
  'robustness.yml': `model: ${model}\ndata: data/test.npz\nepsilon: 0.1\nsamples: 16\nsuite: quick\n`,
}
const older: Content = { [model]: readFileSync('fixtures/fashion/fashion-hardened.onnx') }
const newer: Content = { [model]: readFileSync('fixtures/fashion/fashion-standard.onnx') }

let action: InstalledAction
let hosted: HostedRepository
let github: LoopbackGitHub
/** Results of the older model, as somebody may commit them. */
let results: object
beforeAll(async () => {
  action = await installAction()
  hosted = await hostRepository()
  const sha = await hosted.commit('main', { ...rest, ...older })
  const { outputs } = await runJob(action, {
    ...{
      workspace: await hosted.checkout(sha, 1),
      event: 'workflow_dispatch',
      sha,
      token: '',
      apiUrl: 'http://127.0.0.1:9',
    },
    ...{ payload: exampleOf('workflow_dispatch'), inputs: { config: 'robustness.yml', baseline: 'none' } },
  })
  results = JSON.parse(readFileSync(outputs.results, 'utf8')) as object
})
afterAll(async () => {
  await action.remove()
  await hosted.remove()
})

const tokens = { ghs_writes: actionsToken }
const expired = { run: 7, name: 'old', zip: new Uint8Array(), branch: 'main', expired: true }
beforeEach(async () => {
  const extensions = [repositoryArtifacts([expired])]
  github = await startGitHub({ repository: 'Codertocat/Hello-World', pullRequests: [2], tokens, extensions })
})
afterEach(() => github.close())

let branches = 0
/** A pull request with a newer model. */
async function judged(before: Content, inputs: Readonly<Record<string, string>>): Promise<Outcome> {
  branches += 1
  await hosted.commit('main', older)
  const base = await hosted.commit('main', { 'README.md': `${branches}`, ...before })
  const head = await hosted.commit(`feature-${branches}`, newer, base)
  const sha = await hosted.merge(2, base, head)
  github.heads.set(2, head)
  return runJob(action, {
    ...{ workspace: await hosted.checkout(sha, 1), event: 'pull_request', payload: pullRequestFrom(head, base) },
    ...{ sha, apiUrl: github.url, token: 'ghs_writes', inputs: { config: 'robustness.yml', ...inputs } },
  })
}

const committed = (changes: object = {}): Content => ({
  ...older,
  'old.json': JSON.stringify({ ...results, ...changes }),
})

/** State → what is at the base commit, the inputs that make it so, and what the report calls it. */
const states: Readonly<Record<string, readonly [() => Content, Readonly<Record<string, string>>, string]>> = {
  missing: [() => ({ [model]: null }), {}, 'The baseline was not found'],
  expired: [() => older, { baseline: 'artifact:old/classifier.onnx' }, 'The baseline has expired'],
  broken: [() => ({ ...older, [model]: '' }), {}, 'The baseline is broken'],
  different: [
    () => committed({ seed: 7 }),
    { baseline: 'results:old.json' },
    'The baseline was made with another suite, other data or another seed',
  ],
}

const passes = { status: 0, verdict: 'pass', conclusion: 'success' }
const blocks = { status: 1, verdict: 'inconclusive', conclusion: 'failure' }
const leavesOpen = { status: 0, verdict: 'inconclusive', conclusion: 'neutral' }

test.each(
  Object.entries(states).flatMap(([state, [before, inputs, words]]) => {
    const unknown = state === 'missing' ? passes : blocks
    const policies = [
      [{}, unknown],
      [{ 'on-missing-baseline': 'pass' }, passes],
      [{ 'on-missing-baseline': 'fail' }, blocks],
      [{ 'on-missing-baseline': 'fail', 'fail-on': 'never' }, leavesOpen],
    ] as const
    return policies.map(([policy, expected]) => [state, policy, { before, inputs, words, expected }] as const)
  }),
)('a baseline that is %s, %j', async (_, policy, { before, inputs, words, expected }) => {
  const { status, outputs, summary, warnings } = await judged(before(), { ...inputs, ...policy })
  const [{ conclusion }] = github.checkRuns
  expect({ status, verdict: outputs.verdict, conclusion, warnings }).toEqual({ ...expected, warnings: [] })
  // Never in silence: whoever reads the job or the pull request is told which state it was.
  for (const text of [summary, wordsOf(github.comments[0])]) expect(text).toMatch(new RegExp(words, 'i'))
  // What can be known of the candidate is.
  expect(outputs['robust-accuracy']).not.toBe('')
  expect(outputs['baseline-robust-accuracy']).toBe('')
})

test('a model that a step downloads, and git never held, is no first adoption on every pull request', async () => {
  const before = await hosted.commit('main', older)
  const base = await hosted.commit('downloading', { '.gitignore': '*.onnx\n', [model]: null }, before)
  const head = await hosted.commit('feature-downloaded', { 'README.md': 'Words.' }, base)
  const sha = await hosted.merge(2, base, head)
  github.heads.set(2, head)
  const workspace = await hosted.checkout(sha, 1)
  // The download: the weaker model that a comparison would not let through.
  await mkdir(join(workspace, 'models'), { recursive: true })
  await copyFile('fixtures/fashion/fashion-standard.onnx', join(workspace, model))
  const outcome = await runJob(action, {
    ...{ workspace, event: 'pull_request', payload: pullRequestFrom(head, base), sha, apiUrl: github.url },
    ...{ token: 'ghs_writes', inputs: { config: 'robustness.yml' } },
  })
  expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'inconclusive' }, warnings: [] })
  expect(outcome.summary).toContain(`git holds no ${model} in this commit either`)
})

test.each([
  ['data', () => ({ data: { ...(results as { data: object }).data, sha256: '0'.repeat(64) } })],
  ['suite', () => ({ suite: { ...(results as { suite: object }).suite, version: 2 } })],
])('results of other %s are not compared either, and the report says in what they differ', async (what, changes) => {
  const outcome = await judged(committed(changes()), { baseline: 'results:old.json' })
  expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'inconclusive' } })
  expect(outcome.summary).toContain(`they differ in ${what}`)
})

test('results of the same data, suite and seed are compared: what is above differs in nothing else', async () => {
  const outcome = await judged(committed(), { baseline: 'results:old.json' })
  expect(outcome.outputs['baseline-robust-accuracy']).not.toBe('')
})
