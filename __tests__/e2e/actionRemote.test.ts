import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { zipSync } from 'fflate'
import { runCli } from '../support/cli.js'
import { repositoryArtifacts } from '../support/github/branchArtifacts.js'
import type { RepositoryArtifact } from '../support/github/branchArtifacts.js'
import { heldJob } from '../support/github/heldJob.js'
import type { HeldJob } from '../support/github/heldJob.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { pullRequestFrom } from '../support/github/payloads.js'
import { release } from '../support/github/releases.js'
import { hostRepository } from '../support/github/repository.js'
import type { HostedRepository } from '../support/github/repository.js'
import { installAction, runJob } from '../support/github/runner.js'
import type { InstalledAction, Outcome } from '../support/github/runner.js'
import { serveFiles } from '../support/tls/server.js'
import type { FileServer } from '../support/tls/server.js'

/** Models and data outside git, on the built action: a server on this machine that speaks https, and the loopback GitHub. */

const hardened = readFileSync('fixtures/fashion/fashion-hardened.onnx')
const finetuned = readFileSync('fixtures/fashion/fashion-finetuned.onnx')
const data = readFileSync('fixtures/fashion/fashion-test.npz')
const hashed = (content: Uint8Array) => `#sha256=${createHash('sha256').update(content).digest('hex')}`

const files: Readonly<Record<string, Uint8Array>> = { '/new.onnx': finetuned, '/old.onnx': hardened, '/test.npz': data }
const secret = 'secret-of-the-test-set'

let action: InstalledAction
beforeAll(async () => {
  action = await installAction()
})
afterAll(() => action.remove())

let github: LoopbackGitHub
let hosted: HostedRepository
let server: FileServer
let other: FileServer
const artifacts: RepositoryArtifact[] = []
beforeEach(async () => {
  hosted = await hostRepository()
  artifacts.length = 0
  github = await startGitHub({
    repository: 'Codertocat/Hello-World',
    pullRequests: [2],
    tokens: { ghs_writes: actionsToken },
    extensions: [release('v1', { 'old.onnx': { content: hardened } }), repositoryArtifacts(artifacts)],
  })
  other = await serveFiles(({ path }) => files[path] ?? (path === '/down.onnx' ? 500 : 404))
  server = await serveFiles(({ path, authorization }) => {
    const [name, query] = path.split('?')
    if (name.startsWith('/private') && authorization !== `Bearer ${secret}`) return 403
    if (name === '/private/elsewhere.npz') return `${other.url}/test.npz`
    if (/^\/(gone|down)\.onnx$/.test(name)) return other.url + name
    return query === 'gone' ? 404 : (files[name.replace('/private', '')] ?? 404)
  })
})
afterEach(async () => {
  for (const each of [server, other, github]) await each.close()
  await hosted.remove()
})

/** A pull request that changes nothing but a text: all that is judged comes from somewhere else. */
async function run(inputs: Record<string, string>, held?: HeldJob): Promise<Outcome & { readonly out: string }> {
  const base = await hosted.commit('main', { 'README.md': 'Models are somewhere else.' })
  const head = await hosted.commit('feature', { 'README.md': 'Another model.' }, base)
  const merge = await hosted.merge(2, base, head)
  const workspace = await hosted.checkout(merge, 1)
  const payload = pullRequestFrom(head, base)
  const job = {
    ...{ workspace, event: 'pull_request', payload, sha: merge, apiUrl: github.url, token: 'ghs_writes' },
    inputs: { epsilon: '0.1', samples: '16', suite: 'quick', ...inputs },
    environment: { ...server.environment, ...held?.environment },
  }
  const outcome = await runJob(action, job, held?.onStart)
  return { ...outcome, out: join(workspace, 'robustness-gate-results') }
}

const address = (path: string, content: Uint8Array, query = '') => `${server.url}${path}${query}${hashed(content)}`

/** Everything that a run has written or posted. */
async function told({ out, log, summary }: Outcome & { readonly out: string }): Promise<string> {
  const names = await readdir(out).catch(() => [])
  const written = await Promise.all(names.map((name) => readFile(join(out, name), 'latin1')))
  const posted = [github.comments, github.checkRuns].map((each) => JSON.stringify(each))
  return [log.replaceAll(/^::add-mask::.*$/gm, ''), summary, ...written, ...posted].join('\n')
}

test('a model at an address, a private test set behind a secret, and a release’s baseline: the weaker model is blocked, and no secret is told', async () => {
  const outcome = await run({
    model: address('/new.onnx', finetuned, '?signature=of-the-address'),
    data: address('/private/elsewhere.npz', data),
    baseline: 'release:v1/old.onnx',
    'data-token': secret,
  })
  expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'regression' }, warnings: [] })
  expect(server.requests).toEqual([
    { path: '/new.onnx?signature=of-the-address' },
    { path: '/private/elsewhere.npz', authorization: `Bearer ${secret}` },
  ])
  expect(other.requests).toEqual([{ path: '/test.npz' }])
  const results = JSON.parse(await readFile(join(outcome.out, 'results.json'), 'utf8')) as object
  expect(results).toMatchObject({ model: { name: 'new.onnx' }, data: { name: 'elsewhere.npz' } })
  const all = await told(outcome)
  expect(all).toContain('new.onnx')
  for (const hidden of [secret, 'of-the-address', 'https://localhost']) expect(all).not.toContain(hidden)
  expect(outcome.log).toContain(`::add-mask::${secret}`)
})

