import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { compare, errorComparison, unchangedComparison } from './comparison/compare.js'
import { assertSameConditions } from './comparison/pairing.js'
import type { Comparison } from './comparison/types.js'
import type { Config } from './config/types.js'
import type { Dataset } from './data/types.js'
import { EvaluationError } from './errors.js'
import type { Measured } from './evaluateBoth.js'
import type { StoringEffects } from './evaluationStore.js'
import { loadDataset } from './evaluation/ask.js'
import { withBounds } from './evaluation/evaluate.js'
import type { Results } from './evaluation/results.js'
import { formatResults } from './evaluation/resultsFile.js'
import { conditionsOf } from './gateConditions.js'
import type { GateSources } from './gateSources.js'
import { measureGate } from './measureGate.js'
import { makeFolder, writeOutput } from './output.js'
import { jsonText } from './report/json.js'
import { junitXml } from './report/junit.js'
import { markdownReport } from './report/markdown.js'
import { sarifLog } from './report/sarif.js'

export interface GateRun {
  /** `verdict.outcome` is `error` when an evaluation broke. */
  readonly comparison: Comparison
  readonly candidate?: Results
  readonly baseline?: Results
  /** Paths of what was written. */
  readonly files: {
    readonly comparison: string
    readonly report: string
    readonly junit: string
    readonly sarif: string
    readonly results?: string
    readonly baseline?: string
  }
}

/**
 * The gate: evaluates the candidate and the baseline, compares them, and writes results.json, baseline.json,
 * comparison.json, report.md, junit.xml and robustness.sarif into `out`. An evaluation that breaks is a verdict (`error`),
 * and is written, too.
 *
 * @throws UsageError for a model, data or baseline results that cannot be used as they are.
 */
export async function runGate(
  config: Config,
  sources: GateSources,
  out: string,
  effects: StoringEffects,
): Promise<GateRun> {
  await makeFolder(out)
  const { baseline } = sources
  const known: Measured = {}
  let comparison: Comparison
  try {
    const dataset = await loadForGate(config, sources, effects)
    const absence = await measureGate(config, sources, dataset, effects, known)
    const { candidate, transfer } = known
    const origins = originsOf(sources, known)
    comparison =
      candidate === undefined
        ? unchangedComparison({ ...unattacked(config, dataset), origins })
        : compare(candidate, known.baseline, config.policy, { absence, transfer, origins })
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error
    const { suite, seed, policy } = config
    const state = baseline.kind === 'model' || baseline.kind === 'results' ? 'present' : baseline.kind
    const origins = originsOf(sources, known)
    comparison = errorComparison(error.message, { ...known, suite, seed, policy, baselineState: state, origins })
  }
  comparison = (await sources.appeal?.(comparison)) ?? comparison
  const { candidate, baseline: ofBaseline } = known
  const done = { ...(candidate && { candidate }), ...(ofBaseline && { baseline: ofBaseline }) }
  return { comparison, ...done, files: await writeGateFiles(out, comparison, done, sources.candidate.name) }
}

/** The models that are known, with what is known of where they came from. */
export function originsOf(
  { origins = {} }: Pick<GateSources, 'origins'>,
  { models = {}, recalled = [] }: Measured,
): Comparison['origins'] {
  const entries = (['candidate', 'baseline'] as const).flatMap((role) => {
    const model = models[role]
    if (model === undefined) return []
    return [
      [role, { ...model, ...origins[role], ...(recalled.includes(role) && { recalled: true as const }) }] as const,
    ]
  })
  return Object.fromEntries(entries)
}

/** What can be said of a gate that attacked nothing. */
export function unattacked(
  { suite, threats, seed, policy }: Config,
  { name, sha256, samples, range }: Pick<Dataset, 'name' | 'sha256' | 'samples' | 'range'>,
) {
  return { suite, threats: withBounds(threats, range), seed, policy, data: { name, sha256, samples } }
}

/** The images; a baseline's results that were not made on them are refused before minutes of attacks on the candidate. */
export async function loadForGate(
  config: Config,
  { data, baseline, tolerateBaseline }: GateSources,
  effects: StoringEffects,
): Promise<Dataset> {
  const decoding = { ...effects, timeLimitSeconds: config.limits.seconds }
  const dataset = await loadDataset(data, config.dataOptions, config.samples, decoding)
  if (baseline.kind === 'results' && !tolerateBaseline)
    assertSameConditions(conditionsOf(config, dataset), baseline.results)
  return dataset
}

/** What a gate, or a shard of one, may write into its folder. */
export const gateFiles = [
  ...['results.json', 'baseline.json', 'shard.json'],
  ...['comparison.json', 'report.md', 'junit.xml', 'robustness.sarif'],
] as const

/**
 * Writes what is known of a gate, and removes what an earlier run left: it would pass for a part of this one.
 *
 * @param model - The candidate's path in the repository, where it is known.
 */
export async function writeGateFiles(
  out: string,
  comparison: Comparison,
  { candidate, baseline }: { readonly candidate?: Results; readonly baseline?: Results },
  model?: string,
): Promise<GateRun['files']> {
  const write = async (name: string, content: string | undefined) => {
    const path = join(out, name)
    if (content !== undefined) await writeOutput(path, content)
    else await rm(path, { force: true })
    return path
  }
  await write('shard.json', undefined)
  const results = await write('results.json', candidate && formatResults(candidate))
  const baselineResults = await write('baseline.json', baseline && formatResults(baseline))
  return {
    comparison: await write('comparison.json', jsonText(comparison)),
    report: await write('report.md', markdownReport(comparison, { tier: 'full', results: { candidate, baseline } })),
    junit: await write('junit.xml', junitXml(comparison)),
    sarif: await write('robustness.sarif', sarifLog(comparison, model)),
    ...(candidate && { results }),
    ...(baseline && { baseline: baselineResults }),
  }
}
