import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { compare } from '../comparison/compare.js'
import type { Comparison } from '../comparison/types.js'
import type { Config } from '../config/types.js'
import { gradientModel, inspectModel, loadDataset } from '../evaluation/ask.js'
import type { Witness } from '../evaluation/collector.js'
import { mergeShards } from '../evaluation/merge.js'
import type { Results } from '../evaluation/results.js'
import { formatResults } from '../evaluation/resultsFile.js'
import { parseShard } from '../evaluation/shards.js'
import { witnessArchive } from '../evaluation/witnesses.js'
import { evaluateModel } from '../evaluateModel.js'
import type { ModelEffects } from '../evaluateModel.js'
import { archiveName } from '../evaluationStore.js'
import { dryRun } from '../dryRun.js'
import { runGate } from '../gate.js'
import { makeFolder, writeOutput } from '../output.js'
import { evaluationReport } from '../report/evaluation.js'
import { jsonText } from '../report/json.js'
import { markdownReport } from '../report/markdown.js'
import { planText } from '../report/plan.js'
import type { Plan } from '../report/plan.js'
import { terminalReport } from '../report/terminal.js'
import type { ExitStatus } from './failure.js'
import { inspectionText } from './inspection.js'
import type { Io } from './io.js'
import { joinExamples } from './joinExamples.js'
import { forEachModel } from './models.js'
import type { Flags } from './sources.js'
import {
  readAnyResults,
  readBaseline,
  readConfig,
  readData,
  readListed,
  readModel,
  readResults,
  required,
} from './sources.js'

/** The commands, one function each: arguments in, exit status out. What they throw is told by `failureOf`. */

export interface GateOptions {
  readonly out: string
  /** Say what would be run, and run nothing. */
  readonly check?: boolean
}

/** Of a config that lists models: of each, one after the other. */
export async function gate(flags: Flags, options: GateOptions, io: Io): Promise<ExitStatus> {
  const names = await readListed(flags)
  if (names.length === 0) return gateOf(flags, options, io)
  const { out } = options
  return forEachModel(names, (name) => gateOf(flags, { ...options, out: join(out, name) }, io, name), io)
}

async function gateOf(
  { candidate: flag, ...flags }: Flags,
  { out, check }: GateOptions,
  io: Io,
  model?: string,
): Promise<ExitStatus> {
  const config = await readConfig({ ...flags, model: flag }, model)
  const candidate = await readModel(required(config.model, 'candidate', 'the model of the pull request'))
  const baseline = await readBaseline(config.baseline)
  const data = await readData(config)
  if (check) return tellPlan(await dryRun(config, { candidate, baseline, data }, io.host), io)
  const { comparison, files } = await runGate(config, { candidate, baseline, data }, out, effects(io))
  io.stdout(`${terminalReport(comparison, io).trimEnd()}\n\nReport: ${files.report}\n`)
  return statusOf(comparison, io)
}

export interface EvaluateOptions {
  readonly out: string
  readonly check?: boolean
  readonly saveAdversarial?: boolean
  /** `I/N` */
  readonly shard?: string
}

export async function evaluate(
  flags: Flags,
  { out, check, saveAdversarial, shard: part }: EvaluateOptions,
  io: Io,
): Promise<ExitStatus> {
  const shard = part === undefined ? undefined : parseShard(part)
  const config = await readConfig(flags)
  const model = await readModel(required(config.model, 'model', 'the model to attack'))
  const raw = await readData(config)
  if (check) return tellPlan(await dryRun(config, { candidate: model, data: raw, shard }, io.host), io)
  await makeFolder(out)
  const dataset = await loadDataset(raw, config.dataOptions, config.samples, asking(config, io))
  const witnesses: Witness[] = []
  const onWitness = saveAdversarial ? (witness: Witness) => witnesses.push(witness) : undefined
  const task = { role: 'candidate', model, dataset, config, shard } as const
  const results = await evaluateModel(task, { ...effects(io), onWitness })
  for (const { id } of config.threats) {
    const file = join(out, archiveName(id))
    if (saveAdversarial) await writeOutput(file, witnessArchive(witnesses, id, dataset))
    // What an earlier evaluation saved would pass for this one's.
    else await rm(file, { force: true })
  }
  if (shard === undefined) return writeResults(results, out, io)
  const file = join(out, 'results.json')
  await writeOutput(file, formatResults(results))
  io.stdout(`Shard ${shard.index}/${shard.count}: ${file}; join all ${shard.count} with robustness-gate merge\n`)
  return 0
}

/** Also joins the adversarial examples that lie beside the shards' results, where all have saved theirs. */
export async function merge(paths: readonly string[], out: string, io: Io): Promise<ExitStatus> {
  const parts = await Promise.all(paths.map(async (path) => ({ name: path, results: await readAnyResults(path) })))
  const results = mergeShards(parts)
  await joinExamples(parts, out, io)
  return writeResults(results, out, io)
}

/** Of a whole evaluation: results.json, report.md, and the table on stdout. */
async function writeResults(results: Results, out: string, io: Io): Promise<ExitStatus> {
  const file = join(out, 'results.json')
  await writeOutput(file, formatResults(results))
  const { markdown, terminal } = evaluationReport(results, io)
  await writeOutput(join(out, 'report.md'), markdown)
  io.stdout(`${terminal.trimEnd()}\n\nResults: ${file}\n`)
  return 0
}

export async function compareResults(
  baseline: string,
  candidate: string,
  flags: Flags,
  out: string | undefined,
  io: Io,
): Promise<ExitStatus> {
  const { policy } = await readConfig(flags)
  const results = { baseline: await readResults(baseline), candidate: await readResults(candidate) }
  const comparison = compare(results.candidate, results.baseline, policy)
  if (out !== undefined) {
    await writeOutput(join(out, 'comparison.json'), jsonText(comparison))
    await writeOutput(join(out, 'report.md'), markdownReport(comparison, { tier: 'full', results }))
  }
  io.stdout(`${terminalReport(comparison, io).trimEnd()}\n`)
  return statusOf(comparison, io)
}

export async function gradient(path: string, out: string, io: Io): Promise<ExitStatus> {
  const model = await readModel(path)
  await writeOutput(out, await gradientModel(model, asking(await readConfig({}), io)))
  io.stdout(
    `${out}: takes the inputs of ${path} and \`label\` (int64, [N]); gives logits, \`loss\` ([N]), \`gradient\`\n`,
  )
  return 0
}

export async function inspect(path: string, io: Io): Promise<ExitStatus> {
  const model = await readModel(path)
  io.stdout(inspectionText(await inspectModel(model, asking(await readConfig({}), io))))
  return 0
}

export async function report(path: string, out: string, io: Io): Promise<ExitStatus> {
  const results = await readResults(path)
  const file = join(out, 'report.md')
  const { markdown, terminal } = evaluationReport(results, io)
  await writeOutput(file, markdown)
  io.stdout(`${terminal.trimEnd()}\n\nReport: ${file}\n`)
  return 0
}

function tellPlan(plan: Plan, io: Io): ExitStatus {
  io.stdout(`${planText(plan)}\n`)
  return 0
}

function effects({ host, showProgress }: Io): ModelEffects {
  return { ...host, onProgress: showProgress }
}

function asking({ limits }: Config, { host }: Io) {
  return { ...host, timeLimitSeconds: limits.seconds }
}

function statusOf({ verdict }: Comparison, io: Io): ExitStatus {
  if (verdict.outcome !== 'error') return verdict.fails ? 1 : 0
  for (const { message } of verdict.reasons) io.stderr(`robustness-gate: ${message}\n`)
  return 3
}
