import { z } from 'zod'
import { MAXIMUM_BYTES } from '../data/files.js'
import { UsageError } from '../errors.js'
import { download } from '../remote/download.js'
import type { DownloadEffects } from '../remote/download.js'
import { FailedAnswer, tried } from '../remote/tried.js'
import { asUnreached, Unreached } from '../remote/unreached.js'
import { oneLine } from '../text.js'
import type { Context } from './context.js'

/** Gets the file that a Git LFS pointer stands for. */
export type OpenPointer = (pointer: Uint8Array, shown: string) => Promise<Uint8Array>

const answerWithin = 30_000

const BatchAnswer = z.object({
  objects: z
    .array(
      z.object({
        error: z.object({ code: z.int(), message: z.string() }).optional(),
        actions: z.object({ download: z.object({ href: z.url() }) }).optional(),
      }),
    )
    .length(1),
})

/**
 * Git LFS without git: the batch interface of the repository's server (git-lfs, docs/api/batch.md, `basic` transfer). What
 * comes is the file that the pointer names, by its SHA-256, or nothing.
 */
export function lfsStore(
  { serverUrl, repository }: Pick<Context, 'serverUrl' | 'repository'>,
  token: string,
  effects: DownloadEffects,
): OpenPointer {
  const address = `${serverUrl}/${repository.owner}/${repository.repo}.git/info/lfs/objects/batch`
  return async (pointer, shown) => {
    const { oid, size } = parsePointer(pointer, shown)
    const answer = await tried(async () => {
      const response = await effects.fetch(address, {
        method: 'POST',
        signal: AbortSignal.timeout(answerWithin),
        headers: {
          accept: 'application/vnd.git-lfs+json',
          'content-type': 'application/vnd.git-lfs+json',
          authorization: `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`,
        },
        body: JSON.stringify({ operation: 'download', transfers: ['basic'], objects: [{ oid, size }] }),
      })
      if (!response.ok) {
        await response.body?.cancel().catch(() => {})
        throw new FailedAnswer(response)
      }
      return response.json().catch((cause: unknown) => {
        throw new Unreached('its answer is not whole, or no JSON', { cause })
      })
    }, effects).catch(asUnreached((why) => `${shown}: could not be had from Git LFS (${why})`))
    const url = addressIn(answer, shown)
    // Its address is signed, and gets no token of ours.
    if (!url.startsWith('https://') && new URL(url).origin !== new URL(serverUrl).origin)
      throw new UsageError(`${shown}: Git LFS keeps it at an address that is not https:, and it is not fetched`)
    return download({ url, shown, digest: { algorithm: 'sha256', hex: oid }, limit: size }, effects)
  }
}

function parsePointer(pointer: Uint8Array, shown: string): { readonly oid: string; readonly size: number } {
  const text = new TextDecoder().decode(pointer)
  const oid = /^oid sha256:([0-9a-f]{64})$/m.exec(text)?.[1]
  const size = Number(/^size (\d{1,15})$/m.exec(text)?.[1])
  if (oid === undefined || Number.isNaN(size))
    throw new UsageError(`${shown}: is a Git LFS pointer without a SHA-256 and a size; commit the file again`)
  if (size > MAXIMUM_BYTES) throw new UsageError(`${shown}: has ${size} bytes, more than the 2 GiB that are read`)
  return { oid, size }
}

function addressIn(answer: unknown, shown: string): string {
  const parsed = BatchAnswer.safeParse(answer)
  if (!parsed.success) throw new Unreached(`${shown}: Git LFS gave an answer that cannot be read`)
  const [{ error, actions }] = parsed.data.objects
  if (actions !== undefined) return actions.download.href
  const reason = error === undefined ? 'it is not there' : oneLine(error.message, 200)
  throw new UsageError(`${shown}: Git LFS does not give it (${reason}); push the file with git lfs push`)
}
