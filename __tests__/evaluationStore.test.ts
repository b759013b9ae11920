import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { parseConfig } from '../src/config/parse.js'
import { locateData } from '../src/data/locate.js'
import type { Dataset } from '../src/data/types.js'
import { decodeWitnesses } from '../src/data/witnesses.js'
import { loadDataset } from '../src/evaluation/ask.js'
import type { Witness } from '../src/evaluation/collector.js'
import { sampleOf } from '../src/evaluation/diagnosed.js'
import type { Results } from '../src/evaluation/results.js'
import { formatResults } from '../src/evaluation/resultsFile.js'
import { witnessArchive } from '../src/evaluation/witnesses.js'
import { evaluateOnce } from '../src/evaluationStore.js'
import type { EvaluationFiles, StoringEffects } from '../src/evaluationStore.js'
import { realChildren } from './evaluation/support.js'
import { fixture } from './engine/support/fixtures.js'

/** Whoever can write to the store is a stranger: what is not the answer to exactly this question is attacked anew. */

const worker = fileURLToPath(new URL('../.build/engine/worker.js', import.meta.url))
const model = { name: 'finetuned', bytes: fixture('fashion/fashion-finetuned.onnx'), external: {} }
const config = parseConfig({ flags: { epsilon: '0.1', suite: 'quick', samples: '16' } })
const { startChild } = realChildren(worker)
const host = { startChild, cores: 1, cpu: 'test', now: () => 0 }

let dataset: Dataset
let kept: EvaluationFiles
let results: Results
const witnesses: Witness[] = []
beforeAll(async () => {
  const raw = await locateData('fixtures/fashion/fashion-test.npz', config.dataOptions, config.samples)
  dataset = await loadDataset(raw, config.dataOptions, config.samples, { startChild, timeLimitSeconds: 60 })
  const store = { find: () => Promise.resolve(undefined), keep: (_: string, files: EvaluationFiles) => keep(files) }
  const onWitness = (witness: Witness) => void witnesses.push(witness)
  const first = await evaluateOnce(task(), { ...host, store, onWitness })
  results = first.results
})

const task = () => ({ role: 'baseline', model, dataset, config }) as const

function keep(files: EvaluationFiles): Promise<void> {
  kept = files
  return Promise.resolve()
}

/** What comes of a store that holds these files under every key; no child can evaluate. */
async function recalled(files: EvaluationFiles, effects: Partial<StoringEffects> = {}) {
  const store = { find: () => Promise.resolve(files), keep: () => Promise.resolve() }
  return evaluateOnce(task(), { ...host, store, cpu: 'test', ...effects })
}

const changed = (change: Partial<Results>): EvaluationFiles => ({
  ...kept,
  'results.json': Buffer.from(formatResults({ ...results, ...change })),
})

test('exactly this: the same results and the same adversarial examples, without an attack', async () => {
  const again: Witness[] = []
  const found = await recalled(kept, { onWitness: (witness) => void again.push(witness) })
  expect(found).toEqual({ results, recalled: true })
  const places = (list: readonly Witness[]) => list.map(({ index, threat }) => `${threat} ${index}`).sort()
  expect(places(again)).toEqual(places(witnesses))
})

describe('is not believed, and attacked anew:', () => {
  test.each<[string, () => EvaluationFiles]>([
    ['another model', () => changed({ model: { ...results.model, sha256: 'f'.repeat(64) } })],
    ['other data', () => changed({ data: { ...results.data, sha256: 'f'.repeat(64) } })],
    ['another seed', () => changed({ seed: 1 })],
    ['another version', () => changed({ tool: { ...results.tool, version: '0.0.0' } })],
    ['another processor', () => changed({ tool: { ...results.tool, cpu: 'other' } })],
    ['other preprocessing', () => changed({ preprocessing: { ...results.preprocessing, std: [2] } })],
    ['a summary that its images deny', () => changed({ summary: { ...results.summary, classes: [] } })],
    ['no results file', () => ({ ...kept, 'results.json': Buffer.from('{') })],
    ['no adversarial examples', () => ({ 'results.json': kept['results.json'] })],
    ['adversarial examples that are no archive', () => ({ ...kept, 'adversarial-linf-0.1.npz': Buffer.from('x') })],
  ])('%s', async (_, files) => {
    expect((await recalled(files())).recalled).toBe(false)
  })
})

test('a point outside the ball is no adversarial example, whoever says so', async () => {
  const far = witnesses.map((witness) => ({ ...witness, pixels: witness.pixels.map((pixel) => 1 - pixel) }))
  const archive = witnessArchive(far, 'linf-0.1', dataset)
  const again: Witness[] = []
  const onWitness = (witness: Witness) => void again.push(witness)
  const passed: EvaluationFiles[] = []
  const onArchives = (_: string, archives: EvaluationFiles) => void passed.push(archives)
  const found = { ...kept, 'adversarial-linf-0.1.npz': archive }
  expect((await recalled(found, { onWitness, onArchives })).recalled).toBe(true)
  expect(again).toEqual([])
  // Nor is it handed on to whoever keeps the archives.
  expect(passed.map((archives) => Object.keys(archives))).toEqual([[]])
  await recalled(kept, { onArchives })
  expect(passed[1]).toEqual({ 'adversarial-linf-0.1.npz': kept['adversarial-linf-0.1.npz'] })
})

test('of data that are too large a sample keeps its adversarial examples, not the first images, which may be of one class', async () => {
  const store = { find: () => Promise.resolve(undefined), keep: (_: string, files: EvaluationFiles) => keep(files) }
  const sample = sampleOf(dataset, 4)
  const all: number[] = []
  const onWitness = ({ index }: Witness) => void all.push(index)
  const before = kept
  await evaluateOnce(task(), { ...host, store, onWitness, archivedBytes: 4 * (4 * 28 * 28) })
  const archive = kept['adversarial-linf-0.1.npz']
  kept = before
  // Whoever listens gets them all; under quick the finetuned model breaks nearly everywhere.
  expect(all.length).toBeGreaterThan(4)
  const { indices } = decodeWitnesses(archive, 'kept')
  expect([...indices]).toEqual(all.filter((index) => sample.has(index)).toSorted((one, other) => one - other))
  expect(indices.some((index) => index >= 4)).toBe(true)
})
