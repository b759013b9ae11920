import { readFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { everyFault, isFinal, spread } from '../support/github/faults.js'
import { heldJob } from '../support/github/heldJob.js'
import type { HeldJob } from '../support/github/heldJob.js'
import { hostLabels } from '../support/github/labels.js'
import type { HostedLabels } from '../support/github/labels.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { pullRequestFrom } from '../support/github/payloads.js'
import { hostRepository } from '../support/github/repository.js'
import type { HostedRepository } from '../support/github/repository.js'
import { startResultsService } from '../support/github/resultsService.js'
import type { ResultsService } from '../support/github/resultsService.js'
import { installAction, runJob } from '../support/github/runner.js'
import type { InstalledAction, Job, Outcome } from '../support/github/runner.js'

/**
 * The built gate decides again about an accepted regression, over what a first run has posted, and one request goes wrong, to
 * GitHub or to the services for caches and artifacts: verdict, status and summary are right, and what is missing is told of.
 */

const label = 'robustness-regression-accepted'
const model = (name: string) => ({ 'a.onnx': readFileSync(`fixtures/fashion/fashion-${name}.onnx`) })
const config = 'model: a.onnx\ndata: x.npz\nepsilon: 0.1\nsamples: 16\nsuite: { attacks: [{ name: pgd, steps: 10 }] }\n'

/** So many of the first requests find out whether the label counts. */
const ofAcceptance = 3
const look = ['pulls/get', 'checks/list-for-ref', 'issues/list-comments']
/** The label; the check run, a new one since the failure's annotations are there; the comments. */
const ofGitHub = [
  ...['pulls/get', 'issues/list-events', 'checks/list-for-ref'],
  ...['checks/list-for-ref', 'checks/list-annotations', 'checks/create'],
  ...[...look, 'issues/update-comment', ...look, 'issues/delete-comment'],
]
/** The cache has one model's results and gets the other's; the files are uploaded. */
const ofServices = [
  ...['GetCacheEntryDownloadURL', 'GetCacheEntryDownloadURL', 'GET'],
  ...['GetCacheEntryDownloadURL', 'CreateCacheEntry', 'PUT', 'FinalizeCacheEntryUpload'],
  ...['CreateArtifact', 'PUT', 'PUT', 'FinalizeArtifact'],
]

let action: InstalledAction
let hosted: HostedRepository
let github: LoopbackGitHub
let service: ResultsService
let labels: HostedLabels
let held: HeldJob
let head: string
let job: Omit<Job, 'apiUrl' | 'environment'>
/** What the first run has posted and kept. */
let before: Pick<LoopbackGitHub, 'comments' | 'checkRuns'> & Pick<ResultsService, 'entries'>

async function start(): Promise<void> {
  labels = hostLabels()
  labels.pulls.push({ number: 2, author: 'octocat', base: 'main', commits: [head], events: [] })
  const world = { repository: 'Codertocat/Hello-World', pullRequests: [2], tokens: { ghs_writes: actionsToken } }
  github = await startGitHub({ ...world, extensions: [labels] })
  github.heads.set(2, head)
  service = await startResultsService()
  held = heldJob()
  github.onStall = held.onStall
  service.onStall = held.onStall
}
async function stop(): Promise<void> {
  await service.close()
  await github.close()
}
async function run(): Promise<Outcome> {
  // The toolkit's entries are of a folder: what is kept in one is not found in another.
  const temporary = join(hosted.folder, 'temporary')
  await mkdir(temporary, { recursive: true })
  const environment = { ...service.environment, ...held.environment, RUNNER_TEMP: temporary }
  const outcome = await runJob(action, { ...job, apiUrl: github.url, environment }, held.onStart)
  await rm(temporary, { recursive: true })
  return outcome
}

beforeAll(async () => {
  action = await installAction()
  hosted = await hostRepository()
  const data = { 'x.npz': readFileSync('fixtures/fashion/fashion-test.npz') }
  const base = await hosted.commit('main', { ...model('hardened'), ...data, 'robustness.yml': config })
  head = await hosted.commit('feature', model('finetuned'), base)
  const sha = await hosted.merge(2, base, head)
  job = {
    ...{ event: 'pull_request', payload: pullRequestFrom(head, base), sha, token: 'ghs_writes' },
    ...{ workspace: await hosted.checkout(sha, 1), inputs: { config: 'robustness.yml', upload: 'true' } },
  }
  await start()
  expect(await run()).toMatchObject({ status: 1, outputs: { verdict: 'regression' }, warnings: [] })
  const { comments, checkRuns } = structuredClone({ comments: github.comments, checkRuns: github.checkRuns })
  before = { comments, checkRuns, entries: service.entries }
  await stop()
})
afterAll(async () => {
  await hosted.remove()
  await action.remove()
})
beforeEach(async () => {
  await start()
  const { comments, checkRuns } = structuredClone({ comments: before.comments, checkRuns: before.checkRuns })
  // What comes next has greater ids.
  github.comments.push({ ...comments[0], id: 1 }, { ...comments[0], id: 2 })
  github.checkRuns.push(...checkRuns.map((checkRun, place) => ({ ...checkRun, id: place + 1 })))
  service.entries.push(...before.entries)
  // The first report's time is the loopback's first minute.
  github.now()
  labels.pulls[0].events.push({ event: 'labeled', label, who: 'mona', when: github.now() })
})
afterEach(stop)

/** One of the two models is attacked again. */
function forgetOne(): void {
  service.entries.length = 1
}

/** What the toolkits print of one failure in a second line, which nothing keeps them from. */
const second = /uploadCacheArchiveSDK|rate limit will reset in/
/** What people are told beside the verdict. */
function toldIn({ warnings, errors }: Outcome): readonly string[] {
  return [...warnings, ...errors.filter((error) => !error.startsWith('Regression'))].filter((one) => !second.test(one))
}

function expectPosted(): void {
  expect(github.checkRuns.at(-1)).toMatchObject({ head_sha: head, conclusion: 'success' })
  expect(github.comments).toEqual([
    expect.objectContaining({ body: expect.stringContaining('☑️ **Regression (accepted by mona)**') }),
  ])
}

test('in order', async () => {
  forgetOne()
  const outcome = await run()
  expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'regression' }, warnings: [], errors: [] })
  expect([github.operations, service.calls]).toEqual([ofGitHub, ofServices])
  expectPosted()
})

