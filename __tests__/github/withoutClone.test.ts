import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { baseFinder } from '../../src/github/base.js'
import { findBaseline } from '../../src/github/findBaseline.js'
import type { Baseline } from '../../src/github/baseline.js'
import type { Client } from '../../src/github/client.js'
import { remoteCommit } from '../../src/github/contents.js'
import type { RemoteCommit } from '../../src/github/contents.js'
import type { Event } from '../../src/github/context.js'
import { changesOf, readConfigFile } from '../../src/github/governed.js'
import type { Governing } from '../../src/github/governed.js'
import { clientOf } from '../support/github/client.js'
import { repositoryContents } from '../support/github/contents.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { hostRepository } from '../support/github/repository.js'
import type { HostedRepository } from '../support/github/repository.js'
import { noPause } from '../support/noPause.js'

/** A workspace that is no clone, as actions/checkout leaves it on a runner without git, grades nobody's own work either. */

let hosted: HostedRepository
let github: LoopbackGitHub
let client: Client
beforeEach(async () => {
  hosted = await hostRepository()
  const world = { repository: 'Codertocat/Hello-World', pullRequests: [2], tokens: { ghs: actionsToken } }
  github = await startGitHub({ ...world, extensions: [repositoryContents(join(hosted.folder, 'origin'))] })
  client = clientOf(github.url, 'ghs', { owner: 'Codertocat', repo: 'Hello-World' })
})
afterEach(async () => {
  await hosted.remove()
  await github.close()
})

type Texts = Readonly<Record<string, string>>

/** A pull request whose files lie in a folder, and what GitHub knows of its commits. */
interface PullRequest {
  readonly workspace: string
  readonly base: string
  readonly event: Event
  readonly remote: RemoteCommit
}

