import { UsageError } from '../errors.js'
import { sha256Of } from '../remote/address.js'
import type { Download, Fetch } from '../remote/download.js'
import { asUnreached } from '../remote/unreached.js'
import { oneLine } from '../text.js'
import type { Client } from './client.js'

/** `release:TAG/NAME`, perhaps with `#sha256=<hex>`. */
export interface ReleaseAssetSpec {
  /** Undefined: the newest release that is neither a draft nor a prerelease. */
  readonly tag?: string
  readonly asset: string
  readonly sha256?: string
}

/** @param written - What stands after `release:`. @throws UsageError */
export function parseReleaseAsset(written: string, setting: string): ReleaseAssetSpec {
  const shown = `${setting} release:${oneLine(written, 100)}`
  const [, path = '', hash] = /^([^#]*)(#.*)?$/s.exec(written) ?? []
  const cut = path.lastIndexOf('/')
  const [tag, asset] = [path.slice(0, Math.max(cut, 0)), path.slice(cut + 1)]
  if (tag === '' || asset === '' || asset !== oneLine(asset, 200))
    throw new UsageError(`${shown}: write release:TAG/NAME, or release:latest/NAME`)
  return {
    ...(tag !== 'latest' && { tag }),
    asset,
    ...(hash !== undefined && { sha256: sha256Of(hash, shown) }),
  }
}

/**
 * Where a release of this repository has a file, and what its digest is: that which was asked for, or else the one that GitHub has
 * reckoned when it was uploaded.
 *
 * @param fetch - For addresses that get no token of ours.
 * @returns With a `fetch` of its own, which asks GitHub's interface for the file.
 * @throws UsageError where release or file are not there.
 */
export async function findReleaseAsset(
  { octokit, repository }: Client,
  { tag, asset: name, sha256 }: ReleaseAssetSpec,
  limit: number,
  fetch: Fetch,
): Promise<Download & { readonly fetch: Fetch }> {
  const shown = `release:${oneLine(`${tag ?? 'latest'}/${name}`, 100)}`
  const { repos } = octokit.rest
  const asked =
    tag === undefined ? repos.getLatestRelease({ ...repository }) : repos.getReleaseByTag({ ...repository, tag })
  const { data: release } = await asked.catch((error: unknown) => {
    if ((error as { readonly status?: unknown }).status === 404)
      throw new UsageError(`${shown}: there is no such release, or the token lacks contents: read`)
    return asUnreached((why) => `${shown}: could not be looked up (${why})`)(error)
  })
  const found = release.assets.find((each) => each.name === name && each.state === 'uploaded')
  if (found === undefined) {
    const names = release.assets.map((each) => each.name)
    throw new UsageError(
      `${shown}: the release has ${names.length === 0 ? 'no files' : oneLine(names.join(', '), 200)}`,
    )
  }
  const hex = sha256 ?? /^sha256:([0-9a-f]{64})$/.exec(digestOf(found))?.[1]
  return {
    url: found.url,
    fetch: fetchAsset({ octokit, repository }, found, fetch),
    shown,
    ...(hex !== undefined && { digest: { algorithm: 'sha256', hex } }),
    limit,
  }
}

/** Newer than the description that the types are made from. */
function digestOf(asset: object): string {
  return 'digest' in asset && typeof asset.digest === 'string' ? asset.digest : ''
}

/** Milliseconds until GitHub's interface begins to answer; the file itself may take longer. */
const answerWithin = 60_000

/**
 * GitHub answers with the signed address of a storage, which gets no token of ours and is asked for anew at each attempt; an
 * Enterprise Server that keeps its files itself, with the file.
 */
function fetchAsset(
  { octokit, repository }: Client,
  { id, url }: { readonly id: number; readonly url: string },
  fetch: Fetch,
): Fetch {
  return async (address, options) => {
    // Where the storage leads on to.
    if (address !== url) return fetch(address, options)
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), answerWithin)
    const asked = octokit.rest.repos.getReleaseAsset({
      ...{ ...repository, asset_id: id, headers: { accept: 'application/octet-stream' } },
      request: {
        ...{ redirect: 'manual', parseSuccessResponseBody: false },
        signal: AbortSignal.any([options.signal, late.signal]),
      },
    })
    const { headers, data } = await asked.finally(() => clearTimeout(timer))
    const body = data as unknown as ReadableStream<Uint8Array> | null
    if (headers.location === undefined) return new Response(body)
    await body?.cancel().catch(() => {})
    return fetch(headers.location, options)
  }
}
