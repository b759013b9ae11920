import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { UsageError } from '../../src/errors.js'
import { findBaseline } from '../../src/github/findBaseline.js'
import type { Baseline } from '../../src/github/baseline.js'
import type { Client } from '../../src/github/client.js'
import { fetchedModel, remoteOpener } from '../../src/github/remoteSources.js'
import { clientOf } from '../support/github/client.js'
import { everyFault } from '../support/github/faults.js'
import type { Fault } from '../support/github/faults.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { Extension, LoopbackGitHub } from '../support/github/loopback.js'
import { release } from '../support/github/releases.js'
import { holdTimers } from '../support/heldTimers.js'
import { noPause } from '../support/noPause.js'

const model = Buffer.from('an old model')
const sha256 = createHash('sha256').update(model).digest('hex')
const other = 'ab'.repeat(32)

let github: LoopbackGitHub
let client: Client
const serve = async (...extensions: Extension[]) => {
  const world = { repository: 'Codertocat/Hello-World', pullRequests: [2], tokens: { ghs: actionsToken } }
  github = await startGitHub({ ...world, extensions })
  client = clientOf(github.url, 'ghs', { owner: 'Codertocat', repo: 'Hello-World' })
}
const files = { 'model.onnx': { content: model, digest: `sha256:${sha256}` }, 'old.onnx': { content: model } }
beforeEach(() => serve(release('v1.0/final', files)))
afterEach(() => github.close())

const open = (written: string) => remoteOpener({ fetch, pause: noPause, temporary: tmpdir() }, client)(written, 'model')

describe('a file of a release', () => {
  test.each(['release:v1.0/final/model.onnx', 'release:latest/model.onnx', `release:latest/old.onnx#sha256=${sha256}`])(
    '%s is fetched, and the storage behind it gets no token',
    async (written) => {
      const { bytes, name } = await fetchedModel(await open(written))
      expect(Buffer.from(bytes).toString()).toBe('an old model')
      expect(name).toMatch(/^(model|old)\.onnx$/)
    },
  )

  test.each([
    [
      'another tag',
      'release:v2.0/model.onnx',
      'release:v2.0/model.onnx: there is no such release, or the token lacks contents: read',
    ],
    ['another name', 'release:latest/m.onnx', 'release:latest/m.onnx: the release has model.onnx, old.onnx'],
    ['no name', 'release:latest/', 'write release:TAG/NAME, or release:latest/NAME'],
    ['no tag', 'release:model.onnx', 'write release:TAG/NAME, or release:latest/NAME'],
    ['no such hash', `release:latest/model.onnx#sha256=${other}`, 'what was fetched is another file'],
  ])('with %s is refused in one sentence', async (_, written, message) => {
    await expect(open(written)).rejects.toThrow(message)
  })

  describe('from an Enterprise Server that keeps its files itself', () => {
    let asked: number
    let faults: readonly Fault[]
    beforeEach(async () => {
      await github.close()
      await serve(release('v1', files, true))
      client = clientOf(`${github.url}/api/v3`, 'ghs', { owner: 'Codertocat', repo: 'Hello-World' })
      asked = 0
      github.faultOfFile = () => faults[(asked += 1) - 1]
    })

    test('crosses the line once: it may have 2 GiB', async () => {
      faults = []
      expect(Buffer.from((await fetchedModel(await open('release:v1/model.onnx'))).bytes)).toEqual(model)
      expect(asked).toBe(1)
    })

    test('is asked for again after a connection that broke off', async () => {
      faults = [everyFault['a body that is cut off']]
      expect(Buffer.from((await fetchedModel(await open('release:v1/model.onnx'))).bytes)).toEqual(model)
      expect(asked).toBe(2)
    })

    test('is not asked for again after a refusal', async () => {
      faults = Array<Fault>(9).fill(everyFault['403 without a word'])
      await expect(open('release:v1/model.onnx')).rejects.toThrow(
        'release:v1/model.onnx: could not be fetched (Forbidden',
      )
      expect(asked).toBe(1)
    })

    test('is given up when it does not end, at the first answer, too', async () => {
      faults = [everyFault['a slow body']]
      const timers = holdTimers(globalThis)
      github.onStall = timers.passNext
      await expect(open('release:v1/model.onnx').finally(timers.restore)).rejects.toThrow('took more than 15 minutes')
      expect(asked).toBe(1)
    })
  })

  test('that is not what GitHub was given is not handed on', async () => {
    await github.close()
    await serve(release('v1', { 'model.onnx': { content: model, digest: `sha256:${other}` } }))
    await expect(open('release:latest/model.onnx')).rejects.toThrow(/what was fetched is another file/)
  })

  test('needs a token', async () => {
    const without = remoteOpener({ fetch, pause: noPause, temporary: tmpdir() }, undefined)
    await expect(without('release:latest/model.onnx', 'model')).rejects.toThrow(
      'needs a github-token, with contents: read',
    )
  })
})

describe('a baseline', () => {
  const found = (spec: string): Promise<Baseline> => {
    const openRemote = remoteOpener({ fetch, pause: noPause, temporary: tmpdir() }, client)
    const request = { spec, model: '/workspace/a.onnx', workspace: '/workspace', guarded: true, openRemote }
    return findBaseline(
      request,
      () => Promise.reject(new UsageError('the workspace is no git checkout')),
      () => Promise.resolve(undefined),
    )
  }

  test('may be a release’s', async () => {
    expect(await found('release:latest/model.onnx')).toMatchObject({
      ...{ kind: 'model', model: { name: 'model.onnx' }, origin: { how: 'fetched: release:latest/model.onnx' } },
    })
  })

  test('that was fetched but is another file is a broken one, which the policy decides about: not a silent pass', async () => {
    expect(await found(`release:latest/model.onnx#sha256=${other}`)).toMatchObject({
      kind: 'broken',
      reason: expect.stringContaining('what was fetched is another file'),
    })
  })

  describe.each(Object.entries(everyFault))('%s', (name, fault) => {
    test.each(['repos/get-latest-release', 'repos/get-release-asset', '/released/0'])(
      'at %s: broken, whoever was in the way, and neither an error nor a first adoption',
      async (place) => {
        const timers = holdTimers(globalThis)
        github.onStall = timers.passNext
        github.faultAt = (_place, operation) => (operation === place ? fault : undefined)
        github.faultOfFile = (path) => (path === place ? fault : undefined)
        const told = expect.stringMatching(/^The baseline (could not be had|cannot be used): ./)
        const baseline = await found('release:latest/model.onnx').finally(timers.restore)
        // Of a redirect, which has no body, half is the whole.
        const whole = place === 'repos/get-release-asset' && name === 'truncated JSON after the work was done'
        expect(baseline).toMatchObject(whole ? { kind: 'model' } : { kind: 'broken', reason: told })
      },
    )
  })

  test('that is written wrongly ends the job', async () => {
    await expect(found('release:model.onnx')).rejects.toThrow('write release:TAG/NAME')
    await expect(found('https://models.example/m.onnx')).rejects.toThrow('needs the SHA-256')
  })
})

test('a model that keeps weights in other files cannot be fetched, and the message says what can', async () => {
  const { readBeside } = await fetchedModel(await open('release:latest/model.onnx'))
  await expect(readBeside?.(['weights.bin'])).rejects.toThrow(
    'model.onnx: keeps its weights in other files, which are not fetched; save it as one file',
  )
})
