import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { MAXIMUM_BYTES, nodeFiles, readNamed } from '../data/files.js'
import { joinWitnesses } from '../evaluation/joinWitnesses.js'
import type { NamedResults } from '../evaluation/merge.js'
import { archiveName } from '../evaluationStore.js'
import { writeOutput } from '../output.js'
import type { Io } from './io.js'

/**
 * Joins the adversarial examples that lie beside the results of shards, within each threat of which all have saved theirs.
 *
 * @param parts - Of one evaluation, named by their paths.
 * @param out - Folder for what is joined.
 * @throws UsageError for an archive that contradicts the results beside it.
 */
export async function joinExamples(parts: readonly NamedResults[], out: string, { stderr }: Io): Promise<void> {
  const folders = parts.map(({ name }) => dirname(resolve(name)))
  // Of results in one folder nobody can tell whose the examples there are.
  if (new Set(folders).size < folders.length) return
  for (const { id } of parts[0].results.threats) {
    const file = archiveName(id)
    // Ids are the file's own words, and may not lead out of the folder.
    if (!/^[\w.-]+$/.test(file)) continue
    const saved = parts
      .map(({ name, results }) => ({ name: join(dirname(name), file), results }))
      .filter(({ name }) => existsSync(name))
    if (saved.length === parts.length) {
      const archives = saved.map(async (one) => ({ ...one, bytes: await readNamed(one.name, nodeFiles) }))
      await writeOutput(join(out, file), joinWitnesses(await Promise.all(archives), id, MAXIMUM_BYTES))
    } else if (saved.length > 0)
      stderr(`robustness-gate: only ${saved.length} of ${parts.length} shards have ${file}, so it is not joined\n`)
  }
}
