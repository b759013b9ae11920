import { resolve } from 'node:path'
import { compare, unchangedComparison } from '../comparison/compare.js'
import { joinShards } from '../comparison/joinShards.js'
import type { Joined } from '../comparison/joinShards.js'
import { assertAsConfigured } from '../comparison/pairing.js'
import type { Comparison } from '../comparison/types.js'
import type { Config } from '../config/types.js'
import { UsageError } from '../errors.js'
import { suiteOf, withBounds } from '../evaluation/evaluate.js'
import { joinWitnesses } from '../evaluation/joinWitnesses.js'
import type { NamedArchive } from '../evaluation/joinWitnesses.js'
import { archiveName } from '../evaluationStore.js'
import { writeFileAtomically } from '../files.js'
import { unattacked, writeGateFiles } from '../gate.js'
import { mayBeSpared } from '../gateConditions.js'
import type { Report } from '../github/publication.js'
import { readShards, shardsInFolder, shardsOfRun } from '../github/shards.js'
import type { FoundShard } from '../github/shards.js'
import { refuseLinks } from '../github/workspace.js'
import { terminalReport } from '../report/terminal.js'
import { appealIn } from './appeal.js'
import { writeExamples } from './candidateExamples.js'
import type { Log, Measured, Run } from './services.js'
import { fullReport } from './tell.js'

/**
 * What the shards of a gate have found, as if one job had evaluated all images. No model is loaded; the policy is that of the
 * config here, and not the shards'.
 *
 * @throws UsageError that names the shard that is missing, doubled, broken or of something else.
 */
export async function joined(config: Config, run: Run): Promise<Measured> {
  const { inputs, context, workspace, services } = run
  const out = resolve(workspace, inputs.outputDir)
  await refuseLinks(out, workspace)
  const shards = await shardsOf(config, run)
  const { notes, ...known } = joinShards(shards)
  const { ask, warnings } = appealIn(run, config.publish)
  const found = compared(known, config)
  const { candidate, baseline } = known
  const examples = candidate === undefined ? {} : await examplesOf(shards, config, services.log)
  const comparison = await ask(found)
  services.log.block(terminalReport(comparison, { color: true, width: 120 }))
  const report: Report = { comparison, results: { candidate, baseline }, notes, warnings }
  const files = await writeGateFiles(out, comparison, { candidate, baseline }, known.origins?.candidate?.name)
  await writeExamples(out, config.threats, examples)
  await writeFileAtomically(files.report, fullReport(report, config.publish, context))
  return { report, files }
}

/** Of a shard's points: what a whole evaluation keeps of them, see `evaluateOnce`, and a header. */
const mostBytes = 2 ** 28 + 2 ** 16

/** The candidate's adversarial examples, of each threat of which every shard has kept them. */
async function examplesOf(
  shards: readonly FoundShard[],
  { threats }: Config,
  log: Log,
): Promise<Readonly<Record<string, Uint8Array>>> {
  const joined: Record<string, Uint8Array> = {}
  for (const { id } of threats) {
    const file = archiveName(id)
    const archives: NamedArchive[] = []
    for (const { name, candidate, read } of shards) {
      const bytes = await read(file)
      if (candidate !== undefined && bytes !== undefined)
        archives.push({ name: `${name}/${file}`, bytes, results: candidate })
    }
    if (archives.length === shards.length) joined[file] = joinWitnesses(archives, id, mostBytes)
    else if (archives.length > 0)
      log.info(`Only ${archives.length} of ${shards.length} shards have ${file}, so it is not kept.`)
  }
  return joined
}

function compared(
  { candidate, baseline, absence, data, origins, transfer }: Omit<Joined, 'notes'>,
  config: Config,
): Comparison {
  const { range } = config.dataOptions
  if (candidate === undefined) {
    if (
      !mayBeSpared(config) ||
      origins?.candidate === undefined ||
      origins.candidate.sha256 !== origins.baseline?.sha256
    )
      throw new UsageError('the shards attacked nothing, though the config asks for it; run all shards again')
    return unchangedComparison({ ...unattacked(config, { ...data, range }), origins })
  }
  assertAsConfigured(candidate, {
    ...{ suite: suiteOf(config), threats: withBounds(config.threats, range), seed: config.seed },
  })
  return compare(candidate, baseline, config.policy, { absence, transfer, origins })
}

async function shardsOf(
  { publish }: Config,
  { inputs, context, workspace, services }: Run,
): Promise<readonly FoundShard[]> {
  const gate = { checkName: publish.checkName, commit: context.event.headSha }
  if (inputs.results !== '') {
    const folder = resolve(workspace, inputs.results)
    return readShards(await shardsInFolder(folder, workspace), `results ${inputs.results}`, gate)
  }
  const { client } = services
  if (client === undefined)
    throw new UsageError('mode: merge needs the shards’ results: give the input results, a folder, or a github-token')
  const { id } = context.run
  const found = await shardsOfRun(client, services, id, inputs.listed ?? '')
  return readShards(found, `the artifacts of run ${id}`, gate)
}
