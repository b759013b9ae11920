import { UsageError } from '../errors.js'
import type { DownloadEffects } from '../remote/download.js'
import { FailedAnswer, tried } from '../remote/tried.js'
import { asUnreached, Unreached } from '../remote/unreached.js'
import { isRateLimit } from './attempts.js'
import type { Client } from './client.js'
import { pagesOf } from './pages.js'

/** What a run of a workflow has uploaded. */
export interface Artifact {
  readonly id: number
  readonly name: string
  /** Of its zip. */
  readonly bytes: number
  readonly expired: boolean
}

/**
 * A file: some 50,000 images with a full suite. The zip: two of them, and the adversarial examples that a gate keeps at most
 * (256 MiB); a list of models keeps more, see docs/workflows.md. They may come from whoever opened the pull request.
 */
export const largestReported = { file: 64 * 2 ** 20, zip: 384 * 2 ** 20 } as const

/**
 * To be thrown of what GitHub did not give. A token that lacks the permission is told of in words that do not name it.
 *
 * @param what - Such as `artifact model`.
 */
export function unreadable(what: string, otherwise = 'to be run again'): (error: unknown) => never {
  return asUnreached((why) => `${what} could not be read (${why}); the job needs actions: read, or ${otherwise}`)
}

/** Whether the token may not look: that there is nothing to be seen then says nothing. */
export function isDenied(error: unknown): boolean {
  const { status } = error as { readonly status?: unknown }
  return (status === 403 && !isRateLimit(error)) || status === 404
}

/** No run of ours has more; a stranger's may. */
const mostArtifacts = 1_000

/** The artifacts of one run, the newest first: an attempt that is repeated uploads under the same name again. */
export async function artifactsOfRun({ octokit, repository }: Client, runId: number): Promise<readonly Artifact[]> {
  const place = { ...repository, run_id: runId, per_page: 100 }
  const found: Artifact[] = []
  for await (const { artifacts } of pagesOf((page) =>
    octokit.rest.actions.listWorkflowRunArtifacts({ ...place, page }),
  )) {
    for (const { id, name, size_in_bytes: bytes, expired } of artifacts) found.push({ id, name, bytes, expired })
    if (found.length >= mostArtifacts) break
  }
  return found.sort((one, other) => other.id - one.id)
}

/** For addresses that are not GitHub's interface and get no token. */
export type StorageEffects = Pick<DownloadEffects, 'fetch' | 'pause'>

/** For all attempts; long enough for what is within any limit here, on a slow line. */
const downloadWithin = 300_000

/**
 * Downloads the zip of an artifact. GitHub answers with the signed address of a storage, which gets no token of ours.
 *
 * @param limit - Bytes the zip may have.
 * @throws UsageError when it is larger.
 */
export async function downloadArtifact(
  client: Client,
  { fetch, pause }: StorageEffects,
  artifact: Pick<Artifact, 'id' | 'name' | 'bytes'>,
  limit: number,
): Promise<Uint8Array> {
  if (artifact.bytes > limit) throw tooLarge(artifact.name, limit)
  const signal = AbortSignal.timeout(downloadWithin)
  return tried(
    async () => {
      // Every time anew: the address holds for a minute only.
      const address = await signedAddress(client, artifact.id)
      const response = await fetch(address, { signal })
      return bodyWithin(response, artifact.name, limit)
    },
    { pause, signal },
  )
}

async function signedAddress({ octokit, repository }: Client, id: number): Promise<string> {
  const { headers } = await octokit.rest.actions.downloadArtifact({
    ...repository,
    artifact_id: id,
    archive_format: 'zip',
    request: { redirect: 'manual' },
  })
  if (headers.location === undefined) throw new Unreached(`GitHub gave no address for artifact ${id}`)
  return headers.location
}

async function bodyWithin(response: Response, name: string, limit: number): Promise<Uint8Array> {
  if (!response.ok || response.body === null) {
    await response.body?.cancel().catch(() => {})
    throw new FailedAnswer(response, `the storage of artifact ${name} answered with status ${response.status}`)
  }
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body) {
    bytes += chunk.length
    if (bytes > limit) throw tooLarge(name, limit)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function tooLarge(name: string, limit: number): UsageError {
  const most = `${Math.floor(limit / 2 ** 20)} MiB`
  return new UsageError(`artifact ${name} is larger than ${most}, the limit; upload nothing but what the gate reads`)
}