async function pullRequest(before: Texts, changes: Texts, meanwhile?: Texts): Promise<PullRequest> {
  const base = await hosted.commit('main', { 'README.md': 'A model.', ...before })
  const headSha = await hosted.commit('feature', changes, base)
  const baseSha = meanwhile === undefined ? base : await hosted.commit('main', meanwhile)
  const event: Event = { kind: 'pull_request', number: 2, headSha, baseRef: 'main', baseSha, fork: false }
  const workspace = join(hosted.folder, 'workspace')
  for (const [name, text] of Object.entries({ ...before, ...changes })) await write(join(workspace, name), text)
  const remote = remoteCommit(client, event, () => Promise.reject(new Error('Git LFS')), noPause)
  return { workspace, base, event, remote }
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

const noClone = (): Promise<undefined> => Promise.resolve(undefined)

async function configOf({ workspace, event, remote }: Omit<PullRequest, 'remote'> & { remote?: RemoteCommit }) {
  return readConfigFile(join(workspace, 'gate.yml'), workspace, true, baseFinder(event), noClone, remote)
}

async function baselineOf({ workspace, event, remote }: PullRequest, spec: string, token = true): Promise<Baseline> {
  const asked = { spec, model: join(workspace, 'models/a.onnx'), workspace, guarded: true }
  return findBaseline({ ...asked, ...(token && { remote }) }, baseFinder(event), noClone)
}

function text(baseline: Baseline): string {
  if (baseline.kind !== 'model') throw new Error(`the baseline is ${JSON.stringify(baseline)}`)
  return Buffer.from(baseline.model.bytes).toString()
}

const strict = 'maxRobustDrop: 1'
const lax = 'maxRobustDrop: 100'

describe('the config', () => {
  test('is the base commit’s, whatever the pull request writes', async () => {
    const pull = await pullRequest({ 'gate.yml': strict }, { 'gate.yml': lax })
    expect(await configOf(pull)).toEqual({ name: `gate.yml at ${pull.base.slice(0, 10)}`, text: strict, ofBase: true })
  })

  test('that the pull request adds is used, as with a clone', async () => {
    expect(await configOf(await pullRequest({}, { 'gate.yml': lax }))).toMatchObject({ text: lax })
  })

  test('is refused without a token: nobody could tell who wrote it', async () => {
    const { workspace, event, base } = await pullRequest({ 'gate.yml': strict }, { 'gate.yml': lax })
    await expect(configOf({ workspace, event, base })).rejects.toThrow(
      'config gate.yml: the workspace is no git checkout and there is no github-token',
    )
  })

  test('is refused where the workspace is not laid out as the repository: the base commit’s would not be found', async () => {
    const pull = await pullRequest({ 'gate.yml': strict }, { 'gate.yml': lax })
    const workspace = dirname(pull.workspace)
    const path = join(pull.workspace, 'gate.yml')
    await expect(readConfigFile(path, workspace, true, baseFinder(pull.event), noClone, pull.remote)).rejects.toThrow(
      'config workspace/gate.yml: the repository has no such file, so nobody can tell who wrote it',
    )
  })

  test('outside of the workspace is no checkout’s', async () => {
    const pull = await pullRequest({}, {})
    const path = join(hosted.folder, 'central.yml')
    await write(path, strict)
    const found = readConfigFile(path, pull.workspace, true, baseFinder(pull.event), noClone, pull.remote)
    expect(await found).toMatchObject({ text: strict })
  })

  test.each([403, 404, 500])('is not taken from the pull request when GitHub answers with %i', async (status) => {
    const pull = await pullRequest({ 'gate.yml': strict }, { 'gate.yml': lax })
    github.breakOperation('repos/get-content', { status, body: { message: 'No', status: String(status) } })
    await expect(configOf(pull)).rejects.toThrow(
      /^config gate\.yml: GitHub does not tell .* needs contents: read, or a clone$/,
    )
  })
})

describe('a committed baseline', () => {
  test('is the base commit’s', async () => {
    const pull = await pullRequest({ 'models/b.onnx': 'strong' }, { 'models/b.onnx': 'weak' })
    expect(text(await baselineOf(pull, 'path:models/b.onnx'))).toBe('strong')
  })

  test('that the pull request itself adds does not count', async () => {
    const pull = await pullRequest({}, { 'models/b.onnx': 'weak' })
    expect(await baselineOf(pull, 'path:models/b.onnx')).toMatchObject({
      ...{ kind: 'missing', reason: expect.stringContaining('The pull request itself adds models/b.onnx') },
    })
  })

  test('that no commit has came from an earlier step', async () => {
    const pull = await pullRequest({}, {})
    await write(join(pull.workspace, 'fetched.onnx'), 'from the registry')
    expect(text(await baselineOf(pull, 'path:fetched.onnx'))).toBe('from the registry')
  })

  test.each(['path:models/b.onnx', 'results:models/b.onnx'])('%s is refused without a token', async (spec) => {
    const pull = await pullRequest({ 'models/b.onnx': 'strong' }, { 'models/b.onnx': 'weak' })
    await expect(baselineOf(pull, spec, false)).rejects.toThrow('so nobody can tell what the pull request wrote')
  })
})

describe('what else it is judged by', () => {
  const governing = (workspace: string): readonly Governing[] => [
    { kind: 'config', path: join(workspace, 'gate.yml') },
    { kind: 'data', path: join(workspace, 'data/images') },
    { kind: 'labels', path: join(workspace, 'data/labels') },
  ]
  const before = { 'gate.yml': strict, 'data/images/x.png': 'images', 'data/labels': 'labels' }
  const changes = { 'gate.yml': lax, 'data/images/x.png': 'easier images' }

  test('the report says what changes', async () => {
    const pull = await pullRequest(before, changes)
    const notes = changesOf(governing(pull.workspace), baseFinder(pull.event), noClone, pull)
    expect(await notes).toEqual([
      `The pull request changes the config (gate.yml). It is judged by the one of the base commit, ${pull.base.slice(0, 10)}; a model that only the changed one names was not looked at.`,
      'The pull request changes the data (data/images). Both models were measured on the changed data.',
    ])
  })

  test('or that it could not be found out', async () => {
    const { workspace, event, remote } = await pullRequest(before, changes)
    const data = governing(workspace).slice(1, 2)
    expect(await changesOf(data, baseFinder(event), noClone, { workspace })).toEqual([
      'Whether the pull request changes the data (data/images) could not be found out: there is neither a clone nor a github-token.',
    ])
    const faulty = { ...remote, objectAt: () => Promise.reject(new TypeError('a fault of ours')) }
    await expect(changesOf(data, baseFinder(event), noClone, { workspace, remote: faulty })).rejects.toThrow(TypeError)
    github.breakOperation('repos/get-content', { status: 404, body: { message: 'Not Found', status: '404' } })
    expect(await changesOf(data, baseFinder(event), noClone, { workspace, remote })).toEqual([
      expect.stringMatching(/^Whether the pull request changes the data \(data\/images\) could not be found out: /),
    ])
  })
})

describe('baseline auto', () => {
  const model = 'models/a.onnx'

  test('is where the pull request left main, and not what main has taken in since', async () => {
    const pull = await pullRequest({ [model]: 'old' }, { 'README.md': 'Better words.' }, { [model]: 'new' })
    const found = await baselineOf(pull, 'auto')
    expect(text(found)).toBe('old')
    expect(found).toMatchObject({ origin: { commit: pull.base } })
  })

  test('of a push that makes a branch is where that left the default branch; a tag has none', async () => {
    const { base, event, workspace } = await pullRequest({ [model]: 'old' }, { [model]: 'other' }, { [model]: 'new' })
    const push = { kind: 'push', headSha: event.headSha, defaultBranch: 'main', commits: [] } as const
    const asked = (ref: string): Promise<Baseline> => {
      const pushed: Event = { ...push, ref }
      const remote = remoteCommit(client, pushed, () => Promise.reject(new Error('Git LFS')), noPause)
      return baselineOf({ base, workspace, event: pushed, remote }, 'auto')
    }
    expect(text(await asked('refs/heads/feature'))).toBe('old')
    expect(await asked('refs/tags/v1')).toMatchObject({ kind: 'none' })
  })

  test('of a model that git holds in neither commit is no first adoption', async () => {
    const pull = await pullRequest({}, { 'train.py': 'a bad recipe' })
    await write(join(pull.workspace, model), 'weak')
    expect(await baselineOf(pull, 'auto')).toMatchObject({
      ...{ kind: 'broken', reason: expect.stringContaining(`git holds no ${model} in this commit either`) },
    })
  })

  test('in a folder of which GitHub lists only a part is no first adoption', async () => {
    const many = Object.fromEntries(Array.from({ length: 1001 }, (_, place) => [`models/${1e5 + place}.txt`, '']))
    const pull = await pullRequest({ ...many, [model]: 'old' }, { [model]: 'new' })
    expect(await baselineOf(pull, 'auto')).toMatchObject({
      ...{ kind: 'broken', reason: expect.stringContaining('GitHub lists no more than 1000 files of a folder') },
    })
  })

  test('a folder that is a submodule or a file at the base is no first adoption', async () => {
    const pull = await pullRequest({ models: 'a file' }, {})
    expect(await baselineOf(pull, 'auto')).toMatchObject({
      ...{ kind: 'broken', reason: expect.stringContaining('models is a file or submodule there') },
    })
  })
})
