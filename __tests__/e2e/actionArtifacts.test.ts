import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { unzipSync } from 'fflate'
import { exampleOf } from '../support/github/payloads.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { hostRepository } from '../support/github/repository.js'
import type { Content, HostedRepository } from '../support/github/repository.js'
import { startResultsService } from '../support/github/resultsService.js'
import type { ResultsService } from '../support/github/resultsService.js'
import { installAction, runJob } from '../support/github/runner.js'
import type { InstalledAction, Job, Outcome } from '../support/github/runner.js'

/** What the built action uploads, and what becomes of it when it cannot. */

const hardened = readFileSync('fixtures/fashion/fashion-hardened.onnx')
const finetuned = readFileSync('fixtures/fashion/fashion-finetuned.onnx')
const config = 'model: models/classifier.onnx\ndata: data/test.npz\nepsilon: 0.1\nsamples: 16\nsuite: quick\n'
const start: Content = {
  'models/classifier.onnx': hardened,
  'data/test.npz': readFileSync('fixtures/fashion/fashion-test.npz'),
  'robustness.yml': config,
}

let action: InstalledAction
beforeAll(async () => {
  action = await installAction()
})
afterAll(() => action.remove())

let github: LoopbackGitHub
let hosted: HostedRepository
let service: ResultsService
beforeEach(async () => {
  hosted = await hostRepository()
  service = await startResultsService()
  const world = { repository: 'Codertocat/Hello-World', pullRequests: [2], tokens: { ghs_writes: actionsToken } }
  github = await startGitHub(world)
})
afterEach(async () => {
  await service.close()
  await hosted.remove()
  await github.close()
})

async function run(inputs: Job['inputs'], environment: Job['environment'] = service.environment): Promise<Outcome> {
  const base = await hosted.commit('main', start)
  const head = await hosted.commit('feature', { 'models/classifier.onnx': finetuned }, base)
  const merge = await hosted.merge(2, base, head)
  const { pull_request: example, ...rest } = exampleOf('pull_request')
  const [from, to] = [
    { ...example.head, sha: head },
    { ...example.base, sha: base, ref: 'main' },
  ]
  const payload = { ...rest, pull_request: { ...example, head: from, base: to } }
  const job = { workspace: await hosted.checkout(merge, 1), event: 'pull_request', payload, sha: merge }
  const given = { config: 'robustness.yml', cache: 'false', ...inputs }
  return runJob(action, { ...job, apiUrl: github.url, token: 'ghs_writes', inputs: given, environment })
}

test('report, results, comparison, adversarial examples and the two for collectors are uploaded, and the comment links to them', async () => {
  const outcome = await run({ upload: 'true' })
  expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'regression' }, warnings: [] })
  expect(service.artifacts.map(({ name }) => name)).toEqual(['robustness-gate'])
  const files = unzipSync(service.artifacts[0].zip)
  expect(Object.keys(files).sort()).toEqual([
    ...['adversarial-linf-0.1.npz', 'baseline.json', 'comparison.json', 'junit.xml'],
    ...['report.md', 'results.json', 'robustness.sarif'],
  ])
  const results = JSON.parse(Buffer.from(files['results.json']).toString()) as { samples: unknown[] }
  expect(results.samples).toHaveLength(16)
  expect(Object.keys(unzipSync(files['adversarial-linf-0.1.npz'])).sort()).toEqual([
    ...['index.npy', 'label.npy', 'predicted.npy', 'x.npy'],
  ])
  const page = `https://github.com/Codertocat/Hello-World/actions/runs/42/artifacts/${service.artifacts[0].id}`
  expect(github.comments[0].body).toContain(`[Artifact robustness-gate](${page})`)
  expect(outcome.summary).toContain(page)
})

test('several gates upload under several names', async () => {
  await run({ upload: 'true', 'check-name': 'Robustness gate: Ziffern & Zahlen' })
  expect(service.artifacts.map(({ name }) => name)).toEqual([
    expect.stringMatching(/^robustness-gate-ziffern-zahlen-[0-9a-f]{8}$/),
  ])
})

test('unless it is asked for, nothing is uploaded', async () => {
  await run({})
  expect(service.calls).toEqual([])
})

test('a service that refuses is one warning; verdict, status and comment stay', async () => {
  service.broken.set('CreateArtifact', 403)
  const outcome = await run({ upload: 'true' })
  expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'regression' } })
  expect(outcome.warnings).toEqual([expect.stringContaining('Artifact robustness-gate could not be uploaded')])
  expect(github.comments).toHaveLength(1)
})

test('without a service, on Enterprise Server: one warning says what to do', async () => {
  const outcome = await run({ upload: 'true' }, { ...service.environment, GITHUB_SERVER_URL: 'https://ghes.example' })
  expect(outcome).toMatchObject({ status: 1, warnings: [expect.stringContaining('actions/upload-artifact@v3')] })
})
