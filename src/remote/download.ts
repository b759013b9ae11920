import { createHash } from 'node:crypto'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from '../errors.js'
import { messageOf } from '../text.js'
import type { Pause } from './pause.js'
import { FailedAnswer, tried } from './tried.js'
import { asUnreached } from './unreached.js'

/** A part of the `fetch` of the platform. */
export type Fetch = (
  url: string,
  options: {
    readonly signal: AbortSignal
    readonly redirect?: 'manual'
    readonly method?: 'POST'
    readonly body?: string
    readonly headers?: Readonly<Record<string, string>>
  },
) => Promise<Response>

export interface DownloadEffects {
  readonly fetch: Fetch
  readonly pause: Pause
  /** Folder for what is on its way. */
  readonly temporary: string
}

export interface Download {
  readonly url: string
  /** For messages; the address itself may hold a secret. */
  readonly shown: string
  /** Checks the file's digest before anybody reads it. */
  readonly digest?: { readonly algorithm: 'sha256' | 'md5'; readonly hex: string }
  /** Bytes it may have. */
  readonly limit: number
  /** Sent to the first address's host, and to no other. */
  readonly token?: string
}

/** For 2 GiB on a line of 25 Mbit/s. */
const downloadWithin = 900_000
const mostRedirects = 5

/**
 * Downloads a file: streamed to the disk, hashed on the way, and read only if it is the one that was named. Redirects are
 * followed to https addresses alone, and take no token along to another host.
 *
 * @throws UsageError for what another address, hash or token would mend, Unreached where server or network failed.
 */
export async function download(wanted: Download, effects: DownloadEffects): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(downloadWithin)
  const folder = await mkdtemp(join(effects.temporary, 'robustness-gate-download-'))
  try {
    const once = (attempt: number) => downloadOnce(wanted, join(folder, `file-${attempt}`), effects.fetch, signal)
    return await tried(once, { pause: effects.pause, signal })
  } catch (error) {
    return asUnreached(() => `${wanted.shown}: could not be fetched (${reasonOf(error, signal)})`)(error)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function downloadOnce(
  { url, shown, digest, limit, token }: Download,
  path: string,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const response = await answer(url, { shown, token, fetch, signal })
  const { body, headers } = response
  if (!response.ok || body === null) {
    await body?.cancel().catch(() => {})
    throw refusal(response, shown)
  }
  const tooLarge = new UsageError(`${shown}: has more than ${Math.floor(limit / 2 ** 20)} MiB, which is the limit`)
  if (Number(headers.get('content-length') ?? 0) > limit) {
    await body.cancel().catch(() => {})
    throw tooLarge
  }
  const hash = createHash(digest?.algorithm ?? 'sha256')
  const file = await open(path, 'wx')
  try {
    let bytes = 0
    for await (const chunk of body) {
      bytes += chunk.length
      if (bytes > limit) throw tooLarge
      hash.update(chunk)
      await file.writeFile(chunk)
    }
  } finally {
    await file.close()
  }
  const found = hash.digest('hex')
  if (digest !== undefined && found !== digest.hex)
    throw new UsageError(
      `${shown}: what was fetched is another file: its ${digest.algorithm} is ${found}, not ${digest.hex}`,
    )
  return readFile(path)
}

interface Asking {
  readonly shown: string
  readonly token?: string
  readonly fetch: Fetch
  readonly signal: AbortSignal
}

async function answer(url: string, { shown, token, fetch, signal }: Asking): Promise<Response> {
  const { origin } = new URL(url)
  let at = new URL(url)
  for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
    const authorised = token !== undefined && at.origin === origin
    const headers = authorised ? { authorization: `Bearer ${token}` } : undefined
    const response = await fetch(at.href, { signal, redirect: 'manual', ...(headers && { headers }) })
    const location = response.headers.get('location')
    if (response.status < 300 || response.status > 399 || location === null) return response
    await response.body?.cancel().catch(() => {})
    const next = URL.parse(location, at.href)
    if (next?.protocol !== 'https:')
      throw new UsageError(`${shown}: leads to an address that is not https:, and is not followed`)
    at = next
  }
  throw new UsageError(`${shown}: leads from one address to the next, more than ${mostRedirects} times`)
}

function refusal(response: Response, shown: string): Error {
  const { status } = response
  if (status === 401 || status === 403)
    return new UsageError(`${shown}: may not be read (status ${status}); a private test set needs the input data-token`)
  if (status === 404 || status === 410) return new UsageError(`${shown}: is not there (status ${status})`)
  return new FailedAnswer(response)
}

function reasonOf(error: unknown, { aborted }: AbortSignal): string {
  if (aborted) return `it took more than ${downloadWithin / 60_000} minutes`
  const cause = error instanceof Error ? error.cause : undefined
  return [messageOf(error), ...(cause instanceof Error ? [cause.message] : [])].join(': ')
}
