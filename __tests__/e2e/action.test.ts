import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { actionsToken, forkToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { exampleOf, pullRequestFrom } from '../support/github/payloads.js'
import { hostRepository } from '../support/github/repository.js'
import type { Content, HostedRepository } from '../support/github/repository.js'
import { installAction, runJob } from '../support/github/runner.js'
import type { InstalledAction, Job, Outcome } from '../support/github/runner.js'

/**
 * The built action as a child process under Node 24, against a loopback GitHub and real git repositories.
 *
 * Models: `hardened` is adversarially trained, `finetuned` is what two epochs on clean images made of it. By PyTorch, PGD-20 at
 * ε 0.1 leaves 72.8 % and 3.6 % of 1,000 images; so on 16 images one falls far below the other whatever the seed.
 */
const hardened = readFileSync('fixtures/fashion/fashion-hardened.onnx')
const finetuned = readFileSync('fixtures/fashion/fashion-finetuned.onnx')
const data = readFileSync('fixtures/fashion/fashion-test.npz')
const config = 'model: models/classifier.onnx\ndata: data/test.npz\nepsilon: 0.1\nsamples: 16\nsuite: quick\n'
const model = 'models/classifier.onnx'
const start: Content = { [model]: hardened, 'data/test.npz': data, 'robustness.yml': config }

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
    repository: 'Codertocat/Hello-World',
    pullRequests: [2],
    tokens: { ghs_writes: actionsToken, ghs_reads: forkToken },
  })
})
afterEach(async () => {
  await hosted.remove()
  await github.close()
})

function run(job: Pick<Job, 'workspace' | 'event' | 'payload' | 'sha'> & Partial<Job>): Promise<Outcome> {
  return runJob(action, { apiUrl: github.url, token: 'ghs_writes', inputs: { config: 'robustness.yml' }, ...job })
}

interface PullRequest {
  readonly base: string
  readonly head: string
  readonly merge: string
  readonly job: Pick<Job, 'workspace' | 'event' | 'payload' | 'sha'>
}

/** A pull request as GitHub hands it to a job: the payload, and the merge commit checked out one commit deep. */
async function pullRequest(base: string, head: string): Promise<PullRequest> {
  const merge = await hosted.merge(2, base, head)
  return { base, head, merge, job: await checkedOut(base, head, merge) }
}

async function checkedOut(base: string, head: string, commit: string): Promise<PullRequest['job']> {
  const payload = pullRequestFrom(head, base)
  return { workspace: await hosted.checkout(commit, 1), event: 'pull_request', payload, sha: commit }
}

async function changing(files: Content, before: Content = start): Promise<PullRequest> {
  const base = await hosted.commit('main', before)
  return pullRequest(base, await hosted.commit('feature', files, base))
}

describe('a pull request with a weaker model', () => {
  test('is blocked: exit status 1, comment, red check on its head, summary, outputs', async () => {
    const { job, base, head } = await changing({ [model]: finetuned })
    const outcome = await run(job)
    expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'regression' }, warnings: [] })
    for (const [role, commit, content] of [
      ['Candidate', head, finetuned],
      ['Baseline', base, hardened],
    ] as const) {
      const sha256 = createHash('sha256').update(content).digest('hex')
      expect(outcome.summary).toMatch(new RegExp(`${role} .*${commit}`))
      expect(outcome.summary).toMatch(new RegExp(`${role} .*SHA-256 .${sha256}`))
    }
    expect(outcome.errors).toEqual([expect.stringMatching(/^Regression: .*robust accuracy/)])
    expect(outcome.summary).toContain('**Regression**')
    expect(github.comments).toEqual([
      expect.objectContaining({ pullRequest: 2, body: expect.stringContaining('❌ **Regression**') }),
    ])
    expect(github.checkRuns).toEqual([
      expect.objectContaining({ head_sha: head, name: 'Robustness gate', conclusion: 'failure' }),
    ])
    const [candidate, baseline] = ['robust-accuracy', 'baseline-robust-accuracy'].map((name) =>
      Number(outcome.outputs[name]),
    )
    expect(baseline - candidate).toBeGreaterThan(0.3)
    const results = JSON.parse(await readFile(outcome.outputs.results, 'utf8')) as { samples: unknown[] }
    expect(results.samples).toHaveLength(16)
    expect(await readFile(outcome.outputs.report, 'utf8')).toContain('**Regression**')
  })

  test('is mended: the next run rewrites the one comment', async () => {
    const { job, base } = await changing({ [model]: finetuned })
    await run(job)
    const mended = await pullRequest(
      base,
      await hosted.commit('feature', { [model]: hardened, 'README.md': 'Mended.' }),
    )
    const outcome = await run(mended.job)
    expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'pass' } })
    expect(github.comments).toEqual([expect.objectContaining({ body: expect.stringContaining('✅ **Pass**') })])
    expect(github.checkRuns.map(({ conclusion }) => conclusion)).toEqual(['failure', 'success'])
  })

  test('from a fork: one warning names the missing permissions, status and summary still block', async () => {
    const { job } = await changing({ [model]: finetuned })
    const outcome = await run({ ...job, token: 'ghs_reads' })
    expect(outcome.status).toBe(1)
    expect(outcome.warnings).toEqual([expect.stringContaining('`checks: write` and `pull-requests: write`')])
    expect(outcome.summary).toContain('**Regression**')
    expect([...github.comments, ...github.checkRuns]).toEqual([])
  })

  test('cannot let itself through by changing the config', async () => {
    const easier = config.replace('epsilon: 0.1', 'epsilon: 0.0001') + 'failOn: never\n'
    const { job } = await changing({ [model]: finetuned, 'robustness.yml': easier })
    expect(await run(job)).toMatchObject({ status: 1, outputs: { verdict: 'regression' } })
    expect(github.comments[0].body).toContain('The pull request changes the config')
  })

  test('does not depend on GitHub being there: the verdict stays', async () => {
    const { job } = await changing({ [model]: finetuned })
    const outcome = await run({ ...job, apiUrl: 'http://127.0.0.1:1' })
    expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'regression' } })
    expect(outcome.warnings).toEqual([expect.stringContaining('The check run and the comment could not be posted')])
  })
})

