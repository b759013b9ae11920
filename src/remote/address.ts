import { posix } from 'node:path'
import { UsageError } from '../errors.js'
import { oneLine } from '../text.js'

/** A file on a server, and what it must be. */
export interface RemoteFile {
  /** Without the hash. It may hold a secret, so it is never shown; `name` and `host` are. */
  readonly url: string
  /** Hex. */
  readonly sha256: string
  /** Last part of the path, for messages and results. */
  readonly name: string
  readonly host: string
}

/** Whether a setting that may name a file names one on a server. */
export function isAddress(written: string): boolean {
  return /^https?:/i.test(written)
}

/**
 * Reads `https://host/path#sha256=<hex>`.
 *
 * @param setting - For messages: `input data`.
 * @throws UsageError without the hash: what lies behind an address today may be another file tomorrow.
 */
export function parseAddress(written: string, setting: string): RemoteFile {
  const url = URL.parse(written)
  if (url === null || url.hostname === '') throw new UsageError(`${setting}: is no address that can be read`)
  const { host, hash, pathname, username, password } = url
  const shown = `${setting}: ${oneLine(host, 100)}`
  if (url.protocol !== 'https:') throw new UsageError(`${shown}: only https: addresses are fetched`)
  if (username !== '' || password !== '')
    throw new UsageError(`${shown}: an address with a password in it ends up in logs; give a secret as data-token`)
  const name = fileName(pathname)
  if (name === undefined) throw new UsageError(`${shown}: the address names no file; end its path with one`)
  return { url: `${url.origin}${pathname}${url.search}`, sha256: sha256Of(hash, shown), name, host }
}

/** @param hash - `#sha256=<hex>` */
export function sha256Of(hash: string, shown: string): string {
  const sha256 = /^#sha256=([0-9a-f]{64})$/i.exec(hash)?.[1]
  if (sha256 !== undefined) return sha256.toLowerCase()
  throw new UsageError(
    `${shown}: an address needs the SHA-256 of the file at its end, as in https://…/model.onnx#sha256=<64 hex digits>; sha256sum gives it`,
  )
}

function fileName(pathname: string): string | undefined {
  try {
    const name = oneLine(decodeURIComponent(posix.basename(pathname)), 100)
    return name === '' || pathname.endsWith('/') || /[/\\]/.test(name) ? undefined : name
  } catch {
    return undefined
  }
}
