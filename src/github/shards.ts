import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { parseGateShard } from '../comparison/gateShard.js'
import type { NamedShard } from '../comparison/joinShards.js'
import { nodeFiles, readNamed, withSlashes } from '../data/files.js'
import { UsageError } from '../errors.js'
import { parseAnyResults } from '../evaluation/resultsFile.js'
import { oneLine } from '../text.js'
import { artifactsOfRun, downloadArtifact, largestReported, unreadable } from './artifacts.js'
import type { Artifact, StorageEffects } from './artifacts.js'
import type { Client } from './client.js'
import { artifactPrefix } from './uploads.js'
import { readZip } from './zip.js'

/** What may be a shard of a gate: it is one if it has a shard.json. */
export interface PossibleShard {
  /** For messages. */
  readonly name: string
  /** Fetches it, where it is not at hand: what is read from is held in memory, and whoever calls lets it go. */
  readonly open: () => Promise<ReadShard>
}

/**
 * Reads a file beside a shard.json; undefined where there is none.
 *
 * @param limit - Bytes it may have, 64 MiB by default.
 * @throws UsageError for a larger one.
 */
export type ReadShard = (file: string, limit?: number) => Promise<Uint8Array | undefined>

/** Gets what else is to be read of a shard: nothing of it is at hand later. */
export type OnShard = (shard: NamedShard, read: ReadShard) => Promise<void>

/** Whose shards are wanted. */
export interface ShardedGate {
  readonly checkName: string
  /** The commit that is judged. */
  readonly commit: string
}

/**
 * Reads the shards of one gate, one after the other, and leaves those of others alone.
 *
 * @throws UsageError when there are none, or one that is broken or of another commit.
 */
export async function readShards(
  found: readonly PossibleShard[],
  where: string,
  { checkName, commit }: ShardedGate,
  onShard: OnShard = () => Promise.resolve(),
): Promise<readonly NamedShard[]> {
  const shards: NamedShard[] = []
  const others = new Set<string>()
  for (const { name, open } of found) {
    const read = await open()
    const text = await textOf(read, 'shard.json')
    if (text === undefined) continue
    const record = parseGateShard(text, `${name}/shard.json`)
    if (record.gate !== checkName) {
      others.add(record.gate)
      continue
    }
    if (record.commit !== commit)
      throw new UsageError(
        `${name}: is of commit ${record.commit.slice(0, 12)}, and ${commit.slice(0, 12)} is judged; give what the shards of this run wrote`,
      )
    const [results, baseline] = [await textOf(read, 'results.json'), await textOf(read, 'baseline.json')]
    const shard: NamedShard = {
      ...{ name, record },
      ...(results !== undefined && { candidate: parseAnyResults(results, `${name}/results.json`) }),
      ...(baseline !== undefined && { baseline: parseAnyResults(baseline, `${name}/baseline.json`) }),
    }
    await onShard(shard, read)
    shards.push(shard)
  }
  if (shards.length > 0) return shards
  const seen = others.size === 0 ? '' : `, only of ${oneLine([...others].map((gate) => `"${gate}"`).join(', '), 200)}`
  throw new UsageError(
    `${where}: there is no shard of "${checkName}"${seen}; did the jobs with shard: I/N run and upload what they wrote?`,
  )
}

async function textOf(read: ReadShard, file: string): Promise<string | undefined> {
  const bytes = await read(file)
  return bytes && new TextDecoder().decode(bytes)
}

/** More than the artifacts of the largest matrix hold, unpacked. */
const mostFolders = 10_000

/** The folders at and below one in which a shard may be: artifacts unpack to one each. Links are not followed. */
export async function shardsInFolder(folder: string, workspace: string): Promise<readonly PossibleShard[]> {
  const found: PossibleShard[] = []
  const waiting = [folder]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const path = next
    const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
    waiting.push(...entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name)))
    if (waiting.length + found.length > mostFolders)
      throw new UsageError(`${folder}: holds over ${mostFolders} folders; give the one with the shards' artifacts`)
    const files = new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => name))
    if (!files.has('shard.json')) continue
    found.push({
      name: withSlashes(relative(workspace, path) || path),
      open: () => Promise.resolve(inFolder(path, files)),
    })
  }
  return found.sort((one, other) => (one.name < other.name ? -1 : 1))
}

function inFolder(path: string, files: ReadonlySet<string>): ReadShard {
  return async (file, limit = largestReported.file) => {
    if (!files.has(file)) return undefined
    const { size } = await stat(join(path, file))
    if (size > limit) throw new UsageError(`${join(path, file)} has ${size} bytes, more than the limit of ${limit}`)
    return readNamed(join(path, file), nodeFiles)
  }
}

/**
 * The artifacts of a run in which a shard may be, by the prefix of their names.
 *
 * @param folder - Where in an artifact a gate's files are; empty for its top.
 * @throws UsageError for one that has expired; any other error is the network's.
 */
export async function shardsOfRun(
  client: Client,
  storage: StorageEffects,
  runId: number,
  folder: string,
): Promise<readonly PossibleShard[]> {
  const all = await artifactsOfRun(client, runId).catch(unreadable('the artifacts of this run', byHand))
  const newest = new Map<string, Artifact>()
  // An attempt that is repeated uploads under the same name again.
  for (const artifact of all)
    if (artifact.name.startsWith(artifactPrefix) && !newest.has(artifact.name)) newest.set(artifact.name, artifact)
  return [...newest.values()].map((artifact) => inArtifact(client, storage, artifact, folder))
}

/** What does without the permission. */
const byHand = 'actions/download-artifact and the input results'

function inArtifact(client: Client, storage: StorageEffects, artifact: Artifact, folder: string): PossibleShard {
  const name = `artifact ${oneLine(artifact.name, 100)}`
  const places = folder === '' ? [''] : ['', `${folder}/`]
  const download = async () => {
    if (artifact.expired) throw new UsageError(`${name} has expired; run this workflow again`)
    return downloadArtifact(client, storage, artifact, largestReported.zip).catch(unreadable(name, byHand))
  }
  return {
    name,
    async open() {
      const zip = await download()
      const records = readZip(
        zip,
        places.map((at) => `${at}shard.json`),
        largestReported.file,
        name,
      )
      const place = places.find((at) => records[`${at}shard.json`] !== undefined)
      return (file, limit = largestReported.file) =>
        Promise.resolve(place === undefined ? undefined : readZip(zip, [place + file], limit, name)[place + file])
    },
  }
}