describe('a pull request that puts a symbolic link where its yardstick lies is refused in one line', () => {
  const settings = { data: 'data/test.npz', epsilon: '0.1', samples: '16', suite: 'quick' }

  async function refused(files: Content, before: Content, inputs: Job['inputs'], path: string, link: string) {
    const { job } = await changing(files, before)
    const outcome = await run({ ...job, inputs })
    expect(outcome).toMatchObject({ status: 2, outputs: { verdict: 'error' } })
    expect(outcome.errors).toEqual([expect.stringContaining(`${path}: ${link} is a symbolic link`)])
  }

  test('the model’s folder, so that the base has none of that name', async () => {
    const files = { [model]: null, 'other/classifier.onnx': finetuned, models: { link: 'other' } }
    await refused(files, start, { config: 'robustness.yml' }, model, 'models')
  })

  test('the model itself', async () => {
    const files = { 'models/new.onnx': finetuned, [model]: { link: 'new.onnx' } }
    await refused(files, start, { config: 'robustness.yml' }, model, model)
  })

  test('the config’s folder', async () => {
    const files = {
      ...{ [model]: finetuned, 'ci/gate.yml': null, ci: { link: 'cfg' } },
      'cfg/gate.yml': `${config}maxRobustDrop: 100\nmaxCleanDrop: 100\n`,
    }
    await refused(files, { ...start, 'ci/gate.yml': config }, { config: 'ci/gate.yml' }, 'ci/gate.yml', 'ci')
  })

  test('a committed baseline’s folder', async () => {
    const files = { 'base/a.onnx': null, 'weak/a.onnx': finetuned, base: { link: 'weak' }, [model]: finetuned }
    const inputs = { ...settings, model, baseline: 'path:base/a.onnx' }
    await refused(files, { ...start, 'base/a.onnx': hardened }, inputs, 'base/a.onnx', 'base')
  })
})

test('a folder for the results that the pull request links elsewhere is refused, and nothing is written there', async () => {
  const elsewhere = join(hosted.folder, 'elsewhere')
  await mkdir(elsewhere)
  const { job } = await changing({ 'robustness-gate-results': { link: elsewhere } })
  const outcome = await run(job)
  expect(outcome).toMatchObject({ status: 2, outputs: { verdict: 'error' } })
  expect(outcome.errors).toEqual([expect.stringContaining('robustness-gate-results is a symbolic link')])
  expect(await readdir(elsewhere)).toEqual([])
})

test('names from the pull request give the runner no orders', async () => {
  const names = { 'data/names.txt': 'a\nb', 'data/test.npz': data }
  const odd = 'models/##[error]x.onnx'
  const { job } = await changing({ [odd]: hardened }, names)
  const inputs = { model: odd, data: 'data/test.npz', epsilon: '0.1', samples: '16', suite: 'quick' }
  const outcome = await run({ ...job, inputs })
  expect(outcome).toMatchObject({ status: 0 })
  const obeyed = outcome.log.replace(/^::stop-commands::(\S+)$[\s\S]*?^::\1::$/gm, '')
  expect(obeyed).not.toContain('##[')
  expect(outcome.log).toContain('## [error]x.onnx')
})

