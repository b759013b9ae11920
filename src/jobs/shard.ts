import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { GateShard } from '../comparison/gateShard.js'
import type { Config } from '../config/types.js'
import { EvaluationError } from '../errors.js'
import type { Results } from '../evaluation/results.js'
import { formatResults } from '../evaluation/resultsFile.js'
import type { Shard } from '../evaluation/shards.js'
import type { Measured } from '../evaluateBoth.js'
import { archiveName } from '../evaluationStore.js'
import { gateFiles, loadForGate, originsOf } from '../gate.js'
import { measureGate } from '../measureGate.js'
import { artifactName } from '../github/artifactName.js'
import { readConfig, readRequest } from '../github/request.js'
import { refuseLinks } from '../github/workspace.js'
import { makeFolder, writeOutput } from '../output.js'
import { jsonText } from '../report/json.js'
import { progressLines } from '../report/progress.js'
import { messageOf, oneLine } from '../text.js'
import { candidateExamples } from './candidateExamples.js'
import { forgiving, placeOf, refuseUnsafe } from './gate.js'
import type { Run } from './services.js'
import { upload } from './upload.js'

/**
 * Evaluates a part of the images with candidate and baseline, and writes what `mode: merge` needs of it: results.json,
 * baseline.json, the candidate's adversarial examples and shard.json. It gives no verdict and posts nothing.
 *
 * @throws UsageError and EvaluationError: then the shard is missing.
 */
export async function evaluateShard(run: Run, shard: Shard): Promise<void> {
  const { inputs, context, workspace, services } = run
  const { host, log, store } = services
  const place = placeOf(run)
  await refuseUnsafe(run, place)
  const config = await readConfig(inputs, place)
  const out = resolve(workspace, inputs.outputDir)
  await refuseLinks(out, workspace)
  const request = await readRequest(config, inputs, place)
  const { notes } = request
  if (notes.length > 0) log.block(notes.map((note) => oneLine(note)).join('\n'))
  for (const warning of request.warnings) log.warning(warning)
  const examples = candidateExamples()
  const onProgress = progressLines((line) => log.info(line))
  const effects = { ...host, store, ...examples.effects, onProgress }
  const sources = { ...request, ...forgiving, shard }
  const dataset = await loadForGate(config, sources, effects)
  const known: Measured = {}
  const absence = await measureGate(config, sources, dataset, effects, known)
  const { transfer } = known
  const { name, sha256, samples } = dataset
  const names = [...gateFiles, ...config.threats.map(({ id }) => archiveName(id))]
  // What an earlier run left would pass for a part of this one.
  for (const file of gateFiles) await rm(join(out, file), { force: true })
  await examples.write(out, config.threats)
  await writeShard(out, known, {
    schema: 'robustness-gate/shard/1',
    gate: config.publish.checkName,
    commit: context.event.headSha,
    shard,
    baseline: absence?.state ?? 'present',
    ...(absence?.why !== undefined && { why: absence.why }),
    notes: [...notes],
    origins: originsOf(request, known),
    ...(known.candidate === undefined && { unattacked: { name, sha256, samples } }),
    ...(transfer && { transfer: transfer.map((trial) => ({ ...trial, fooled: [...trial.fooled] })) }),
  })
  if (inputs.upload) await uploadShard(run, config, out, shard, names)
  services.setOutput('results', join(out, 'results.json'))
  const images = known.candidate?.samples.length ?? 0
  log.info(`Shard ${shard.index}/${shard.count}: ${images} of ${samples} images; a job with mode: merge judges.`)
}

/** A shard that nobody gets is none: better run again than missed by the job that joins them. */
async function uploadShard(
  run: Run,
  { publish }: Config,
  folder: string,
  { index, count }: Shard,
  names: readonly string[],
): Promise<void> {
  const artifact = `${artifactName(publish.checkName)}-shard-${index}-of-${count}`
  await upload(run, artifact, folder, names).catch((error: unknown) => {
    throw new EvaluationError(`Artifact ${artifact} could not be uploaded (${oneLine(messageOf(error))}).`)
  })
}

async function writeShard(
  out: string,
  { candidate, baseline }: { readonly candidate?: Results; readonly baseline?: Results },
  record: GateShard,
): Promise<void> {
  await makeFolder(out)
  if (candidate !== undefined) await writeOutput(join(out, 'results.json'), formatResults(candidate))
  if (baseline !== undefined) await writeOutput(join(out, 'baseline.json'), formatResults(baseline))
  await writeOutput(join(out, 'shard.json'), jsonText(record))
}
