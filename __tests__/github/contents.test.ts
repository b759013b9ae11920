import { execFileSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { isLfsPointer } from '../../src/data/files.js'
import { findBaseline } from '../../src/github/findBaseline.js'
import type { Baseline } from '../../src/github/baseline.js'
import type { Connection } from '../../src/github/client.js'
import { remoteCommit } from '../../src/github/contents.js'
import type { Event } from '../../src/github/context.js'
import { clientOf } from '../support/github/client.js'
import { comparison } from '../support/github/contents.js'
import { everyFault } from '../support/github/faults.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { Extension, LoopbackGitHub } from '../support/github/loopback.js'
import { holdTimers } from '../support/heldTimers.js'
import { noPause } from '../support/noPause.js'

/** A job without a clone still has something to compare with: GitHub's interface has the base commit's files. */

const base = 'b'.repeat(40)
const event = { kind: 'pull_request', number: 2, headSha: 'a'.repeat(40), baseRef: 'main', baseSha: base } as Event
const bytes = Buffer.from([0xff, 0xfe, 0, 1, 2, 0xc3])
const tree: Readonly<Record<string, readonly [name: string, type: string][]>> = {
  '': [['models', 'dir']],
  models: [
    ['a.onnx', 'file'],
    ['a.onnx.data', 'file'],
    ['l.onnx', 'symlink'],
    ['p.onnx', 'file'],
    ['kept.onnx.dvc', 'file'],
  ],
}
/** The pull request adds a model. */
const judgedTree: typeof tree = { ...tree, models: [...tree.models, ['b.onnx', 'file']] }
const prefix = '/repos/Codertocat/Hello-World/contents/'

function contentOf(name: string): Uint8Array {
  return name.endsWith('p.onnx') ? Buffer.from('version https://git-lfs.github.com/spec/v1\n') : bytes
}

/** By git itself. */
function gitsId(content: Uint8Array): string {
  return execFileSync('git', ['hash-object', '--stdin'], { input: content }).toString().trim()
}

function entry(folder: string, name: string, type: string): object {
  const path = folder === '' ? name : `${folder}/${name}`
  const url = `https://example.com/${path}`
  const links = { self: url, git: url, html: url }
  const sha = gitsId(contentOf(name))
  return { type, size: 6, name, path, sha, url, git_url: url, html_url: url, download_url: url, _links: links }
}

/** What stands for the store of large files: lfs.test.ts has a server of it. */
const fromLfs = (pointer: Uint8Array): Promise<Uint8Array> =>
  Promise.resolve(isLfsPointer(pointer) ? bytes.subarray(2) : pointer)

const contents: Extension = {
  file(path, { accept = '' }) {
    if (!path.startsWith(prefix) || !accept.includes('raw')) return undefined
    return contentOf(decodeURIComponent(path.slice(prefix.length)))
  },
  perform({ operation, query }) {
    if (operation.id === 'repos/compare-commits') return { status: 200, body: comparison('https://example.com', base) }
    if (operation.id !== 'repos/get-content') return undefined
    const folder = operation.path.path
    const entries = (query.get('ref') === base ? tree : judgedTree)[folder]
    return entries && { status: 200, body: entries.map(([name, type]) => entry(folder, name, type)) }
  },
}

let github: LoopbackGitHub
beforeEach(async () => {
  const world = { repository: 'Codertocat/Hello-World', pullRequests: [2], tokens: { ghs: actionsToken } }
  github = await startGitHub({ ...world, extensions: [contents] })
})
afterEach(() => github.close())

function auto(model: string, connection: Connection = {}): Promise<Baseline> {
  const client = clientOf(github.url, 'ghs', { owner: 'Codertocat', repo: 'Hello-World' }, connection)
  const noClone = () => Promise.resolve(undefined)
  const notAsked = () => Promise.reject(new Error('there is no clone'))
  const request = { spec: 'auto', model: `/workspace/${model}`, workspace: '/workspace', guarded: true }
  return findBaseline({ ...request, remote: remoteCommit(client, event, fromLfs, noPause) }, notAsked, noClone)
}

/** Of a file there is a limit of minutes, which passes at once. */
async function withoutWaiting<T>(work: () => Promise<T>): Promise<T> {
  const timers = holdTimers(globalThis)
  github.onStall = timers.passNext
  return work().finally(timers.restore)
}

test('the model at the base commit, byte by byte, with the weights beside it', async () => {
  const found = await auto('models/a.onnx')
  expect(found).toMatchObject({ kind: 'model', origin: { commit: base } })
  expect(found).toMatchObject({
    model: { bytes: Uint8Array.from(bytes), external: { 'a.onnx.data': Uint8Array.from(bytes) } },
  })
})

test('one that DVC keeps is none', async () => {
  expect(await auto('models/kept.onnx')).toMatchObject({
    ...{ kind: 'broken', reason: expect.stringContaining('dvc get . models/kept.onnx') },
  })
})

test('one that is not there is a first adoption', async () => {
  expect(await auto('models/b.onnx')).toMatchObject({ kind: 'missing' })
})

test('what Git LFS keeps is had from there', async () => {
  expect(await auto('models/p.onnx')).toMatchObject({ kind: 'model', model: { bytes: bytes.subarray(2) } })
})

test('a symbolic link is a broken one, with advice', async () => {
  expect(await auto('models/l.onnx')).toMatchObject({
    ...{ kind: 'broken', reason: expect.stringContaining('l.onnx is a symlink there; name the file itself') },
  })
})

const told = expect.stringMatching(/^The baseline could not be had: .*the job needs contents: read/)
const unreached = { kind: 'broken', reason: told, warning: told }
/** The comparison and two folders; the model and the weights beside it are files. */
const way = ['repos/compare-commits', 'repos/get-content', 'repos/get-content']

test('without a fault it takes these requests', async () => {
  await auto('models/a.onnx')
  expect(github.operations).toEqual(way)
})

describe.each(Object.entries(everyFault))('%s', (name, fault) => {
  const connection = fault.kind === 'slow body' ? { answerWithin: 400, patience: 0 } : {}

  test.each(['repos/compare-commits', 'repos/get-content'])(
    'at %s: whoever cannot look finds no first adoption, which would pass',
    async (broken) => {
      github.faultAt = (_place, operation) => (operation === broken ? fault : undefined)
      for (const model of ['models/a.onnx', 'models/new.onnx']) expect(await auto(model, connection)).toEqual(unreached)
    },
  )

  const model = '/repos/Codertocat/Hello-World/contents/models%2Fa.onnx'
  const weights = `${model}.data`

  test.each([model, weights])(
    'once, at %s: it is asked for again, unless it was refused or the time is over',
    async (file) => {
      const faults = [fault]
      github.faultOfFile = (path) => (path === file ? faults.pop() : undefined)
      const found = await withoutWaiting(() => auto('models/a.onnx'))
      const external = { 'a.onnx.data': Uint8Array.from(bytes) }
      if (/^(403 without|404|422)|slow/.test(name)) expect(found).toEqual(unreached)
      else expect(found).toMatchObject({ kind: 'model', model: { bytes: Uint8Array.from(bytes), external } })
      expect(faults).toEqual([])
    },
  )

  test.each([model, weights])('always at %s: no half of a model, and no first adoption', async (file) => {
    github.faultOfFile = (path) => (path === file ? fault : undefined)
    expect(await withoutWaiting(() => auto('models/a.onnx'))).toEqual(unreached)
  })

  test.each(way.map((operation, place) => [place, operation] as const))(
    'once, at request %i, %s: the model, whole, or none',
    async (place) => {
      github.faultAt = (at) => (at === place ? fault : undefined)
      const found = await auto('models/a.onnx', connection)
      if (found.kind === 'model') expect(found.model.bytes).toEqual(Uint8Array.from(bytes))
      else expect(found).toEqual(unreached)
    },
  )
})
