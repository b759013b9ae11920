import { createHash } from 'node:crypto'
import { threatModel } from './attacks/threat.js'
import { assertSameConditions, canonical } from './comparison/pairing.js'
import type { Dataset } from './data/types.js'
import { engineName } from './engine/engineName.js'
import { EvaluationError, UsageError } from './errors.js'
import { evaluateModel, requestFor } from './evaluateModel.js'
import type { ModelEffects, ModelTask, Role } from './evaluateModel.js'
import { loadWitnesses } from './evaluation/ask.js'
import type { Witness } from './evaluation/collector.js'
import { suiteOf, withBounds } from './evaluation/evaluate.js'
import type { EvaluationRequest } from './evaluation/evaluate.js'
import { hashModel } from './evaluation/modelFile.js'
import type { Results } from './evaluation/results.js'
import { formatResults, parseAnyResults } from './evaluation/resultsFile.js'
import { transferable } from './evaluation/transfer.js'
import { witnessArchive } from './evaluation/witnesses.js'
import { engineVersion } from './version.js'

/** What earlier evaluations have written, by name: results.json and adversarial-<threat>.npz. */
export type EvaluationFiles = Readonly<Record<string, Uint8Array>>

/** Keeps evaluations beyond the run that made them. Neither method throws: without it, a model is attacked again. */
export interface EvaluationStore {
  find(key: string): Promise<EvaluationFiles | undefined>
  keep(key: string, files: EvaluationFiles): Promise<void>
}

/** Pixels of a model's adversarial examples, within all threats, that a gate keeps at most. */
export const keptBytes = 2 ** 28

export interface StoringEffects extends ModelEffects {
  readonly store?: EvaluationStore
  /** Gets each model's adversarial examples as archives by file name. */
  readonly onArchives?: (role: Role, archives: EvaluationFiles) => void
  /** Bytes of adversarial examples that are kept, `keptBytes` by default; of larger data those of a sample, see `transferable`. */
  readonly archivedBytes?: number
}

export interface Evaluated {
  readonly results: Results
  /** They are an earlier run's. */
  readonly recalled: boolean
}

/** Changes when the same settings are to be measured in another way, or kept in other files. */
const storedVersion = 1

const resultsName = 'results.json'
/** Of the adversarial examples within a threat. */
export const archiveName = (threat: string): string => `adversarial-${threat}.npz`

/**
 * Evaluates a model, unless exactly this was evaluated before: an evaluation is a function of what `keyOf` hashes. Whoever
 * can write to the store is a stranger, so what it gives is read like any results file, and held against what is asked.
 */
export async function evaluateOnce(task: ModelTask, effects: StoringEffects): Promise<Evaluated> {
  const recalled = await recallEvaluation(task, effects)
  if (recalled !== undefined) return { results: recalled, recalled: true }
  const { store, onArchives, archivedBytes = keptBytes } = effects
  if (store === undefined && onArchives === undefined)
    return { results: await evaluateModel(task, effects), recalled: false }
  const { role, dataset } = task
  const request = requestFor(task)
  const witnesses: Witness[] = []
  const fits = transferable(request, archivedBytes)
  const onWitness = (witness: Witness): void => {
    effects.onWitness?.(witness)
    if (fits(witness)) witnesses.push(witness)
  }
  const results = await evaluateModel(task, { ...effects, onWitness })
  const archives = Object.fromEntries(
    request.threats.map(({ id }) => [archiveName(id), witnessArchive(witnesses, id, dataset)]),
  )
  onArchives?.(role, archives)
  await store?.keep(keyOf(request, effects.cpu), { [resultsName]: Buffer.from(formatResults(results)), ...archives })
  return { results, recalled: false }
}

/** What `evaluateOnce` would not have to evaluate; undefined where it would. */
export async function recallEvaluation(task: ModelTask, effects: StoringEffects): Promise<Results | undefined> {
  const { store, onArchives } = effects
  const request = requestFor(task)
  const found = await store?.find(keyOf(request, effects.cpu))
  const recalled = found && (await recall(found, request, effects))
  if (found === undefined || recalled === undefined) return undefined
  for (const witness of recalled.witnesses) effects.onWitness?.(witness)
  onArchives?.(task.role, recalled.archives)
  return recalled.results
}

/** SHA-256 (hex) over all that an evaluation depends on. */
export function keyOf({ model, dataset, ...request }: EvaluationRequest, cpu: string): string {
  const { preprocessing, threats, suite, quantised, seed, limits, toolVersion, shard, executionProvider } = request
  const asked = {
    ...{ storedVersion, toolVersion, engine: engineName(engineVersion, executionProvider), cpu, batch: limits.batch },
    ...{ model: hashModel(model), preprocessing, data: dataset.sha256, samples: dataset.samples },
    classNames: dataset.classNames,
    ...{ suite: suiteOf({ suite, quantised }), threats: withBounds(threats, dataset.range), seed, shard },
  }
  return createHash('sha256').update(canonical(asked)).digest('hex')
}