const faults = Object.entries(everyFault)

test.each(spread(faults, ofGitHub, 15))('GitHub, $name: at request $place, $call', async ({ name, fault, place }) => {
  github.faultAt = (at) => (at === place ? fault : undefined)
  const outcome = await run()
  const { status, outputs, summary } = outcome
  const told = toldIn(outcome)
  // Who cannot be told of the label accepts nothing.
  const isAccepted = !(isFinal(name) && place < ofAcceptance)
  expect({ status, verdict: outputs.verdict }).toEqual({ status: isAccepted ? 0 : 1, verdict: 'regression' })
  expect(summary).toContain(isAccepted ? '☑️ **Regression (accepted by mona)**' : '❌ **Regression**')
  if (!isFinal(name)) expect(told).toEqual([])
  if (told.length > 0) expect(told).toEqual([expect.stringMatching(/could not be (read|posted)|skipped/)])
  else expectPosted()
})

test.each(spread(faults, ofServices, 11))('a service, $name: at request $place, $call', async ({ fault, place }) => {
  forgetOne()
  service.faultAt = (at) => (at === place ? fault : undefined)
  const outcome = await run()
  expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'regression' } })
  expect(outcome.summary).toContain('☑️ **Regression (accepted by mona)**')
  expectPosted()
  const told = toldIn(outcome)
  expect(told.length).toBeLessThanOrEqual(1)
  const isUploaded = service.artifacts.some(({ name }) => name === 'robustness-gate')
  if (told.length === 0) expect(isUploaded).toBe(true)
})
