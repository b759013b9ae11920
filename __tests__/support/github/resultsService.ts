import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { faultyReply } from './faults.js'
import type { Fault } from './faults.js'
import type { Reply } from './loopback.js'

/** What a run has stored in GitHub's cache: an entry is immutable, and of other paths another one. */
export interface CacheEntry {
  readonly key: string
  readonly version: string
  content: Uint8Array
}

/** What a run has uploaded. */
export interface ServedArtifact {
  readonly id: number
  readonly name: string
  readonly zip: Uint8Array
}

/**
 * The service that keeps caches and artifacts for a runner, as far as the toolkit uses it: Twirp's calls in JSON, and a
 * storage that takes blobs whole or in blocks.
 */
export interface ResultsService {
  /** What a runner sets for the steps of a job. */
  readonly environment: Readonly<Record<string, string>>
  readonly entries: CacheEntry[]
  readonly artifacts: ServedArtifact[]
  /** Methods and blob requests, in order. */
  readonly calls: string[]
  /** Answers with this status instead, from now on; by the name of a method or `PUT`, `GET` of a blob. */
  readonly broken: Map<string, number>
  /** What goes wrong with the request of that place in `calls`, from 0. */
  faultAt: (place: number, call: string) => Fault | undefined
  /** Is told of every answer that the toolkits will wait for without end, once it has begun. */
  onStall: () => void
  readonly close: () => Promise<void>
}

const run = '11111111-1111-4111-8111-111111111111'
const job = '22222222-2222-4222-8222-222222222222'

export async function startResultsService(): Promise<ResultsService> {
  const blobs = new Map<string, Uint8Array>()
  const blocks = new Map<string, Map<string, Uint8Array>>()
  const pending = new Map<string, string>()
  const state = { entries: [] as CacheEntry[], artifacts: [] as ServedArtifact[], calls: [] as string[] }
  const broken = new Map<string, number>()
  let [url, blob] = ['', 0]

  const newBlob = (name: string): string => {
    blob += 1
    pending.set(name, `/blob/${blob}`)
    return `${url}/blob/${blob}?sig=signed`
  }
  const perform = (method: string, body: Readonly<Record<string, unknown>>): object => {
    const { key, version, name } = body as Readonly<Record<string, string>>
    switch (method) {
      case 'GetCacheEntryDownloadURL': {
        const prefixes = [key, ...((body.restore_keys ?? []) as readonly string[])]
        const known = state.entries.filter((entry) => entry.version === version).toReversed()
        // An exact match first, then the newest one whose name begins so.
        const found =
          known.find((entry) => entry.key === key) ??
          known.find((entry) => prefixes.some((prefix) => entry.key.startsWith(prefix)))
        if (found === undefined) return { ok: false }
        blobs.set(`/blob/of-${found.key}`, found.content)
        return { ok: true, signed_download_url: `${url}/blob/of-${found.key}`, matched_key: found.key }
      }
      case 'CreateCacheEntry': {
        if (state.entries.some((entry) => entry.key === key && entry.version === version))
          return { ok: false, message: 'cache entry with the same key, version, and scope already exists' }
        return { ok: true, signed_upload_url: newBlob(`${key} ${version}`) }
      }
      case 'FinalizeCacheEntryUpload': {
        const content = blobs.get(pending.get(`${key} ${version}`) ?? '')
        if (content === undefined || String(content.length) !== body.size_bytes) return { ok: false }
        state.entries.push({ key, version, content })
        return { ok: true, entry_id: String(state.entries.length) }
      }
      case 'CreateArtifact': {
        if (body.workflow_run_backend_id !== run || body.workflow_job_run_backend_id !== job) return { ok: false }
        return { ok: true, signed_upload_url: newBlob(name) }
      }
      case 'FinalizeArtifact': {
        const zip = blobs.get(pending.get(name) ?? '')
        if (zip === undefined || String(zip.length) !== body.size) return { ok: false }
        pending.delete(name)
        const id = 700 + state.artifacts.length
        state.artifacts.push({ id, name, zip })
        return { ok: true, artifact_id: String(id) }
      }
      default:
        throw new Error(`${method} is no method of the service`)
    }
  }

  const put = (path: string, query: URLSearchParams, body: Uint8Array): void => {
    const staged = blocks.get(path) ?? new Map<string, Uint8Array>()
    blocks.set(path, staged)
    if (query.get('comp') === 'block') staged.set(query.get('blockid') ?? '', body)
    else if (query.get('comp') === 'blocklist') {
      const ids = [
        ...Buffer.from(body)
          .toString()
          .matchAll(/<Latest>([^<]+)<\/Latest>/g),
      ].map(([, id]) => id)
      blobs.set(path, Buffer.concat(ids.map((id) => staged.get(id) ?? Buffer.alloc(0))))
    } else blobs.set(path, body)
  }

  const replyTo = (call: string, request: IncomingMessage, body: Buffer): Reply => {
    const { pathname, searchParams } = new URL(request.url ?? '/', url)
    const status = broken.get(call)
    if (status !== undefined) return { status, body: { msg: 'broken' } }
    if (pathname.startsWith(twirp)) {
      if (request.headers.authorization !== `Bearer ${token}`) return { status: 401, body: { msg: 'who are you?' } }
      return { status: 200, body: perform(call, JSON.parse(body.toString()) as Record<string, unknown>) }
    }
    if (request.method === 'PUT') {
      put(pathname, searchParams, body)
      return { status: 201, body: Buffer.of(), headers: { etag: '"0x1"', 'last-modified': new Date(0).toUTCString() } }
    }
    const content = blobs.get(pathname)
    return content === undefined ? { status: 404, body: Buffer.of() } : { status: 200, body: content }
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const call = /^\/twirp\/github\.actions\.results\.api\.v1\.\w+Service\/(\w+)$/.exec(request.url ?? '')?.[1]
    const shown = call ?? request.method ?? ''
    const fault = service.faultAt(state.calls.push(shown) - 1, shown)
    const performed = fault === undefined || fault.performed === true
    const reply = performed ? replyTo(shown, request, Buffer.concat(chunks)) : { status: 200, body: {} }
    if (fault === undefined) return void send(response, reply)
    faultyReply(response, fault, reply)
    // The toolkits wait for the rest of what is cut off, too, but for files.
    if (fault.kind === 'slow body' || (fault.kind === 'cut off' && call !== undefined)) service.onStall()
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => send(response, { status: 500, body: { msg: String(error) } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const service: ResultsService = {
    ...{ ...state, broken },
    faultAt: () => undefined,
    onStall: () => {},
    environment: { ACTIONS_RESULTS_URL: `${url}/`, ACTIONS_RUNTIME_TOKEN: token, ACTIONS_CACHE_SERVICE_V2: 'True' },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return service
}

const twirp = '/twirp/'

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const token = `${encoded({ alg: 'none' })}.${encoded({ scp: `Actions.Results:${run}:${job}` })}.signature`

function send(response: ServerResponse, { status, body, headers }: Reply): void {
  const isFile = body instanceof Uint8Array
  const bytes = isFile ? body : Buffer.from(JSON.stringify(body))
  const type = isFile ? {} : { 'content-type': 'application/json' }
  response.writeHead(status, { 'content-length': bytes.length, ...type, ...headers }).end(bytes)
}
