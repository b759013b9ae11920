import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { pullRequestFrom } from '../support/github/payloads.js'
import { hostRepository } from '../support/github/repository.js'
import type { Content, HostedRepository } from '../support/github/repository.js'
import { installAction, runJob } from '../support/github/runner.js'
import type { InstalledAction, Job, Outcome } from '../support/github/runner.js'

/** The built action with a config that lists several models: one step, a verdict for each. */

const config = `
data: data/test.npz
epsilon: 0.1
samples: 16
suite: quick
models:
  - { name: letters, model: models/letters.onnx }
  - { name: digits, model: models/digits.onnx }
  - { name: signs, model: models/signs.onnx, checkName: Signs }
`
const hardened = readFileSync('fixtures/fashion/fashion-hardened.onnx')
const finetuned = readFileSync('fixtures/fashion/fashion-finetuned.onnx')
const start: Content = {
  ...{ 'models/letters.onnx': hardened, 'models/digits.onnx': hardened, 'models/signs.onnx': hardened },
  ...{ 'data/test.npz': readFileSync('fixtures/fashion/fashion-test.npz'), 'robustness.yml': config },
}

let action: InstalledAction
let hosted: HostedRepository
let github: LoopbackGitHub
beforeAll(async () => {
  action = await installAction()
})
afterAll(() => action.remove())
beforeEach(async () => {
  hosted = await hostRepository()
  github = await startGitHub({
    ...{ repository: 'Codertocat/Hello-World', pullRequests: [2], tokens: { ghs_writes: actionsToken } },
  })
})
afterEach(async () => {
  await hosted.remove()
  await github.close()
})

async function run(
  files: Content,
  inputs: Job['inputs'] = {},
  before = start,
): Promise<Outcome & { workspace: string }> {
  const base = await hosted.commit('main', before)
  const head = await hosted.commit('feature', files, base)
  const sha = await hosted.merge(2, base, head)
  const payload = pullRequestFrom(head, base)
  const workspace = await hosted.checkout(sha, 1)
  const outcome = await runJob(action, {
    ...{ workspace, event: 'pull_request', payload, sha, apiUrl: github.url, token: 'ghs_writes' },
    inputs: { config: 'robustness.yml', ...inputs },
  })
  return { ...outcome, workspace }
}

test('one that breaks does not keep the others from their verdicts; the job ends as the worst of them', async () => {
  const outcome = await run({ 'models/letters.onnx': 'not a model', 'models/digits.onnx': finetuned })
  const { status, outputs, errors, summary, workspace } = outcome
  expect({ status, verdict: outputs.verdict }).toEqual({ status: 2, verdict: 'error' })
  expect(JSON.parse(outputs.verdicts)).toEqual({ letters: 'error', digits: 'regression', signs: 'pass' })
  expect(errors).toEqual([
    expect.stringMatching(/^letters: .*models\/letters\.onnx/),
    expect.stringMatching(/^digits: Regression: /),
  ])
  for (const heading of ['## letters\n', '## digits\n', '## signs\n']) expect(summary).toContain(heading)
  // A check and a section each, in one comment.
  const checks = github.checkRuns.map(({ name, conclusion }) => [name, conclusion])
  expect(Object.fromEntries(checks)).toEqual({
    ...{ 'Robustness gate: letters': 'failure', 'Robustness gate: digits': 'failure', Signs: 'success' },
  })
  expect(github.comments).toHaveLength(1)
  const headings = github.comments[0].body.match(/^### .*/gm) ?? []
  expect(headings.map((line) => /(letters|digits|Signs)$/.exec(line)?.[0])).toEqual(['digits', 'letters', 'Signs'])
  const folder = join(workspace, 'robustness-gate-results')
  expect(await readdir(join(folder, 'letters'))).toEqual([])
  const comparison = JSON.parse(await readFile(join(folder, 'digits/comparison.json'), 'utf8')) as object
  expect(comparison).toMatchObject({ candidate: { name: 'models/digits.onnx' }, verdict: { outcome: 'regression' } })
})

test('what is wrong in one entry of the list is that model’s error', async () => {
  const broken = config.replace('models/letters.onnx', 'models/letters.onnx, epsilon: much')
  const { status, outputs, errors } = await run({ 'README.md': '.' }, {}, { ...start, 'robustness.yml': broken })
  expect({ status, verdict: outputs.verdict }).toEqual({ status: 2, verdict: 'error' })
  expect(JSON.parse(outputs.verdicts)).toEqual({ letters: 'error', digits: 'pass', signs: 'pass' })
  expect(errors).toEqual([expect.stringMatching(/^letters: config robustness\.yml.*: models\[0\]\.epsilon: /)])
  expect(github.checkRuns.map(({ name }) => name)).toContain('Robustness gate: letters')
})

test('a list that cannot be told apart is one error, posted as the gate’s', async () => {
  const twice = config.replace('name: digits', 'name: letters')
  const { status, outputs, errors } = await run({ 'README.md': '.' }, {}, { ...start, 'robustness.yml': twice })
  expect({ status, verdict: outputs.verdict, verdicts: outputs.verdicts }).toEqual({
    ...{ status: 2, verdict: 'error', verdicts: '' },
  })
  expect(errors).toEqual([expect.stringMatching(/models\[1\]\.name: "letters" is taken/)])
  expect(github.checkRuns).toEqual([expect.objectContaining({ name: 'Robustness gate', conclusion: 'failure' })])
})

test('a dry run tells the plan of each, and a shard evaluates each', async () => {
  const dry = await run({ 'README.md': '.' }, { 'dry-run': 'true' })
  expect({ status: dry.status, verdict: dry.outputs.verdict }).toEqual({ status: 0, verdict: '' })
  expect(dry.summary.match(/^All in all: /gm)).toHaveLength(3)
  const shard = await run({ 'README.md': '..' }, { shard: '2/2' })
  expect(shard.status).toBe(0)
  const folder = join(shard.workspace, 'robustness-gate-results')
  for (const name of ['letters', 'digits', 'signs']) expect(await readdir(join(folder, name))).toContain('shard.json')
  expect([...github.comments, ...github.checkRuns]).toEqual([])
})
