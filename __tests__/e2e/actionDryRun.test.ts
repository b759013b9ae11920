import { readFileSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { inTemporaryFolder, runCli } from '../support/cli.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { pullRequestFrom } from '../support/github/payloads.js'
import { hostRepository } from '../support/github/repository.js'
import type { Content, HostedRepository } from '../support/github/repository.js'
import { installAction, runJob } from '../support/github/runner.js'
import type { InstalledAction } from '../support/github/runner.js'

/** The built action with `dry-run: true`: people try a workflow without a verdict, a comment or a wait. */
let action: InstalledAction
let hosted: HostedRepository
let github: LoopbackGitHub
beforeAll(async () => {
  action = await installAction()
  hosted = await hostRepository()
  github = await startGitHub({
    repository: 'Codertocat/Hello-World',
    pullRequests: [2],
    tokens: { ghs_writes: actionsToken },
  })
})
afterAll(async () => {
  await github.close()
  await hosted.remove()
  await action.remove()
})

const model = 'models/classifier.onnx'
let branches = 0

async function dryRun(inputs: Readonly<Record<string, string>>, installed = action, atBase: Content = {}) {
  const base = await hosted.commit('main', {
    [model]: readFileSync('fixtures/fashion/fashion-hardened.onnx'),
    'data/test.npz': readFileSync('fixtures/fashion/fashion-test.npz'),
    'robustness.yml': `model: ${model}\ndata: data/test.npz\nepsilon: 0.1\nsamples: 16\nsuite: quick\n`,
    ...atBase,
  })
  const head = await hosted.commit(
    `feature-${(branches += 1)}`,
    { [model]: readFileSync('fixtures/fashion/fashion-finetuned.onnx') },
    base,
  )
  const commit = await hosted.merge(2, base, head)
  const payload = pullRequestFrom(head, base)
  const workspace = await hosted.checkout(commit, 1)
  const outcome = await runJob(installed, {
    ...{ workspace, event: 'pull_request', payload, sha: commit, apiUrl: github.url, token: 'ghs_writes' },
    inputs: { config: 'robustness.yml', 'dry-run': 'true', ...inputs },
  })
  return { ...outcome, files: await readdir(workspace) }
}

test('tells the plan in log and summary, and posts, writes and blocks nothing', async () => {
  const { status, summary, log, outputs, errors, files } = await dryRun({})
  expect({ status, errors, verdict: outputs.verdict }).toEqual({ status: 0, errors: [], verdict: '' })
  for (const text of [summary, log]) {
    expect(text).toMatch(/^Candidate: models\/classifier\.onnx, 10 classes; right on \d+ of the first 16 images/m)
    expect(text).toMatch(/^Baseline: .*, 10 classes; right on \d+ of the first 16 images/m)
    expect(text).toMatch(/^All in all: at most about \d+ s$/m)
  }
  expect([...github.comments, ...github.checkRuns]).toEqual([])
  expect(files).not.toContain('robustness-gate-results')
})

test('what would keep the gate from running fails the job: exit status 2, one line', async () => {
  const { status, errors } = await dryRun({ data: join('data', 'none.npz') })
  expect({ status, errors }).toEqual({ status: 2, errors: [expect.stringContaining('none.npz')] })
  expect([...github.comments, ...github.checkRuns]).toEqual([])
})

describe('a baseline that cannot be used is the state that the gate would find, with what the policy makes of it', () => {
  /** Results of the hardened model under another seed: from the command line, as somebody commits them. */
  async function ofSeed(seed: number): Promise<Content> {
    return inTemporaryFolder(async (cwd) => {
      const files = ['--model', resolve('fixtures/fashion/fashion-hardened.onnx'), '--seed', String(seed)]
      const data = ['--data', resolve('fixtures/fashion/fashion-test.npz'), '--samples', '16', '--epsilon', '0.1']
      await runCli(['evaluate', ...files, ...data, '--suite', 'quick', '--out', 'out'], { cwd })
      return { 'baseline.json': readFileSync(join(cwd, 'out/results.json')) }
    })
  }
  const line = (text: string) => /^Baseline: .*$/m.exec(text)?.[0]

  test('results of another seed', async () => {
    const committed = await ofSeed(7)
    const inputs = { baseline: 'results:baseline.json' }
    const { status, summary, errors } = await dryRun(inputs, action, committed)
    expect({ status, errors }).toEqual({ status: 0, errors: [] })
    expect(line(summary)).toMatch(
      /^Baseline: The baseline was made with another suite, other data or another seed \(.*differ in seed \(0 and 7\).*\): nothing is compared, and the gate fails \(on-missing-baseline, by default: fail\)$/,
    )
    const passing = await dryRun({ ...inputs, 'on-missing-baseline': 'pass' }, action, committed)
    expect(line(passing.summary)).toMatch(/the model passes unless .* \(on-missing-baseline: pass\)$/)
    // Those of the same seed can be used.
    const same = await dryRun({ ...inputs, seed: '7' }, action, committed)
    expect(line(same.summary)).toMatch(/^Baseline: results of an earlier evaluation/)
  })

  test.each([
    ['an empty file', '', /^Note: .*empty/m],
    ['a text', 'no model', /^Baseline: The baseline is broken \(.+\)/m],
  ])('a model at the base that is %s: the candidate is planned all the same', async (_, content, why) => {
    const { status, summary } = await dryRun({}, action, { [model]: content })
    expect(status).toBe(0)
    expect(summary).toMatch(/^Candidate: models\/classifier\.onnx, 10 classes/m)
    expect(line(summary)).toMatch(/^Baseline: The baseline is broken.*: nothing is compared, and the gate fails/)
    expect(summary).toMatch(why)
  })

  test('the same model is none to attack, as the gate says, too', async () => {
    const finetuned = readFileSync('fixtures/fashion/fashion-finetuned.onnx')
    const { summary } = await dryRun({}, action, { [model]: finetuned })
    expect(line(summary)).toBe('Baseline: the same model, so the gate attacks nothing, and it passes')
    expect(summary).toMatch(/^All in all: seconds$/m)
  })
})

test('a model that kills its process fails the job, as it would the gate: exit status 3', async () => {
  const crashing = await installAction()
  const worker = "process.on('message', () => process.kill(process.pid, 'SIGSEGV'))\n"
  await writeFile(join(crashing.folder, 'dist/worker/index.js'), worker)
  const { status, errors } = await dryRun({}, crashing)
  await crashing.remove()
  expect({ status, errors }).toEqual({ status: 3, errors: [expect.stringContaining('SIGSEGV')] })
})

test('is refused where a token that writes is at hand and no model may be loaded', async () => {
  const { status, errors } = await dryRun({ mode: 'publish' })
  expect({ status, errors }).toEqual({ status: 2, errors: [expect.stringContaining('mode: gate')] })
})
