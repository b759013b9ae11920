import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { download } from '../../src/remote/download.js'
import type { Download, Fetch } from '../../src/remote/download.js'

/**
 * A real server, and the platform's own fetch. It is spoken to without TLS, whichever host an https address names: that the real
 * action refuses anything else is checked by what it is asked for.
 */

const content = Buffer.alloc(300_000, 'weights of a model ')
const digest = { algorithm: 'sha256', hex: createHash('sha256').update(content).digest('hex') } as const

interface Asked {
  readonly host: string
  readonly path: string
  readonly authorization?: string
}

let server: Server
let asked: Asked[]
let answer: (request: Asked, response: ServerResponse) => void
let temporary: string
/** Milliseconds between attempts. */
let pauses: number[]
beforeEach(async () => {
  asked = []
  pauses = []
  const listener: RequestListener = ({ url = '', headers }: IncomingMessage, response) => {
    const host = headers['x-host']?.toString() ?? ''
    const { authorization } = headers
    const request = { host, path: url, ...(authorization !== undefined && { authorization }) }
    asked.push(request)
    answer(request, response)
  }
  server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  temporary = await mkdtemp(join(tmpdir(), 'download-test-'))
  answer = (_, response) => void response.end(content)
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  // Nothing is left on the disk, whatever happened.
  expect(await readdir(temporary)).toEqual([])
  await rm(temporary, { recursive: true })
})

const overLoopback: Fetch = (url, options) => {
  const { protocol, host, pathname, search } = new URL(url)
  if (protocol !== 'https:') throw new Error(`asked for ${url}`)
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}${search}`
  return fetch(address, { ...options, headers: { ...options.headers, 'x-host': host } })
}

function downloaded(given: Partial<Download> = {}): Promise<Uint8Array> {
  const url = 'https://models.example/m.onnx?signature=s1'
  const pause = (milliseconds: number): Promise<void> => Promise.resolve(void pauses.push(milliseconds))
  return download(
    { url, shown: 'm.onnx', digest, limit: 1_000_000, ...given },
    { fetch: overLoopback, pause, temporary },
  )
}

test('the file that was named arrives as it is', async () => {
  expect(Buffer.compare(Buffer.from(await downloaded()), content)).toBe(0)
  expect(asked).toEqual([{ host: 'models.example', path: '/m.onnx?signature=s1' }])
})

test('another file than the one that was named is never handed on', async () => {
  answer = (_, response) => void response.end('another model')
  await expect(downloaded()).rejects.toThrow(
    /^m\.onnx: what was fetched is another file: its sha256 is [0-9a-f]{64}, not /,
  )
})

describe('the size', () => {
  test('that a server tells is believed before a byte is read', async () => {
    await expect(downloaded({ limit: 200_000 })).rejects.toThrow('m.onnx: has more than 0 MiB, which is the limit')
  })

  test('that it does not tell is counted: a server cannot fill the disk', async () => {
    answer = (_, response) => {
      const more = (): void => {
        if (response.write(Buffer.alloc(100_000))) setImmediate(more)
        else response.once('drain', more)
      }
      response.on('close', () => response.removeAllListeners('drain'))
      more()
    }
    await expect(downloaded({ limit: 2_000_000 })).rejects.toThrow('m.onnx: has more than 1 MiB')
    expect(asked).toHaveLength(1)
  })
})

describe('redirects', () => {
  const redirects = (to: Readonly<Record<string, string>>) => {
    answer = ({ host, path }, response) => {
      const location = to[`${host}${path.split('?')[0]}`]
      if (location === undefined) response.end(content)
      else response.writeHead(302, { location }).end()
    }
  }

  test('a secret goes to the host that was named, and to no other', async () => {
    redirects({
      'models.example/m.onnx': '/moved.onnx',
      'models.example/moved.onnx': 'https://storage.example/m.onnx?signed',
    })
    await downloaded({ token: 'secret' })
    expect(asked.map(({ host, path, authorization }) => [host, path, authorization])).toEqual([
      ['models.example', '/m.onnx?signature=s1', 'Bearer secret'],
      ['models.example', '/moved.onnx', 'Bearer secret'],
      ['storage.example', '/m.onnx?signed', undefined],
    ])
  })

  test('another port of the same machine is another host', async () => {
    redirects({ 'models.example/m.onnx': 'https://models.example:8443/m2.onnx' })
    await downloaded({ token: 'secret' })
    expect(asked.map(({ authorization }) => authorization)).toEqual(['Bearer secret', undefined])
  })

  test.each(['http://models.example/m.onnx', 'file:///etc/passwd', 'ftp://models.example/m.onnx'])(
    'to %s are not followed',
    async (location) => {
      redirects({ 'models.example/m.onnx': location })
      await expect(downloaded()).rejects.toThrow('m.onnx: leads to an address that is not https:, and is not followed')
      expect(asked).toHaveLength(1)
    },
  )

  test('in a circle end', async () => {
    redirects({ 'models.example/m.onnx': '/m.onnx' })
    await expect(downloaded()).rejects.toThrow(/leads from one address to the next/)
    expect(asked).toHaveLength(6)
  })
})

describe('a server that fails', () => {
  test.each([
    ['drops the connection', (response: ServerResponse) => void response.socket?.resetAndDestroy()],
    ['is overloaded', (response: ServerResponse) => void response.writeHead(503).end('later')],
    [
      'breaks off',
      (response: ServerResponse) => {
        response.writeHead(200, { 'content-length': content.length })
        response.write(content.subarray(0, 1000), () => response.socket?.resetAndDestroy())
      },
    ],
  ])('and %s is asked again', async (_, fail) => {
    answer = (__, response) => (asked.length < 3 ? fail(response) : void response.end(content))
    expect(await downloaded()).toHaveLength(content.length)
    expect(asked).toHaveLength(3)
    expect(pauses).toEqual([1000, 4000])
  })

  test('for good is told without the address, which may hold a secret', async () => {
    answer = (_, response) => void response.writeHead(500).end()
    await expect(downloaded()).rejects.toThrow(/^m\.onnx: could not be fetched \(status 500\)$/)
    expect(asked).toHaveLength(3)
  })

  test.each([
    [401, 'may not be read (status 401); a private test set needs the input data-token'],
    [403, 'may not be read (status 403)'],
    [404, 'is not there (status 404)'],
    [400, 'could not be fetched (status 400)'],
    [422, 'could not be fetched (status 422)'],
  ])('with %d is not asked again', async (status, message) => {
    answer = (_, response) => void response.writeHead(status).end()
    await expect(downloaded({ token: 'secret' })).rejects.toThrow(message)
    expect(asked).toHaveLength(1)
  })
})
