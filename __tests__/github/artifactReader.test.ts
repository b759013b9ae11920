import { afterEach, describe, expect, test } from '@jest/globals'
import { zipSync } from 'fflate'
import { artifactReader, fileIn, parseArtifactSpec } from '../../src/github/artifactReader.js'
import type { ArtifactReader } from '../../src/github/artifactReader.js'
import { findBaseline } from '../../src/github/findBaseline.js'
import type { Baseline } from '../../src/github/baseline.js'
import type { Event } from '../../src/github/context.js'
import { filesInZip } from '../../src/github/zip.js'
import { repositoryArtifacts } from '../support/github/branchArtifacts.js'
import type { RepositoryArtifact } from '../support/github/branchArtifacts.js'
import { clientOf } from '../support/github/client.js'
import { actionsToken, notAccessible, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { smallestResults } from '../support/github/results.js'
import { noPause } from '../support/noPause.js'

const commit = 'c'.repeat(40)
const pull: Event = {
  ...{ kind: 'pull_request', number: 2, headSha: 'a'.repeat(40), baseRef: 'main', baseSha: commit },
  ...({ fork: false, author: 'mona' } as object),
} as Event
const text = (content: string) => Buffer.from(content)
const model = zipSync({ 'classifier.onnx': text('a model') })

let github: LoopbackGitHub | undefined
afterEach(() => github?.close())

async function reader(artifacts: readonly RepositoryArtifact[], event = pull): Promise<ArtifactReader> {
  const world = { repository: 'Codertocat/Hello-World', pullRequests: [2], tokens: { ghs: actionsToken } }
  github = await startGitHub({ ...world, extensions: [repositoryArtifacts(artifacts)] })
  const client = clientOf(github.url, 'ghs', { owner: 'Codertocat', repo: 'Hello-World' })
  return artifactReader(client, { fetch, pause: noPause }, event, 42)
}

async function baseline(artifacts: readonly RepositoryArtifact[], spec = 'artifact:model'): Promise<Baseline> {
  const request = { spec, model: '/workspace/a.onnx', workspace: '/workspace', guarded: true }
  const none = () => Promise.reject(new Error('not asked'))
  return findBaseline(request, none, none, await reader(artifacts))
}

describe('baseline: artifact', () => {
  test('is the newest of a successful run on the base branch, and the report can say which', async () => {
    const found = await baseline([
      { run: 1, name: 'model', zip: zipSync({ 'old.onnx': text('old') }) },
      { run: 2, name: 'model', zip: model, commit },
      { run: 3, name: 'model', zip: text('of a run that failed'), conclusion: 'failure' },
      { run: 4, name: 'model', zip: text('of a fork whose branch is called main, too'), fork: true },
      { run: 5, name: 'model', zip: text('of another branch'), branch: 'feature' },
      { run: 6, name: 'model', zip: text('of a pull request that main was the head of'), event: 'pull_request' },
      { run: 42, name: 'model', zip: text('of the run itself') },
    ])
    expect(found).toMatchObject({ kind: 'model', origin: { commit, how: 'artifact model of run 2 on main' } })
    expect(found).toMatchObject({ model: { name: 'artifact model/classifier.onnx', bytes: text('a model') } })
  })

  test.each([
    [410, 'Artifact has expired'],
    [404, 'Not Found'],
  ])('that is gone when it is downloaded (%i) has expired', async (status, message) => {
    const artifacts = await reader([{ run: 1, name: 'model', zip: model }])
    github?.breakOperation('actions/download-artifact', { status, body: { message, status: String(status) } })
    const request = { spec: 'artifact:model', model: '/workspace/a.onnx', workspace: '/workspace', guarded: true }
    const none = () => Promise.reject(new Error('not asked'))
    expect(await findBaseline(request, none, none, artifacts)).toEqual({
      ...{
        kind: 'expired',
        reason: expect.stringMatching(
          /^The artifact model of run 1 on main is kept no longer; .*\(workflow_dispatch\)/,
        ),
      },
    })
  })

  test('a path in it, and the weights beside the model', async () => {
    const zip = zipSync({ 'out/a.onnx': text('a'), 'out/a.onnx.data': text('weights'), 'out/b.onnx': text('b') })
    const found = await baseline([{ run: 1, name: 'model', zip }], 'artifact:model/out/a.onnx')
    expect(found).toMatchObject({ kind: 'model', model: { external: { 'a.onnx.data': text('weights') } } })
  })

  test('results that a gate has uploaded', async () => {
    const zip = zipSync({ 'results.json': text(smallestResults), 'report.md': text('') })
    expect(await baseline([{ run: 1, name: 'model', zip }])).toMatchObject({ kind: 'results' })
  })

  test.each<[string, readonly RepositoryArtifact[], object]>([
    [
      'nowhere',
      [],
      { kind: 'missing', reason: expect.stringMatching(/^No successful run on main has uploaded artifact model\. /) },
    ],
    ['expired', [{ run: 1, name: 'model', zip: model, expired: true }], { kind: 'expired' }],
    ['no zip', [{ run: 1, name: 'model', zip: text('no zip') }], { kind: 'broken' }],
    ['without a model', [{ run: 1, name: 'model', zip: zipSync({ a: text('a') }) }], { kind: 'broken' }],
    ['broken results', [{ run: 1, name: 'model', zip: zipSync({ 'results.json': text('{') }) }], { kind: 'broken' }],
  ])('%s: a state of its own', async (_, artifacts, state) => {
    expect(await baseline(artifacts)).toMatchObject(state)
  })

  test('a token that may not read them: the job’s author hears which permission is missing', async () => {
    const artifacts = await reader([])
    github?.breakOperation('actions/list-artifacts-for-repo', notAccessible)
    const used = artifacts.ofBase('model', () => Promise.resolve(true))
    await expect(used).rejects.toThrow('the job needs actions: read')
  })

  test('is found below a hundred that pull requests have uploaded since: each trains a model of the same name', async () => {
    const pulls = Array.from({ length: 250 }, (_, run) => ({ run: run + 100, name: 'model', zip: model, branch: 'f' }))
    expect(await baseline([{ run: 1, name: 'model', zip: model }, ...pulls])).toMatchObject({ kind: 'model' })
  })

  const failed = Array.from({ length: 60 }, (_, run) => {
    return { run: run + 100, name: 'model', zip: model, conclusion: 'failure' }
  })

  test('is found below twenty runs that failed', async () => {
    const found = await baseline([{ run: 1, name: 'model', zip: model }, ...failed.slice(0, 20)])
    expect(found).toMatchObject({ kind: 'model' })
  })

  test.each<[string, readonly RepositoryArtifact[], RegExp]>([
    [
      'of one failed run',
      failed.slice(0, 1),
      /on main with artifact model none can be used \(1 unsuccessful\); it takes/,
    ],
    [
      'of more failed runs than are looked at',
      [{ run: 1, name: 'model', zip: model }, ...failed],
      /\(50 unsuccessful\)/,
    ],
    [
      'of a workflow_run, which carries the name of main whoever caused it',
      [{ run: 1, name: 'model', zip: model, event: 'workflow_run' }],
      /\(1 started by something else\); .* started by push, schedule, workflow_dispatch\.$/,
    ],
    [
      'of more pull requests than are looked at',
      Array.from({ length: 1_001 }, (_, run) => ({ run: run + 100, name: 'model', zip: text('x'), branch: 'f' })),
      /Of the newest 1000 called artifact model none is of a run on main\./,
    ],
  ])('%s: there is one, so nobody hears that there is none, which would pass', async (_, artifacts, reason) => {
    expect(await baseline(artifacts)).toEqual({ kind: 'broken', reason: expect.stringMatching(reason) })
  })

  test('a pull request that main is the head of does not make a baseline expected', async () => {
    const pulls = [{ run: 1, name: 'model', zip: model, event: 'pull_request' }]
    expect(await baseline(pulls)).toMatchObject({ kind: 'missing' })
  })
})

describe('what a gate uploads that found its model unchanged', () => {
  const spared = zipSync({ 'comparison.json': text('{}'), 'report.md': text('') })
  const measured = zipSync({ 'results.json': text(smallestResults), 'comparison.json': text('{}') })

  test.each(['artifact:robustness-gate', 'artifact:robustness-gate/results.json'])(
    'does not hide what an older run has measured: %s',
    async (spec) => {
      const name = 'robustness-gate'
      const found = await baseline(
        [{ run: 1, name, zip: measured }, ...[2, 3].map((run) => ({ run, name, zip: spared }))],
        spec,
      )
      expect(found).toMatchObject({ kind: 'results', origin: { how: 'artifact robustness-gate of run 1 on main' } })
    },
  )

  test('and nothing else: the baseline is broken, not missing', async () => {
    const found = await baseline([{ run: 1, name: 'robustness-gate', zip: spared }], 'artifact:robustness-gate')
    expect(found).toMatchObject({ kind: 'broken', reason: expect.stringContaining('(1 without results)') })
  })

  test('a model beside a report is a model', async () => {
    const zip = zipSync({ 'comparison.json': text('{}'), 'a.onnx': text('a') })
    expect(await baseline([{ run: 1, name: 'model', zip }])).toMatchObject({ kind: 'model' })
  })
})

test('of this run: what an earlier job has uploaded', async () => {
  const artifacts = await reader([
    { run: 41, name: 'model', zip: text('of another run') },
    { run: 42, name: 'model', zip: model },
  ])
  const found = await artifacts.ofThisRun('model')
  expect(found).toMatchObject({ run: 42 })
  expect(await artifacts.ofThisRun('other')).toBeUndefined()
})

test.each([
  ['main of a queue', { kind: 'merge_group', headRef: `refs/heads/gh-readonly-queue/main/pr-7-${commit}` }, 'main'],
  [
    'a branch with slashes',
    { kind: 'merge_group', headRef: `refs/heads/gh-readonly-queue/r/1.x/pr-7-${commit}` },
    'r/1.x',
  ],
  ['the branch pushed to', { kind: 'push', ref: 'refs/heads/main' }, 'main'],
  ['none', { kind: 'schedule' }, undefined],
])('base branch: %s', async (_, event, branch) => {
  expect((await reader([], event as Event)).baseBranch).toBe(branch)
})

describe('a zip as a folder', () => {
  test.each(['../evil.onnx', '/etc/passwd', 'a/../../b', 'a\\b'])('the name %j is refused', (name) => {
    expect(() => filesInZip(zipSync({ [name]: text('x') }), 'artifact m')).toThrow('a file whose name leads out of it')
  })

  test('two models and no path: says to write one', async () => {
    const files = filesInZip(zipSync({ 'a.onnx': text('a'), 'b.onnx': text('b') }), 'artifact m')
    await expect(fileIn(files, { name: 'm' })).rejects.toThrow('holds more than one model at its top')
  })

  test('folders, and what is not there', async () => {
    const files = filesInZip(zipSync({ 'a/b.txt': text('b'), 'c.txt': text('c') }), 'artifact m')
    expect((await files.readdir('/')).sort()).toEqual(['a', 'c.txt'])
    expect((await files.stat('/a')).isDirectory()).toBe(true)
    await expect(files.stat('/x')).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(files.readFile('/x')).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

test.each(['', '/a', 'a/../b', 'a//b', 'a/../../b'])('artifact:%s is refused in one line', (written) => {
  expect(() => parseArtifactSpec(written)).toThrow(/write artifact:NAME/)
})
