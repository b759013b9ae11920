import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { zipSync } from 'fflate'
import { repositoryArtifacts } from '../support/github/branchArtifacts.js'
import type { RepositoryArtifact } from '../support/github/branchArtifacts.js'
import { actionsToken, notAccessible, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { exampleOf, pullRequestFrom } from '../support/github/payloads.js'
import { hostRepository } from '../support/github/repository.js'
import type { Content, HostedRepository } from '../support/github/repository.js'
import { startResultsService } from '../support/github/resultsService.js'
import type { ResultsService } from '../support/github/resultsService.js'
import { installAction, runJob } from '../support/github/runner.js'
import type { InstalledAction, Job, Outcome } from '../support/github/runner.js'

/** Where a baseline comes from, on the built action: the cache, the merge base, an unchanged model. */

const hardened = readFileSync('fixtures/fashion/fashion-hardened.onnx')
const finetuned = readFileSync('fixtures/fashion/fashion-finetuned.onnx')
const data = readFileSync('fixtures/fashion/fashion-test.npz')
const config = 'model: models/classifier.onnx\ndata: data/test.npz\nepsilon: 0.1\nsamples: 16\nsuite: quick\n'
const model = 'models/classifier.onnx'
const withoutModel: Content = { 'data/test.npz': data, 'robustness.yml': config }
const start: Content = { ...withoutModel, [model]: hardened }

let branches = 0
let action: InstalledAction
beforeAll(async () => {
  action = await installAction()
})
afterAll(() => action.remove())

let github: LoopbackGitHub
let hosted: HostedRepository
let service: ResultsService
/** What runs of the repository have uploaded, the run that is tested (42) among them. */
const artifacts: RepositoryArtifact[] = []
beforeEach(async () => {
  hosted = await hostRepository()
  service = await startResultsService()
  artifacts.length = 0
  github = await startGitHub({
    extensions: [repositoryArtifacts(artifacts)],
    repository: 'Codertocat/Hello-World',
    pullRequests: [2],
    tokens: { ghs_writes: actionsToken },
  })
})
afterEach(async () => {
  await service.close()
  await hosted.remove()
  await github.close()
})

async function run(job: Pick<Job, 'workspace' | 'event' | 'payload' | 'sha'> & Partial<Job>): Promise<Outcome> {
  const temporary = join(hosted.folder, 'temporary')
  await mkdir(temporary, { recursive: true })
  const environment = { ...service.environment, RUNNER_TEMP: temporary, ...job.environment }
  const given = { apiUrl: github.url, token: 'ghs_writes', inputs: { config: 'robustness.yml' }, ...job }
  return runJob(action, { ...given, environment })
}

/** A pull request as GitHub hands it to a job: the payload, and the merge commit checked out one commit deep. */
async function pullRequest(files: Content, before: Content = start) {
  const base = await hosted.commit('main', before)
  const head = await hosted.commit(`feature-${(branches += 1)}`, files, base)
  const merge = await hosted.merge(2, base, head)
  const payload = pullRequestFrom(head, base)
  return { base, head, job: { workspace: await hosted.checkout(merge, 1), event: 'pull_request', payload, sha: merge } }
}

function accuracies({ outputs }: Outcome): readonly (string | undefined)[] {
  return ['verdict', 'robust-accuracy', 'baseline-robust-accuracy'].map((name) => outputs[name])
}

const attacked = /attacking|images,/

describe('results in the cache', () => {
  test('a run that is repeated attacks nothing, says so, and comes to the same', async () => {
    const { job } = await pullRequest({ [model]: finetuned })
    const first = await run(job)
    expect(first).toMatchObject({ status: 1, outputs: { verdict: 'regression' }, warnings: [] })
    expect(service.entries).toHaveLength(2)
    const again = await run(job)
    expect(again.warnings).toEqual([])
    expect(accuracies(again)).toEqual(accuracies(first))
    expect(again.summary).toMatch(/Candidate .*results were found in the cache/)
    expect(again.summary).toMatch(/Baseline .*results were found in the cache/)
    const line = (outcome: Outcome) => /Transfer: .*/.exec(outcome.summary)?.[0]
    expect(line(again)).toBe(line(first))
  })

  test('what a push to the base branch has measured is the baseline of a pull request: one model is attacked', async () => {
    const before = await hosted.commit('main', { ...start, [model]: finetuned })
    const after = await hosted.commit('main', { [model]: hardened })
    const example = exampleOf('push')
    const repository = { ...example.repository, default_branch: 'main' }
    const payload = { ...example, ref: 'refs/heads/main', before, after, repository }
    const push = { workspace: await hosted.checkout(after, 1), event: 'push', payload, sha: after }
    expect(await run(push)).toMatchObject({ status: 0, warnings: [] })
    const { job } = await pullRequest({ [model]: readFileSync('fixtures/fashion/fashion-standard.onnx') })
    const outcome = await run(job)
    expect(outcome.outputs.verdict).toBe('regression')
    expect(outcome.summary).toMatch(/Baseline .*results were found in the cache/)
    expect(outcome.summary).not.toMatch(/Candidate .*results were found in the cache/)
  })

  test('what was stored under another seed is not used', async () => {
    const { job } = await pullRequest({ [model]: finetuned })
    await run(job)
    const other = await run({ ...job, inputs: { config: 'robustness.yml', seed: '1' } })
    expect(other.summary).not.toContain('found in the cache')
    expect(service.entries).toHaveLength(4)
  })

  test('cache: false neither asks nor stores', async () => {
    const { job } = await pullRequest({ [model]: finetuned })
    await run({ ...job, inputs: { config: 'robustness.yml', cache: 'false' } })
    expect(service.calls).toEqual([])
  })

  test('entries that cannot be unpacked are one warning, the models are attacked, and the next run finds them again', async () => {
    const { job } = await pullRequest({ [model]: finetuned })
    await run(job)
    for (const entry of service.entries) entry.content = Buffer.from('no archive')
    const again = await run(job)
    expect(again).toMatchObject({ status: 1, outputs: { verdict: 'regression' } })
    expect(again.summary).not.toContain('found in the cache')
    expect([...again.warnings, ...again.errors.slice(1)]).toEqual([expect.stringContaining('Failed to restore')])
    const mended = await run(job)
    expect(mended).toMatchObject({ status: 1, warnings: [] })
    expect(mended.summary).toMatch(/Candidate .*results were found in the cache/)
    expect(mended.summary).toMatch(/Baseline .*results were found in the cache/)
  })

  test.each(['CreateCacheEntry', 'GET'])(
    'a service that fails at %s is at most one warning and changes nothing',
    async (call) => {
      const { job } = await pullRequest({ [model]: finetuned })
      if (call === 'GET') await run(job)
      service.broken.set(call, 403)
      const outcome = await run(job)
      expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'regression' } })
      expect(outcome.warnings.length).toBeLessThanOrEqual(1)
    },
  )
})

