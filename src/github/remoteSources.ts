import { basename } from 'node:path'
import { MAXIMUM_BYTES } from '../data/files.js'
import { UsageError } from '../errors.js'
import { readModelFile } from '../evaluation/modelFile.js'
import type { ModelFile } from '../evaluation/modelFile.js'
import { isAddress, parseAddress } from '../remote/address.js'
import { download } from '../remote/download.js'
import type { DownloadEffects } from '../remote/download.js'
import { loneFile } from '../remote/files.js'
import type { Located } from '../remote/files.js'
import type { Baseline } from './baseline.js'
import type { Client } from './client.js'
import { findReleaseAsset, parseReleaseAsset } from './releaseAssets.js'

const byRelease = 'release:'

/** Whether a setting names a file that has to be fetched: an address, or a release's. */
export function isRemote(written: string): boolean {
  return isAddress(written) || written.startsWith(byRelease)
}

/**
 * What `baseline: auto` finds for a candidate that was fetched where nobody has kept results: no first adoption that ends with
 * the merge, but a gate that lets everything through.
 *
 * @param guarded - A change that nobody has merged yet. Any other run may be the first whose upload changes are compared with.
 */
export function neverFetched(guarded: boolean): Baseline {
  const none =
    'The model is fetched, so git knows no older one, and no successful run on the base branch has uploaded results'
  if (!guarded)
    return { kind: 'missing', reason: `${none}: pull requests are compared with what this run uploads (upload: true).` }
  const reason = `${none}, so no pull request is compared with anything: put a gate with upload: true on push, or give baseline the address of a model; on-missing-baseline: fail lets none through until then.`
  return { kind: 'missing', reason, warning: reason }
}

/** Fetches what `isRemote` says has to be. Nothing is parsed. */
export type OpenRemote = (written: string, setting: string, token?: string) => Promise<Located>

/** @throws UsageError where what was written makes no sense. */
export function checkRemote(written: string, setting: string): void {
  if (written.startsWith(byRelease)) parseReleaseAsset(written.slice(byRelease.length), setting)
  else parseAddress(written, setting)
}

/** @throws UsageError before anything is fetched where what was written makes no sense. */
export function remoteOpener(effects: DownloadEffects, client: Client | undefined): OpenRemote {
  return async (written, setting, token) => {
    if (!written.startsWith(byRelease)) return openAddress(written, setting, effects, token)
    const spec = parseReleaseAsset(written.slice(byRelease.length), setting)
    if (client === undefined)
      throw new UsageError(`${setting}: a release’s file needs a github-token, with contents: read`)
    const { fetch, ...wanted } = await findReleaseAsset(client, spec, MAXIMUM_BYTES, effects.fetch)
    return located(spec.asset, wanted.shown, await download(wanted, { ...effects, fetch }))
  }
}

/** Of `https://…#sha256=…`. */
export async function openAddress(
  written: string,
  setting: string,
  effects: DownloadEffects,
  token?: string,
): Promise<Located> {
  const { url, host, name, sha256 } = parseAddress(written, setting)
  const shown = `${name} from ${host}`
  const digest = { algorithm: 'sha256', hex: sha256 } as const
  return located(name, shown, await download({ url, shown, digest, limit: MAXIMUM_BYTES, token }, effects))
}

/** A model that was fetched, which comes without other files. */
export async function fetchedModel({ path, name, files }: Located): Promise<ModelFile> {
  return {
    ...(await readModelFile(path, name, files)),
    readBeside: () =>
      Promise.reject(
        new UsageError(`${name}: keeps its weights in other files, which are not fetched; save it as one file`),
      ),
  }
}

function located(name: string, how: string, bytes: Uint8Array): Located {
  return { files: loneFile(name, bytes), path: `/${basename(name)}`, name, how }
}