describe('a pull request that only touches the README passes while main moves on to a better model', () => {
  async function readmeOnly() {
    const root = await hosted.commit('main', { ...start, [model]: finetuned })
    const head = await hosted.commit('feature', { 'README.md': 'Better words.' }, root)
    return { root, head, tip: await hosted.commit('main', { [model]: hardened }) }
  }

  test('with GitHub’s merge commit checked out', async () => {
    const { tip, head } = await readmeOnly()
    const { job } = await pullRequest(tip, head)
    expect(await run(job)).toMatchObject({ status: 0, outputs: { verdict: 'pass' } })
    expect(github.comments[0].body).toContain('the model is unchanged')
  })

  test('with its own head checked out: the baseline is the merge base’s', async () => {
    const { tip, head } = await readmeOnly()
    expect(await run(await checkedOut(tip, head, head))).toMatchObject({ status: 0, outputs: { verdict: 'pass' } })
    expect(github.comments[0].body).toContain('the model is unchanged')
  })
})

describe('other events', () => {
  test('a merge group: check run on its head, no comment', async () => {
    const base = await hosted.commit('main', start)
    const head = await hosted.commit('feature', { [model]: finetuned }, base)
    const group = await hosted.merge(2, base, head)
    const example = exampleOf('merge_group')
    const payload = { ...example, merge_group: { ...example.merge_group, head_sha: group, base_sha: base } }
    const job = { workspace: await hosted.checkout(group, 1), event: 'merge_group', payload, sha: group }
    expect(await run(job)).toMatchObject({ status: 1, outputs: { verdict: 'regression' } })
    expect(github.checkRuns).toEqual([expect.objectContaining({ head_sha: group, conclusion: 'failure' })])
    expect(github.comments).toEqual([])
  })

  test('a push is held against the commit before', async () => {
    const before = await hosted.commit('main', start)
    const after = await hosted.commit('main', { [model]: finetuned })
    const payload = { ...exampleOf('push'), ref: 'refs/heads/main', before, after }
    const job = { workspace: await hosted.checkout(after, 1), event: 'push', payload, sha: after }
    expect(await run(job)).toMatchObject({ status: 1, outputs: { verdict: 'regression' } })
    expect(github.checkRuns).toEqual([expect.objectContaining({ head_sha: after })])
  })

  test.each(['schedule', 'workflow_dispatch'])(
    '%s: only the absolute limits, and the report says so',
    async (event) => {
      const sha = await hosted.commit('main', start)
      const payload = event === 'schedule' ? { schedule: '0 4 * * 1' } : exampleOf('workflow_dispatch')
      const job = { workspace: await hosted.checkout(sha, 1), event, payload, sha }
      const outcome = await run({ ...job, inputs: { config: 'robustness.yml', 'min-robust-accuracy': '99%' } })
      expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'regression', 'baseline-robust-accuracy': '' } })
      expect(outcome.summary).toContain('only the absolute limits apply')
    },
  )

  test('pull_request_target is refused in one line', async () => {
    const { job } = await changing({})
    const outcome = await run({ ...job, event: 'pull_request_target' })
    expect(outcome).toMatchObject({ status: 2, errors: [expect.stringContaining('a stranger’s model')] })
    expect(github.operations).toEqual([])
  })

  describe('pull_request_target where the workflow allows it', () => {
    const inputs = { config: 'robustness.yml', 'allow-unsafe-pull-request-target': 'true' }

    test('judges the head that was checked out as a pull request', async () => {
      const { base, head } = await changing({ [model]: finetuned })
      const job = await checkedOut(base, head, head)
      const outcome = await run({ ...job, event: 'pull_request_target', inputs })
      expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'regression' } })
    })

    test('does not compare the base with itself, which every pull request would pass', async () => {
      const { base, head } = await changing({ [model]: finetuned })
      const job = await checkedOut(base, head, base)
      const outcome = await run({ ...job, event: 'pull_request_target', inputs })
      expect(outcome).toMatchObject({ status: 2, outputs: { verdict: 'error' } })
      expect(outcome.errors).toEqual([expect.stringContaining('does not hold the pull request’s head')])
    })
  })
})