describe('a model that is unchanged', () => {
  test('passes in seconds: nothing is attacked, both commits and the model’s hash, of each, are in the report', async () => {
    const { job, head, base } = await pullRequest({ 'README.md': 'Better words.' })
    const outcome = await run(job)
    expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'pass' }, warnings: [], errors: [] })
    expect(outcome.log).not.toMatch(attacked)
    expect(outcome.summary).toContain('the model is unchanged, so nothing was attacked')
    const sha256 = createHash('sha256').update(hardened).digest('hex')
    for (const [role, commit] of [
      ['Candidate', head],
      ['Baseline', base],
    ])
      expect(outcome.summary).toMatch(new RegExp(`${role} .*${commit}.*SHA-256 .${sha256}`))
    expect(github.checkRuns).toEqual([expect.objectContaining({ conclusion: 'success' })])
    expect(github.comments[0].body).toContain('the model is unchanged')
  })

  test('is attacked where an absolute limit has to be held', async () => {
    const limited = { ...start, 'robustness.yml': `${config}minRobustAccuracy: 99%\n` }
    const { job } = await pullRequest({ 'README.md': 'Better words.' }, limited)
    expect(await run(job)).toMatchObject({ status: 1, outputs: { verdict: 'regression' } })
  })
})

describe('a baseline that cannot be used is a state of its own', () => {
  const committed: Content = { ...start, 'robustness.yml': `${config}baseline: results:baseline.json\n` }

  /** What a gate has measured of the hardened model, as somebody commits it. */
  async function measured(inputs: Job['inputs'] = {}): Promise<string> {
    const { job } = await pullRequest({ [model]: hardened, 'README.md': 'x' }, { ...start, [model]: finetuned })
    const outcome = await run({ ...job, inputs: { config: 'robustness.yml', ...inputs } })
    return readFileSync(outcome.outputs.results, 'utf8')
  }

  test('committed results that can be compared are', async () => {
    const results = await measured()
    const { job, base } = await pullRequest({ [model]: finetuned }, { ...committed, 'baseline.json': results })
    const outcome = await run(job)
    expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'regression' } })
    expect(outcome.summary).toContain(`commit \`${base}\``)
  })

  test('of another seed: the job fails, the report says why and what to do, and the candidate was measured', async () => {
    const results = await measured({ seed: '7' })
    const { job } = await pullRequest({ [model]: finetuned }, { ...committed, 'baseline.json': results })
    const outcome = await run(job)
    expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'inconclusive', 'baseline-robust-accuracy': '' } })
    expect(outcome.outputs['robust-accuracy']).not.toBe('')
    expect(outcome.summary).toContain('made with another suite, other data or another seed')
    expect(outcome.summary).toContain('they differ in seed')
    expect(outcome.summary).toContain('on-missing-baseline: pass')
    expect(github.checkRuns.at(-1)).toMatchObject({ conclusion: 'failure' })
  })

  const broken: Content = { ...committed, 'baseline.json': '{"schema": ' }

  test('broken: likewise, unless on-missing-baseline lets it pass, which is told', async () => {
    const { job } = await pullRequest({ [model]: finetuned }, broken)
    const failing = await run(job)
    expect(failing).toMatchObject({ status: 1, outputs: { verdict: 'inconclusive' } })
    expect(failing.summary).toContain('the baseline is broken')
    const passing = await run({ ...job, inputs: { config: 'robustness.yml', 'on-missing-baseline': 'pass' } })
    expect(passing).toMatchObject({ status: 0, outputs: { verdict: 'pass' } })
    expect(passing.summary).toContain('The baseline is broken: only absolute limits were checked.')
  })

  test('a model at the base that is no model is broken, too: whoever mends it is not held up by an error', async () => {
    const { job } = await pullRequest({ [model]: hardened }, { ...start, [model]: 'no model' })
    const outcome = await run(job)
    expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'inconclusive' } })
    expect(outcome.outputs['robust-accuracy']).not.toBe('')
    expect(outcome.summary).toContain('the baseline is broken')
  })

  test('a first adoption passes and says that nothing was compared; on-missing-baseline: fail stops it', async () => {
    const { job } = await pullRequest({ [model]: hardened }, withoutModel)
    const passing = await run(job)
    expect(passing).toMatchObject({ status: 0, outputs: { verdict: 'pass' } })
    expect(passing.summary).toContain('The baseline was not found: only absolute limits were checked.')
    const failing = await run({ ...job, inputs: { config: 'robustness.yml', 'on-missing-baseline': 'fail' } })
    expect(failing).toMatchObject({ status: 1, outputs: { verdict: 'inconclusive' } })
  })
})

