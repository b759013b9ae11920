import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { heldJob } from '../support/github/heldJob.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { exampleOf } from '../support/github/payloads.js'
import { wordsOf } from '../support/github/publication.js'
import { hostRepository } from '../support/github/repository.js'
import type { HostedRepository } from '../support/github/repository.js'
import { installAction, runJob } from '../support/github/runner.js'
import type { InstalledAction, Outcome } from '../support/github/runner.js'

/** What the built action posts when GitHub or other jobs get in its way: a weaker model, 16 images, blocked every time. */

const model = 'models/classifier.onnx'
const config = `model: ${model}\ndata: data/test.npz\nepsilon: 0.1\nsamples: 16\nsuite: quick\ndecision: observed\n`

let action: InstalledAction
let hosted: HostedRepository
let github: LoopbackGitHub
let head: string
let run: (inputs?: Record<string, string>, path?: string, environment?: Record<string, string>) => Promise<Outcome>

beforeAll(async () => {
  action = await installAction()
  hosted = await hostRepository()
  const base = await hosted.commit('main', {
    [model]: readFileSync('fixtures/fashion/fashion-hardened.onnx'),
    'data/test.npz': readFileSync('fixtures/fashion/fashion-test.npz'),
    'robustness.yml': config,
  })
  head = await hosted.commit('feature', { [model]: readFileSync('fixtures/fashion/fashion-finetuned.onnx') }, base)
  const sha = await hosted.merge(2, base, head)
  const example = exampleOf('pull_request')
  const pull = {
    ...example.pull_request,
    head: { ...example.pull_request.head, sha: head },
    base: { ...example.pull_request.base, sha: base, ref: 'main' },
  }
  const payload = { ...example, pull_request: pull }
  run = async (inputs = {}, path = '', environment = {}) =>
    runJob(action, {
      ...{ workspace: await hosted.checkout(sha, 1), event: 'pull_request', payload, sha },
      ...{ apiUrl: github.url + path, token: 'ghs_writes', inputs: { config: 'robustness.yml', ...inputs } },
      environment,
    })
})
afterAll(async () => {
  await action.remove()
  await hosted.remove()
})

beforeEach(async () => {
  const tokens = { ghs_writes: actionsToken }
  github = await startGitHub({ repository: 'Codertocat/Hello-World', pullRequests: [2], tokens })
  github.heads.set(2, head)
})
afterEach(() => github.close())

const blocked = { status: 1, outputs: expect.objectContaining({ verdict: 'regression' }) }

test('two gates of a matrix that end at the same time share one comment, and have a check each', async () => {
  const outcomes = await Promise.all([run({ 'check-name': 'Digits' }), run({ 'check-name': 'Letters' })])
  for (const outcome of outcomes) expect(outcome).toMatchObject({ ...blocked, warnings: [] })
  expect(github.checkRuns.map(({ name }) => name).sort()).toEqual(['Digits', 'Letters'])
  expect(github.comments).toHaveLength(1)
  expect(wordsOf(github.comments[0])).toMatch(/^\| Gate [^]*### Digits\n\n❌[^]*### Letters\n\n❌/)
})

test('what decided is said on the model’s file', async () => {
  await run()
  expect(github.checkRuns[0].annotations).toEqual(
    expect.arrayContaining([expect.objectContaining({ path: model, annotation_level: 'failure' })]),
  )
})

test('of two runs of one commit the newer has the last word, unless a person has run the older one again', async () => {
  const { environment } = heldJob()
  const numbered = (id: number, attempt: number, inputs = {}) =>
    run(inputs, '', { ...environment, GITHUB_RUN_ID: `${id}`, GITHUB_RUN_ATTEMPT: `${attempt}` })
  const url = (id: number) => `https://github.com/Codertocat/Hello-World/actions/runs/${id}`
  const told = () => github.checkRuns.map(({ conclusion, details_url: link }) => [conclusion, link])
  await numbered(43, 1)
  const words = github.comments.map(wordsOf)

  const older = await numbered(42, 1, { 'fail-on': 'never' })
  expect(older).toMatchObject({ status: 0, outputs: { verdict: 'regression' }, warnings: [] })
  expect(older.log).toContain('A newer run of "Robustness gate" has reported on this commit')
  expect(told()).toEqual([['failure', url(43)]])
  expect(github.comments.map(wordsOf)).toEqual(words)

  await numbered(42, 2, { 'fail-on': 'never' })
  // The annotations of a failure cannot be taken back: a new check run follows, which is the one that GitHub shows.
  expect(told()).toEqual([
    ['failure', url(43)],
    ['neutral', url(42)],
  ])
  expect(github.comments).toHaveLength(1)
  expect(github.comments[0].body).toContain(url(42))
})

test('a pull request that has moved on keeps its comment; the check run is still written', async () => {
  github.heads.set(2, 'f'.repeat(40))
  const outcome = await run()
  expect(outcome).toMatchObject({ ...blocked, warnings: [] })
  expect(outcome.log).toContain('The pull request has moved on')
  expect([github.comments.length, github.checkRuns.length]).toEqual([0, 1])
})

test('GitHub Enterprise Server, a rate limit and a reset: everything is posted, nothing is warned of', async () => {
  const limit = { status: 429, body: { message: 'A secondary rate limit.' }, headers: { 'retry-after': '1' } }
  github.faultAt = (place) =>
    place === 0 ? { kind: 'reply', reply: limit } : place === 3 ? { kind: 'reset' } : undefined
  expect(await run({}, '/api/v3')).toMatchObject({ ...blocked, warnings: [] })
  expect([github.comments.length, github.checkRuns.length]).toEqual([1, 1])
})

test.each([
  ['422', { kind: 'reply', reply: { status: 422, body: { message: 'Validation Failed' } } }],
  [
    'a limit that lasts too long',
    {
      kind: 'reply',
      reply: { status: 403, body: { message: 'A secondary rate limit.' }, headers: { 'retry-after': '3600' } },
    },
  ],
] as const)('%s to everything: one warning, and exit status, outputs and summary as ever', async (_, fault) => {
  github.faultAt = () => fault
  const outcome = await run()
  expect(outcome).toMatchObject({ ...blocked, warnings: [expect.stringContaining('could not be posted')] })
  expect(outcome.summary).toContain('**Regression**')
})
