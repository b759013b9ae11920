import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { everyFault, spread } from '../support/github/faults.js'
import { heldJob } from '../support/github/heldJob.js'
import type { HeldJob } from '../support/github/heldJob.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { pullRequestFrom } from '../support/github/payloads.js'
import { installPublisher, startPublishing, weak } from '../support/github/publishing.js'
import type { Publishing } from '../support/github/publishing.js'
import { hostRepository } from '../support/github/repository.js'
import type { HostedRepository } from '../support/github/repository.js'
import { startResultsService } from '../support/github/resultsService.js'
import type { ResultsService } from '../support/github/resultsService.js'
import { installAction, runJob } from '../support/github/runner.js'
import type { InstalledAction, Job, Outcome } from '../support/github/runner.js'

/**
 * A service that the built action needs is out of order for as long as the job runs. What people are told in the end, and that it
 * ends: a job that hangs, or that ends without a verdict, holds everybody up.
 */

/** Those of one kind are tried with the parts they are of, and a third of the others here unless all are asked for. */
const faults = spread(
  Object.entries(everyFault).filter(([name]) => !/rate limit|after the work/.test(name)),
  ['as long as the job runs'],
  3,
)

/** What the toolkits print of one failure in a second line, which nothing keeps them from. */
const second = /uploadCacheArchiveSDK|rate limit will reset in/

describe('gate and shard, without the services for caches and artifacts', () => {
  const config =
    'model: a.onnx\ndata: x.npz\nepsilon: 0.1\nsamples: 16\nsuite: { attacks: [{ name: pgd, steps: 10 }] }\n'
  let action: InstalledAction
  let hosted: HostedRepository
  let github: LoopbackGitHub
  let service: ResultsService
  let job: Omit<Job, 'inputs'>
  let held: HeldJob
  beforeAll(async () => {
    action = await installAction()
    hosted = await hostRepository()
    const world = { repository: 'Codertocat/Hello-World', pullRequests: [2], tokens: { ghs_writes: actionsToken } }
    github = await startGitHub(world)
    const model = (name: string) => ({ 'a.onnx': readFileSync(`fixtures/fashion/fashion-${name}.onnx`) })
    const data = { 'x.npz': readFileSync('fixtures/fashion/fashion-test.npz') }
    const base = await hosted.commit('main', { ...model('hardened'), ...data, 'robustness.yml': config })
    const head = await hosted.commit('feature', model('finetuned'), base)
    const sha = await hosted.merge(2, base, head)
    job = {
      ...{ event: 'pull_request', payload: pullRequestFrom(head, base), sha },
      ...{ workspace: await hosted.checkout(sha, 1), apiUrl: github.url, token: 'ghs_writes' },
    }
  })
  afterAll(async () => {
    await github.close()
    await hosted.remove()
    await action.remove()
  })
  beforeEach(async () => {
    service = await startResultsService()
    held = heldJob()
    service.onStall = held.onStall
    github.comments.length = 0
    github.checkRuns.length = 0
  })
  afterEach(() => service.close())

  function run(inputs: Job['inputs']): Promise<Outcome> {
    const environment = { ...service.environment, ...held.environment }
    const given = { config: 'robustness.yml', upload: 'true', ...inputs }
    return runJob(action, { ...job, inputs: given, environment }, held.onStart)
  }

  test.each(faults)('$name: verdict, status, summary, check and comment stay', async ({ fault }) => {
    service.faultAt = () => fault
    const outcome = await run({})
    expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'regression' } })
    expect(outcome.summary).toContain('❌ **Regression**')
    expect(github.checkRuns).toEqual([expect.objectContaining({ conclusion: 'failure' })])
    expect(github.comments).toEqual([expect.objectContaining({ body: expect.stringContaining('❌ **Regression**') })])
    const told = [...outcome.warnings, ...outcome.errors.slice(0, -1)].filter((message) => !second.test(message))
    // One of the cache, one of the artifact.
    expect(told).toEqual([
      expect.stringMatching(/^(Failed to restore|The cache of results could not be used)/),
      expect.stringContaining('Artifact robustness-gate could not be uploaded'),
    ])
  })

  test.each(['403 without a word', 'a slow body', 'a body that is cut off'])(
    '%s: a shard that nobody gets fails, and says so',
    async (name) => {
      service.faultAt = () => everyFault[name]
      const outcome = await run({ shard: '1/2' })
      expect(outcome).toMatchObject({ status: 3, outputs: { verdict: 'error' } })
      expect(outcome.errors.at(-1)).toContain('Artifact robustness-gate-shard-1-of-2 could not be uploaded')
    },
  )
})

describe('publish and merge, which get what other jobs have uploaded', () => {
  let action: InstalledAction
  let scene: Publishing
  let held: HeldJob
  beforeAll(async () => {
    action = await installPublisher()
  })
  afterAll(() => action.remove())
  beforeEach(async () => {
    scene = await startPublishing(action)
    held = heldJob()
    scene.github.onStall = held.onStall
    scene.uploadResults(weak)
  })
  afterEach(() => scene.close())

  /** The storage behind artifacts is tried with every fault in uploadsFaults.test.ts, without a process for each. */
  const list = 'actions/list-workflow-run-artifacts'

  test.each(faults)('$name: the check tells of an error, the job asks to be run again', async ({ fault }) => {
    scene.github.faultAt = (_place, operation) => (operation === list ? fault : undefined)
    const outcome = await scene.publish({}, {}, undefined, held)
    expect(outcome).toMatchObject({ status: 3, outputs: { verdict: 'error' }, warnings: [] })
    expect(outcome.errors).toEqual([expect.stringContaining('the artifacts of run 77 could not be read')])
    expect(outcome.summary).toContain('the artifacts of run 77 could not be read')
    expect(scene.github.checkRuns).toEqual([expect.objectContaining({ conclusion: 'failure' })])
  })

  test.each(faults)('$name: no verdict on half of the shards', async ({ fault }) => {
    scene.github.faultAt = (_place, operation) => (operation === list ? fault : undefined)
    const job = { event: 'workflow_dispatch', payload: {}, sha: 'd'.repeat(40), workspace: scene.workspace }
    const given = { apiUrl: scene.github.url, token: 'ghs_writes', environment: held.environment }
    const inputs = { mode: 'merge', config: 'robustness.yml' }
    const outcome = await runJob(action, { ...job, ...given, inputs }, held.onStart)
    expect(outcome).toMatchObject({ status: 3, outputs: { verdict: 'error' }, warnings: [] })
    expect(outcome.summary).toContain('the artifacts of this run could not be read')
    expect(scene.github.checkRuns).toEqual([expect.objectContaining({ conclusion: 'failure' })])
  })
})
