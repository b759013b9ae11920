import { resolve } from 'node:path'
import { compare, unchangedComparison } from '../comparison/compare.js'
import { joinShards } from '../comparison/joinShards.js'
import type { Joined, NamedShard } from '../comparison/joinShards.js'
import { assertAsConfigured } from '../comparison/pairing.js'
import type { Comparison } from '../comparison/types.js'
import type { Config } from '../config/types.js'
import { UsageError } from '../errors.js'
import { suiteOf, withBounds } from '../evaluation/evaluate.js'
import { writeFileAtomically } from '../files.js'
import { unattacked, writeGateFiles } from '../gate.js'
import { mayBeSpared } from '../gateConditions.js'
import type { Report } from '../github/publication.js'
import { readShards, shardsInFolder, shardsOfRun } from '../github/shards.js'
import type { OnShard } from '../github/shards.js'
import { refuseLinks } from '../github/workspace.js'
import { terminalReport } from '../report/terminal.js'
import { appealIn } from './appeal.js'
import { writeExamples } from './candidateExamples.js'
import type { Measured, Run } from './services.js'
import { shardExamples } from './shardExamples.js'
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
  const examples = shardExamples(config, services.log)
  const shards = await shardsOf(config, run, examples.take)
  const { notes, ...known } = joinShards(shards)
  const { ask, warnings } = appealIn(run, config.publish)
  const found = compared(known, config)
  const { candidate, baseline } = known
  const comparison = await ask(found)
  services.log.block(terminalReport(comparison, { color: true, width: 120 }))
  const report: Report = { comparison, results: { candidate, baseline }, notes, warnings }
  const files = await writeGateFiles(out, comparison, { candidate, baseline }, known.origins?.candidate?.name)
  await writeExamples(out, config.threats, examples.joined())
  await writeFileAtomically(files.report, fullReport(report, config.publish, context))
  return { report, files }
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
  onShard: OnShard,
): Promise<readonly NamedShard[]> {
  const gate = { checkName: publish.checkName, commit: context.event.headSha }
  if (inputs.results !== '') {
    const folder = resolve(workspace, inputs.results)
    return readShards(await shardsInFolder(folder, workspace), `results ${inputs.results}`, gate, onShard)
  }
  const { client } = services
  if (client === undefined)
    throw new UsageError('mode: merge needs the shards’ results: give the input results, a folder, or a github-token')
  const { id } = context.run
  const found = await shardsOfRun(client, services, id, inputs.listed ?? '')
  return readShards(found, `the artifacts of run ${id}`, gate, onShard)
}
