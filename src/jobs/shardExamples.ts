import type { Config } from '../config/types.js'
import { UsageError } from '../errors.js'
import { joinWitnesses } from '../evaluation/joinWitnesses.js'
import type { NamedArchive } from '../evaluation/joinWitnesses.js'
import { archiveName, keptBytes } from '../evaluationStore.js'
import type { EvaluationFiles } from '../evaluationStore.js'
import type { OnShard } from '../github/shards.js'
import { readZip } from '../github/zip.js'
import type { Log } from './services.js'

/** The candidate's adversarial examples on their way from the shards of a gate to the folder that is uploaded. */
export interface ShardExamples {
  /** Keeps those of a shard, packed. */
  readonly take: OnShard
  /** Of each threat of which all shards have brought theirs, joined. */
  readonly joined: () => EvaluationFiles
}

/** An archive's headers and directory, and its excess where pixels cannot be compressed. */
const overhead = 2 ** 16

/** Bytes of `index`, `label` and `predicted` for an image. */
const integers = 3 * 8

/**
 * Whatever is wrong with them costs the examples of that threat and no verdict, which rests on results alone. Of all shards
 * together no more is kept, packed or unpacked, than one job would have kept of the whole, see `evaluateOnce`: the shards may be
 * a stranger's, and a few kilobytes can unpack to gigabytes.
 */
export function shardExamples({ threats }: Pick<Config, 'threats'>, log: Log): ShardExamples {
  const share = Math.floor(keptBytes / threats.length)
  const kept = threats.map(({ id }) => ({
    ...{ id, file: archiveName(id), archives: [] as NamedArchive[], room: share, wanted: true },
  }))
  let shards = 0

  const drop = (threat: (typeof kept)[number], why: string, tell: (message: string) => void) => {
    threat.wanted = false
    threat.archives.length = 0
    tell(`${why}; no ${threat.file} is kept, and the verdict is the same without`)
  }
  const dropWrong = (threat: (typeof kept)[number], error: unknown) => {
    if (!(error instanceof UsageError)) throw error
    drop(threat, error.message, (message) => log.warning(message))
  }

  return {
    async take({ name, candidate }, read) {
      shards += 1
      if (candidate === undefined) return
      const spare = overhead + integers * candidate.samples.length
      for (const threat of kept.filter(({ wanted }) => wanted)) {
        const archive = `${name}/${threat.file}`
        try {
          const bytes = await read(threat.file, share + spare)
          if (bytes === undefined) continue
          const { pixels, others } = unpackedBytes(bytes, archive)
          if (others > spare)
            throw new UsageError(`${archive}: has over ${spare} bytes beside its pixels; run that shard again`)
          threat.room -= Math.max(0, Math.max(bytes.length, pixels) - spare)
          if (threat.room >= 0) threat.archives.push({ name: archive, bytes, results: candidate })
          else
            drop(threat, `Up to ${archive} the shards’ examples are over ${share} bytes`, (message) =>
              log.info(message),
            )
        } catch (error) {
          dropWrong(threat, error)
        }
      }
    },
    joined() {
      const joined: Record<string, Uint8Array> = {}
      for (const threat of kept) {
        const { id, file, archives } = threat
        try {
          if (archives.length > 0 && archives.length === shards) joined[file] = joinWitnesses(archives, id)
          else if (archives.length > 0)
            log.info(`Only ${archives.length} of ${shards} shards have ${file}, so it is not kept.`)
        } catch (error) {
          dropWrong(threat, error)
        }
      }
      return joined
    },
  }
}

/** By its directory: nothing is unpacked. */
function unpackedBytes(archive: Uint8Array, name: string): { readonly pixels: number; readonly others: number } {
  let [pixels, others] = [0, 0]
  readZip(archive, [], 0, name, (member, bytes) => {
    if (member === 'x.npy') pixels += bytes
    else others += bytes
  })
  return { pixels, others }
}