describe('models that training jobs upload', () => {
  const trained = { ...withoutModel, 'robustness.yml': config.replace(model, 'artifact:model/classifier.onnx') }
  const zip = (content: Uint8Array) => zipSync({ 'classifier.onnx': content }, { level: 0 })

  test('the candidate of this run is held against the newest one of the base branch', async () => {
    const { job, base } = await pullRequest({ 'train.py': 'x' }, trained)
    artifacts.push(
      { run: 7, name: 'model', zip: zip(hardened), commit: base },
      { run: 42, name: 'model', zip: zip(finetuned), branch: 'feature' },
    )
    const outcome = await run(job)
    expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'regression' }, warnings: [] })
    expect(outcome.summary).toContain('artifact model of run 7 on main')
    expect(outcome.summary).toContain(base)
  })

  test('expired on the base branch: the job fails and says so', async () => {
    const { job } = await pullRequest({ 'train.py': 'x' }, trained)
    artifacts.push(
      { run: 7, name: 'model', zip: zip(hardened), expired: true },
      { run: 42, name: 'model', zip: zip(finetuned), branch: 'feature' },
    )
    const outcome = await run(job)
    expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'inconclusive' } })
    expect(outcome.summary).toContain('the baseline has expired')
  })

  test('a candidate that nobody uploaded is the workflow’s mistake, in one line', async () => {
    const { job } = await pullRequest({ 'train.py': 'x' }, trained)
    const outcome = await run(job)
    expect(outcome).toMatchObject({ status: 2, errors: [expect.stringContaining('this run has no such artifact')] })
  })
})

