import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Baseline } from '../../src/github/baseline.js'
import type { Client } from '../../src/github/client.js'
import { findBaseline } from '../../src/github/findBaseline.js'
import { remoteOpener } from '../../src/github/remoteSources.js'
import type { Fetch } from '../../src/remote/download.js'
import { clientOf } from '../support/github/client.js'
import { everyFault, faultyReply } from '../support/github/faults.js'
import type { Fault } from '../support/github/faults.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { release } from '../support/github/releases.js'
import { holdTimers } from '../support/heldTimers.js'
import { noPause } from '../support/noPause.js'

/**
 * A model lies behind a chain of servers, and one of them is out of order. Of a baseline that is a state, which the policy decides on,
 * and a warning, because the policy may let the candidate pass; of a candidate it is an error: nothing else can be judged in its place.
 */

const model = Buffer.from('an old model')
const sha256 = createHash('sha256').update(model).digest('hex')

/** Whom an address leads to, one after the other; the last has the file. */
const hosts = ['models.example', 'cdn.example', 'storage.example'] as const

let server: Server
let github: LoopbackGitHub
let client: Client
/** Of the host's n-th request. */
let faultAt: (host: string, attempt: number) => Fault | undefined
let onStall: () => void
const asked = new Map<string, number>()

beforeAll(async () => {
  server = createServer(({ headers }, response) => {
    const host = String(headers['x-host'])
    const attempt = asked.get(host) ?? 0
    asked.set(host, attempt + 1)
    const next = hosts[hosts.findIndex((each) => each === host) + 1]
    const redirect = { status: 302, body: undefined, headers: { location: `https://${next}/m.onnx?signed` } }
    const fault = faultAt(host, attempt)
    if (fault !== undefined) {
      faultyReply(response, fault, next === undefined ? { status: 200, body: model } : redirect)
      if (fault.kind === 'slow body') onStall()
    } else if (next === undefined) response.end(model)
    else response.writeHead(302, redirect.headers).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const world = { repository: 'Codertocat/Hello-World', pullRequests: [2], tokens: { ghs: actionsToken } }
  const digest = `sha256:${sha256}`
  github = await startGitHub({ ...world, extensions: [release('v1', { 'm.onnx': { content: model, digest } })] })
  client = clientOf(github.url, 'ghs', { owner: 'Codertocat', repo: 'Hello-World' })
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await github.close()
})
afterEach(() => {
  asked.clear()
  github.faultAt = () => undefined
  github.faultOfFile = () => undefined
})

/** Without TLS, whichever host is named; that nothing but https is asked for is checked here. */
const overLoopback: Fetch = (url, options) => {
  const { protocol, host, pathname } = new URL(url)
  if (host.startsWith('127.0.0.1')) return fetch(url, options)
  if (protocol !== 'https:') throw new Error(`asked for ${url}`)
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`
  return fetch(address, { ...options, headers: { ...options.headers, 'x-host': host } })
}

const openRemote = (written: string, setting: string) =>
  remoteOpener({ fetch: overLoopback, pause: noPause, temporary: tmpdir() }, client)(written, setting)

/** The baseline as a pull request's job asks for it, and the same file as a candidate. */
async function both(written: string): Promise<{ readonly baseline: Baseline; readonly candidate: string }> {
  const timers = holdTimers(globalThis)
  github.onStall = timers.passNext
  onStall = timers.passNext
  const request = { spec: written, model: '/workspace/a.onnx', workspace: '/workspace', guarded: true, openRemote }
  const notAsked = () => Promise.reject(new Error('git was asked'))
  try {
    const baseline = await findBaseline(request, notAsked, notAsked)
    asked.clear()
    const candidate = openRemote(written, 'model').then(
      () => 'the model',
      (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
    )
    return { baseline, candidate: await candidate }
  } finally {
    timers.restore()
  }
}

const broken = (name: string) => {
  const told = expect.stringMatching(new RegExp(`^The baseline (could not be had|cannot be used): ${name}.+\\.$`))
  return { kind: 'broken', reason: told, warning: told }
}

/** Half of an answer that has no body is the whole of it. */
const isWhole = (fault: string, redirects: boolean) => redirects && fault === 'truncated JSON after the work was done'
/** Answers that are no better the next time. */
const isRefusal = (fault: Fault) => fault.kind === 'truncated' || (fault.kind === 'reply' && fault.reply.status < 429)

describe.each(Object.entries(everyFault))('%s', (name, fault) => {
  const address = `https://models.example/m.onnx#sha256=${sha256}`

  test.each(hosts.map((host, hop) => [hop, host] as const))('always at hop %i of an address, %s', async (hop, host) => {
    faultAt = (at) => (at === host ? fault : undefined)
    const { baseline, candidate } = await both(address)
    if (isWhole(name, hop < hosts.length - 1)) {
      expect({ baseline, candidate }).toMatchObject({ baseline: { kind: 'model' }, candidate: 'the model' })
      return
    }
    expect(baseline).toEqual(broken('m\\.onnx from models\\.example: '))
    expect(candidate).toMatch(/^(UsageError|Unreached): m\.onnx from models\.example: ./)
    // The address that a server leads on to is signed.
    expect(JSON.stringify(baseline) + candidate).not.toContain('signed')
  })

  test.each(hosts.map((host, hop) => [hop, host] as const))('once at hop %i of an address, %s', async (hop, host) => {
    faultAt = (at, attempt) => (at === host && attempt === 0 ? fault : undefined)
    const { baseline, candidate } = await both(address)
    const ends = (isRefusal(fault) || fault.kind === 'slow body') && !isWhole(name, hop < hosts.length - 1)
    expect(baseline).toMatchObject(ends ? broken('m') : { kind: 'model' })
    expect(candidate === 'the model').toBe(!ends)
  })

  test.each(['repos/get-release-by-tag', 'repos/get-release-asset', '/released/0'])(
    'always at %s of a release',
    async (place) => {
      github.faultAt = (_place, operation) => (operation === place ? fault : undefined)
      github.faultOfFile = (path) => (path === place ? fault : undefined)
      const { baseline, candidate } = await both('release:v1/m.onnx')
      if (isWhole(name, place === 'repos/get-release-asset')) {
        expect({ baseline, candidate }).toMatchObject({ baseline: { kind: 'model' }, candidate: 'the model' })
        return
      }
      expect(baseline).toEqual(broken('release:v1/m\\.onnx: '))
      expect(candidate).toMatch(/^(UsageError|Unreached): release:v1\/m\.onnx: ./)
    },
  )
})

test('without a fault the chain is followed to its end', async () => {
  faultAt = () => undefined
  const { baseline, candidate } = await both(`https://models.example/m.onnx#sha256=${sha256}`)
  expect({ baseline, candidate }).toMatchObject({ baseline: { kind: 'model' }, candidate: 'the model' })
  expect([...asked.keys()]).toEqual([...hosts])
})
