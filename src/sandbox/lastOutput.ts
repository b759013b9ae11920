import type { Readable } from 'node:stream'

/** Enough for a stack trace's last lines; a child that prints for hours must not fill its parent's memory. */
const BYTES_KEPT = 4096

/** Reads streams to their ends and keeps only the last 4 kB of what they said. */
export function keepLastOutput(...streams: readonly (Readable | null)[]): () => string {
  let kept: Buffer = Buffer.alloc(0)
  for (const stream of streams)
    stream?.on('data', (chunk: Buffer) => {
      kept = Buffer.concat([kept, chunk.subarray(-BYTES_KEPT)]).subarray(-BYTES_KEPT)
    })
  return () => kept.toString('utf8')
}