const moved = 'models/new.onnx'
const renaming: Content = { [model]: null, [moved]: finetuned, 'robustness.yml': config }
const inputs = { config: 'robustness.yml', model: moved }

test('a renamed model whose baseline the token may not look for passes with a warning, and the report says so', async () => {
  const { job } = await pullRequest(renaming)
  github.breakOperation('actions/list-artifacts-for-repo', notAccessible)
  const told =
    /Nobody could look whether the base branch has results .*Resource not accessible.*give the job actions: read/
  const outcome = await run({ ...job, inputs })
  expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'pass' }, warnings: [expect.stringMatching(told)] })
  expect(outcome.summary).toMatch(told)
  expect(github.comments[0].body).toMatch(told)
  // No token at all is no better.
  const without = await run({ ...job, inputs: { ...inputs, 'github-token': '' } })
  expect(without).toMatchObject({ status: 0, warnings: [expect.stringContaining('(there is no github-token)')] })
})

test('a renamed model is held against what a gate on the base branch found', async () => {
  const { job } = await pullRequest(renaming)
  const first = await run({ ...job, inputs })
  const moved = `The pull request removes ${model}: if that is the model this one replaces, compare them with baseline: path:${model}.`
  expect(first).toMatchObject({ status: 0, outputs: { verdict: 'pass' }, warnings: [moved] })
  expect(first.summary).toContain('The baseline was not found')
  expect(github.comments[0].body).toContain(`removes ${model}`)
  const named = await run({ ...job, inputs: { ...inputs, baseline: `path:${model}` } })
  expect(named).toMatchObject({ status: 1, outputs: { verdict: 'regression' }, warnings: [] })
  const { job: before } = await pullRequest({ [model]: hardened, 'README.md': 'x' }, { [model]: finetuned })
  const measured = await run(before)
  const results = readFileSync(measured.outputs.results)
  const name = 'robustness-gate'
  artifacts.push({ run: 7, name, zip: zipSync({ 'results.json': results }) })
  // Better words on main: a run that found the model unchanged has uploaded no results.
  artifacts.push({ run: 8, name, zip: zipSync({ 'comparison.json': Buffer.from('{}') }) })
  expect(await run({ ...job, inputs })).toMatchObject({ status: 1, outputs: { verdict: 'regression' } })
  github.breakOperation('actions/download-artifact', notAccessible)
  const outcome = await run({ ...job, inputs })
  expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'inconclusive' } })
  expect(outcome.summary).toContain('the baseline is broken')
})
