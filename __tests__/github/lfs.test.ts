import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { lfsStore } from '../../src/github/lfs.js'
import { everyFault, faultyReply } from '../support/github/faults.js'
import type { Fault } from '../support/github/faults.js'
import { holdTimers } from '../support/heldTimers.js'
import type { HeldTimers } from '../support/heldTimers.js'

/** A server of Git LFS that gives what it holds to one token, by the batch interface as its documents have it. */

const content = Buffer.from('the weights of a model '.repeat(10))
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const pointerTo = (oid: string, size = content.length): Uint8Array =>
  Buffer.from(`version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${size}\n`)
const allowed = `Basic ${Buffer.from('x-access-token:secret').toString('base64')}`

let server: Server
let url: string
let temporary: string
let stored: Map<string, Uint8Array>
let hrefOf: (oid: string) => string
let faultAt: (method: string) => Fault | undefined
let timers: HeldTimers | undefined
/** Milliseconds between attempts. */
let pauses: number[]
/** The Authorization headers that the storage has seen. */
let seen: (string | undefined)[]
beforeEach(async () => {
  stored = new Map([[sha256(content), content]])
  seen = []
  pauses = []
  faultAt = () => undefined
  server = createServer((request, response) => {
    const { method, url: path = '', headers } = request
    const fault = faultAt(method ?? '')
    if (fault !== undefined) {
      faultyReply(response, fault, { status: 200, body: content })
      if (fault.kind === 'slow body') timers?.passNext()
      return
    }
    if (method === 'GET') {
      seen.push(headers.authorization)
      return void response.end(stored.get(path.slice('/storage/'.length).split('?')[0]))
    }
    const isBatch = method === 'POST' && path === '/Codertocat/Hello-World.git/info/lfs/objects/batch'
    const isJson =
      headers['content-type'] === 'application/vnd.git-lfs+json' && headers.accept === headers['content-type']
    if (!isBatch || !isJson) return void response.writeHead(404).end()
    if (headers.authorization !== allowed) return void response.writeHead(401).end()
    void text(request).then((body) => {
      const asked = JSON.parse(body) as { operation: string; objects: { oid: string; size: number }[] }
      const objects = asked.objects.map((object) =>
        asked.operation === 'download' && stored.has(object.oid)
          ? { ...object, authenticated: true, actions: { download: { href: hrefOf(object.oid), expires_in: 60 } } }
          : { ...object, error: { code: 404, message: 'Object does not exist' } },
      )
      response.writeHead(200, { 'content-type': 'application/vnd.git-lfs+json' })
      response.end(JSON.stringify({ transfer: 'basic', objects }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  hrefOf = (oid) => `${url}/storage/${oid}?signed`
  temporary = await mkdtemp(join(tmpdir(), 'lfs-test-'))
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(temporary, { recursive: true })
})

function opened(pointer: Uint8Array, token = 'secret'): Promise<Uint8Array> {
  const repository = { owner: 'Codertocat', repo: 'Hello-World' }
  const pause = (milliseconds: number): Promise<void> => Promise.resolve(void pauses.push(milliseconds))
  return lfsStore({ serverUrl: url, repository }, token, { fetch, pause, temporary })(pointer, 'models/a.onnx')
}

test('the file that a pointer names, from a storage that gets no token', async () => {
  expect(Buffer.from(await opened(pointerTo(sha256(content))))).toEqual(content)
  expect(seen).toEqual([undefined])
})

test('another file in its place is refused', async () => {
  const oid = sha256(content)
  stored.set(oid, Buffer.from('the weights of another'))
  await expect(opened(pointerTo(oid))).rejects.toThrow('models/a.onnx: what was fetched is another file')
})

test('one that was never pushed is told, with what to do', async () => {
  await expect(opened(pointerTo('0'.repeat(64)))).rejects.toThrow(
    'models/a.onnx: Git LFS does not give it (Object does not exist); push the file with git lfs push',
  )
})

test('an address without TLS on another server is not asked', async () => {
  hrefOf = () => 'http://storage.example/file'
  await expect(opened(pointerTo(sha256(content)))).rejects.toThrow('not https:')
})

test('a token that may not read, and a pointer that names nothing, end with a sentence', async () => {
  await expect(opened(pointerTo(sha256(content)), 'another')).rejects.toThrow(
    'could not be had from Git LFS (status 401)',
  )
  await expect(opened(Buffer.from('version https://git-lfs.github.com/spec/v1\n'))).rejects.toThrow(
    'without a SHA-256 and a size',
  )
  await expect(opened(pointerTo(sha256(content), 2 ** 40))).rejects.toThrow('more than the 2 GiB')
})

/** What asks for the file's address, and what fetches it. */
const way = ['POST', 'GET']

describe.each(Object.entries(everyFault))('%s', (name, fault) => {
  beforeEach(() => {
    timers = holdTimers(globalThis)
  })
  afterEach(() => timers?.restore())
  /** A refusal, or what passes for another file, would be the same next time; and the limit of a file is one for all attempts. */
  const isFinal = (method: string) => /^4(?!29)/.test(name) || (method === 'GET' && /truncated|slow/.test(name))

  test.each(way)('once, at %s: it is asked for again, unless it was refused or the time is over', async (broken) => {
    const faults = [fault]
    faultAt = (method) => (method === broken ? faults.pop() : undefined)
    const found = opened(pointerTo(sha256(content)))
    if (isFinal(broken)) await expect(found).rejects.toThrow('models/a.onnx: ')
    else expect(Buffer.from(await found)).toEqual(content)
    expect(pauses).toEqual(isFinal(broken) ? [] : [1000])
  })

  test.each(way)('always at %s: one sentence, and no half of a model', async (broken) => {
    let asked = 0
    faultAt = (method) => (method === broken ? ((asked += 1), fault) : undefined)
    await expect(opened(pointerTo(sha256(content)))).rejects.toThrow('models/a.onnx: ')
    expect(pauses).toEqual(isFinal(broken) ? [] : [1000, 4000])
    expect(asked).toBe(pauses.length + 1)
  })
})

describe.each(way)('a server that says at %s when to come again', (broken) => {
  const date = { date: 'Sun, 06 Nov 1994 08:49:37 GMT' }
  test.each<[string, number, Readonly<Record<string, string>>, readonly number[]]>([
    ['in seconds', 429, { 'retry-after': '5' }, [5000, 5000]],
    ['in seconds, being overloaded', 503, { 'retry-after': '2' }, [2000, 4000]],
    ['by its own clock', 503, { ...date, 'retry-after': 'Sun, 06 Nov 1994 08:50:07 GMT' }, [30_000, 30_000]],
    ['in words that mean nothing', 503, { 'retry-after': 'soon' }, [1000, 4000]],
    ['after more than a minute', 429, { 'retry-after': '61' }, []],
    ['though it refuses', 403, { 'retry-after': '5' }, []],
    ['though there is nothing', 404, { 'retry-after': '5' }, []],
  ])('%s', async (_, status, headers, waits) => {
    let asked = 0
    faultAt = (method) =>
      method === broken ? ((asked += 1), { kind: 'reply', reply: { status, body: {}, headers } }) : undefined
    await expect(opened(pointerTo(sha256(content)))).rejects.toThrow(`status ${status}`)
    expect(pauses).toEqual(waits)
    expect(asked).toBe(waits.length + 1)
  })
})