describe.each([
  ['/gone.onnx', 'is not there \\(status 404\\)'],
  ['/down.onnx', 'could not be fetched \\(status 500\\)'],
])('where the server that an address leads on to fails, as %s does,', (path, why) => {
  const common = () => ({ data: address('/test.npz', data) })
  const told = expect.stringMatching(new RegExp(`^The baseline .*${path.slice(1)} from localhost:\\d+: ${why}`))

  test('a baseline is broken, with one warning, and the policy decides', async () => {
    const inputs = { ...common(), model: address('/new.onnx', finetuned), baseline: address(path, hardened) }
    const failing = await run(inputs, heldJob())
    expect(failing).toMatchObject({ status: 1, outputs: { verdict: 'inconclusive' }, warnings: [told] })
    expect(failing.summary).toContain('the baseline is broken')
    const passing = await run({ ...inputs, 'on-missing-baseline': 'pass' }, heldJob())
    expect(passing).toMatchObject({ status: 0, outputs: { verdict: 'pass' }, warnings: [told], errors: [] })
    expect(passing.summary).toContain('The baseline is broken: only absolute limits were checked.')
  })

  test('a candidate is an error, in one sentence', async () => {
    const outcome = await run({ ...common(), model: address(path, finetuned), baseline: 'none' }, heldJob())
    expect(outcome).toMatchObject({ outputs: { verdict: 'error' }, warnings: [] })
    expect(outcome.status).toBeGreaterThan(1)
    expect(outcome.errors).toEqual([expect.stringMatching(new RegExp(`${path.slice(1)} from localhost:\\d+: ${why}`))])
    expect(outcome.summary).toContain('🛑 **Error**')
  })
})

test('data in an artifact of this run', async () => {
  artifacts.push({ run: 42, name: 'images', zip: zipSync({ 'test.npz': data }) })
  const outcome = await run({
    ...{ model: address('/old.onnx', hardened), baseline: 'none', data: 'artifact:images' },
  })
  expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'pass' } })
  const results = JSON.parse(await readFile(outcome.outputs.results, 'utf8')) as object
  expect(results).toMatchObject({ data: { name: 'test.npz' } })
})

describe('is refused with status 2 and one sentence:', () => {
  const common = () => ({ baseline: 'none', data: address('/test.npz', data) })

  test.each([
    [
      'an address without a hash',
      () => ({ model: `${server.url}/new.onnx` }),
      /needs the SHA-256 of the file at its end/,
    ],
    [
      'a model that is another',
      () => ({ model: address('/new.onnx', hardened) }),
      /^new\.onnx from localhost:\d+: what was fetched is another file/,
    ],
    [
      'one that is not there',
      () => ({ model: address('/new.onnx', finetuned, '?gone') }),
      /^new\.onnx from localhost:\d+: is not there/,
    ],
    [
      'private data without a secret',
      () => ({ model: address('/new.onnx', finetuned), data: address('/private/test.npz', data) }),
      /^test\.npz from localhost:\d+: may not be read \(status 403\); a private test set needs the input data-token$/,
    ],
    [
      'an artifact that is not there',
      () => ({ model: address('/new.onnx', finetuned), data: 'artifact:none' }),
      /this run has no such artifact/,
    ],
  ])('%s', async (_, inputs, message) => {
    const outcome = await run({ ...common(), ...inputs() })
    expect(outcome).toMatchObject({ status: 2, outputs: { verdict: 'error' } })
    expect(outcome.errors).toEqual([expect.stringMatching(message)])
  })
})

test('the command line takes the same addresses', async () => {
  const model = address('/old.onnx', hardened)
  const options = ['--epsilon', '0.1', '--samples', '16', '--suite', 'quick', '--out', join(hosted.folder, 'out')]
  const environment = { environment: { ...server.environment, ROBUSTNESS_GATE_DATA_TOKEN: secret } }
  const gate = ['gate', '--candidate', model, '--baseline', model, '--data', address('/private/test.npz', data)]
  expect(await runCli([...gate, ...options], environment)).toMatchObject({ status: 0 })
  expect(await runCli(['inspect', `${server.url}/old.onnx`], environment)).toMatchObject({
    ...{ status: 2, stderr: expect.stringContaining('an address needs the SHA-256') },
  })
  expect(await runCli(['inspect', 'release:v1/old.onnx'], environment)).toMatchObject({
    ...{ status: 2, stderr: expect.stringContaining('on the command line give a file or an address') },
  })
})
