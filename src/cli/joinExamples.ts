import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { nodeFiles, readNamed } from '../data/files.js'
import { joinWitnesses } from '../evaluation/joinWitnesses.js'
import type { NamedResults } from '../evaluation/merge.js'
import { archiveName } from '../evaluationStore.js'
import { writeOutput } from '../output.js'
import type { Io } from './io.js'

/**
 * Joins the adversarial examples that lie beside the results of shards, within each threat of which all have saved theirs, and
 * removes what an earlier evaluation left in `out`, which would pass for this one's.
 *
 * @param parts - Of one evaluation, named by their paths.
 * @param out - Folder for what is joined.
 * @throws UsageError for an archive that contradicts the results beside it.
 */
export async function joinExamples(
  parts: readonly NamedResults[],
  out: string,
  { stderr }: Pick<Io, 'stderr'>,
): Promise<void> {
  for (const { id } of parts[0].results.threats) {
    const file = archiveName(id)
    // Ids are the file's own words, and may not lead out of the folder.
    if (!/^[\w.-]+$/.test(file)) continue
    const whole = await wholeOf(parts, id, stderr)
    await rm(join(out, file), { force: true })
    if (whole !== undefined) await writeOutput(join(out, file), whole)
  }
}

/** Undefined where there are none of a threat, or not of every shard. */
async function wholeOf(
  parts: readonly NamedResults[],
  threat: string,
  stderr: Io['stderr'],
): Promise<Uint8Array | undefined> {
  const file = archiveName(threat)
  const saved = parts
    .map(({ name, results }) => ({ name: join(dirname(name), file), results }))
    .filter(({ name }) => existsSync(name))
  if (saved.length === 0) return undefined
  const apart = new Set(parts.map(({ name }) => dirname(resolve(name)))).size === parts.length
  if (apart && saved.length === parts.length) {
    const archives = saved.map(async (one) => ({ ...one, bytes: await readNamed(one.name, nodeFiles) }))
    return joinWitnesses(await Promise.all(archives), threat)
  }
  const why = apart
    ? `only ${saved.length} of ${parts.length} shards have ${file}`
    : `results of several shards lie in one folder, and nobody can tell whose ${file} is`
  stderr(`robustness-gate: ${why}, so it is not joined\n`)
  return undefined
}