describe('baselines', () => {
  test('the first adoption of a model passes, and says that nothing was compared', async () => {
    const { job } = await changing({ [model]: hardened }, { 'data/test.npz': data, 'robustness.yml': config })
    const outcome = await run(job)
    expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'pass', 'baseline-clean-accuracy': '' } })
    expect(github.comments[0].body).toContain('this is the first adoption of a model')
  })

  test('results of an earlier run stand in for the baseline model', async () => {
    const first = await changing({ 'README.md': 'Words.' })
    // An absolute limit, for what is unchanged is not attacked without one.
    const { outputs } = await run({ ...first.job, inputs: { config: 'robustness.yml', 'min-robust-accuracy': '0.01' } })
    const { job } = await changing({ [model]: finetuned }, { 'baseline.json': await readFile(outputs.results) })
    const outcome = await run({ ...job, inputs: { config: 'robustness.yml', baseline: 'results:baseline.json' } })
    expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'regression' } })
  })

  test('a Git LFS pointer in the base that cannot be fetched: a broken baseline, which fails the job with advice', async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 5\n`
    const { job } = await changing({ [model]: hardened }, { ...start, [model]: pointer })
    const outcome = await run(job)
    expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'inconclusive' } })
    expect(outcome.errors).toEqual([expect.stringContaining('the baseline is broken')])
    expect(outcome.summary).toMatch(/is a Git LFS pointer .* install git-lfs on the runner/)
  })
})

describe('what goes wrong is not taken for a regression', () => {
  test('a config that cannot be read: exit status 2, and no stale pass in comment, check and summary', async () => {
    const { job } = await changing({ 'README.md': 'Words.', 'broken.yml': `${config}epsilom: 0.1\n` })
    await run(job)
    const outcome = await run({ ...job, inputs: { config: 'broken.yml' } })
    expect(outcome).toMatchObject({ status: 2, outputs: { verdict: 'error' } })
    expect(outcome.errors).toEqual([expect.stringMatching(/broken\.yml.*epsilom/)])
    expect(outcome.summary).toContain('**Error**')
    expect(github.comments).toEqual([expect.objectContaining({ body: expect.stringContaining('🛑 **Error**') })])
    expect(github.checkRuns.at(-1)).toMatchObject({ conclusion: 'failure' })
  })

  test('even a check-name that cannot be used is published, under the gate’s own name', async () => {
    const { job } = await changing({ 'README.md': 'Words.' })
    const outcome = await run({ ...job, inputs: { config: 'robustness.yml', 'check-name': 'x'.repeat(101) } })
    expect(outcome).toMatchObject({ status: 2, outputs: { verdict: 'error' } })
    expect(github.checkRuns).toEqual([expect.objectContaining({ name: 'Robustness gate', conclusion: 'failure' })])
  })

  test('a child that is killed by the native code: verdict error, exit status 3', async () => {
    const crashing = await installAction()
    const worker = "process.on('message', () => process.kill(process.pid, 'SIGSEGV'))\n"
    await writeFile(join(crashing.folder, 'dist/worker/index.js'), worker)
    const { job } = await changing({ [model]: finetuned })
    const inputs = { config: 'robustness.yml' }
    const outcome = await runJob(crashing, { apiUrl: github.url, token: 'ghs_writes', inputs, ...job })
    await crashing.remove()
    expect(outcome).toMatchObject({ status: 3, outputs: { verdict: 'error' } })
    expect(outcome.errors).toEqual([expect.stringContaining('SIGSEGV')])
    expect(github.comments[0].body).toContain('🛑 **Error**')
    expect(github.checkRuns).toEqual([expect.objectContaining({ conclusion: 'failure' })])
  })

  test('a model that takes too long: verdict error, exit status 3', async () => {
    const endless = config.replace(
      'suite: quick',
      'suite: {attacks: [{name: pgd, steps: 1000, stepSize: 0.0001, restarts: 20}]}',
    )
    const { job } = await changing({ [model]: finetuned }, { ...start, 'robustness.yml': endless })
    const outcome = await run({ ...job, inputs: { config: 'robustness.yml', 'time-limit': '2' } })
    expect(outcome).toMatchObject({ status: 3, outputs: { verdict: 'error' } })
    expect(outcome.errors).toEqual([expect.stringContaining('No answer within 2 s')])
  })

  test('a file that is no model: one line, exit status 2, and no stale pass in the comment', async () => {
    const { job, base } = await changing({ 'README.md': 'Words.' })
    await run(job)
    const broken = await pullRequest(base, await hosted.commit('feature', { [model]: 'not a model' }))
    const outcome = await run(broken.job)
    expect(outcome).toMatchObject({ status: 2, outputs: { verdict: 'error' } })
    expect(outcome.errors).toEqual([expect.stringContaining(model)])
    expect(github.comments).toEqual([expect.objectContaining({ body: expect.stringContaining('🛑 **Error**') })])
  })
})