interface Recalled {
  readonly results: Results
  readonly witnesses: readonly Witness[]
  /** Those of which every point is what it should be. */
  readonly archives: EvaluationFiles
}

/** What was stored, if it is what is asked for; undefined when it is anything else. */
async function recall(
  files: EvaluationFiles,
  request: EvaluationRequest,
  effects: StoringEffects,
): Promise<Recalled | undefined> {
  try {
    const stored = files[resultsName]
    if (stored === undefined) return undefined
    const results = parseAnyResults(new TextDecoder().decode(stored), 'stored results')
    if (!isAnswer(results, request, effects.cpu)) return undefined
    const witnesses: Witness[] = []
    const archives: Record<string, Uint8Array> = {}
    for (const threat of request.threats) {
      const archive = files[archiveName(threat.id)]
      if (archive === undefined) return undefined
      const { kept, rows } = await witnessesIn(archive, threat, request, results, effects)
      witnesses.push(...kept)
      if (kept.length === rows) archives[archiveName(threat.id)] = archive
    }
    const { model, dataset } = request
    const named = { model: { ...results.model, name: model.name }, data: { ...results.data, name: dataset.name } }
    return { results: { ...results, ...named }, witnesses, archives }
  } catch (error) {
    if (error instanceof UsageError || error instanceof EvaluationError || error instanceof RangeError) return undefined
    throw error
  }
}

/** @throws UsageError where attacks, seed or data are others. */
function isAnswer(results: Results, request: EvaluationRequest, cpu: string): boolean {
  const { model, dataset, preprocessing, threats, suite, quantised, seed, toolVersion, shard } = request
  const engine = engineName(engineVersion, request.executionProvider)
  const asked = { suite: suiteOf({ suite, quantised }), threats: withBounds(threats, dataset.range), seed }
  assertSameConditions({ ...asked, data: { sha256: dataset.sha256 } }, results)
  const { samples, classNames } = dataset
  const expected = {
    engine,
    cpu,
    version: toolVersion,
    sha256: hashModel(model),
    preprocessing,
    samples,
    classNames,
    shard,
  }
  const { tool, data } = results
  const found = {
    ...{
      engine: tool.engine,
      cpu: tool.cpu,
      version: tool.version,
      sha256: results.model.sha256,
      preprocessing: results.preprocessing,
    },
    ...{ samples: data.samples, classNames: data.classNames, shard: results.shard },
  }
  const labelled = results.samples.every(({ index, label }) => dataset.labels[index] === label)
  const complete = shard !== undefined || results.samples.length === samples
  return labelled && complete && canonical(found) === canonical(expected)
}

/** Points of an archive that are what they should be: of an image that the results call broken, with its label, and inside its ball. */
async function witnessesIn(
  archive: Uint8Array,
  threat: EvaluationRequest['threats'][number],
  { dataset, limits }: EvaluationRequest,
  { samples }: Results,
  effects: StoringEffects,
): Promise<{ readonly kept: readonly Witness[]; readonly rows: number }> {
  const asking = { ...effects, timeLimitSeconds: limits.seconds }
  const { shape, pixels, indices, labels } = await loadWitnesses(archive, 'stored adversarial examples', asking)
  if (canonical(shape) !== canonical(dataset.shape))
    throw new UsageError('stored adversarial examples are of other data')
  const size = elements(dataset)
  const broken = new Map(samples.map((sample) => [sample.index, sample]))
  const kept = [...indices].flatMap((index, row): Witness[] => {
    const outcome = broken.get(index)
    if (outcome?.threats[threat.id]?.robust !== false || outcome.label !== labels[row]) return []
    const point = pixels.slice(row * size, (row + 1) * size)
    const image = dataset.pixels.subarray(index * size, (index + 1) * size)
    const { distance, low, high } = threatModel(image, threat, dataset.range)
    const inside = point.every((pixel) => pixel >= low && pixel <= high) && distance(point) <= threat.epsilon
    // What the model says there is not kept, and nobody asks: it is tried on another model.
    return inside ? [{ threat: threat.id, index, label: outcome.label, predicted: -1, pixels: point }] : []
  })
  return { kept, rows: indices.length }
}

function elements({ shape }: Pick<Dataset, 'shape'>): number {
  return shape.reduce((product, length) => product * length, 1)
}
