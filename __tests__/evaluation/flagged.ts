import { fileURLToPath } from 'node:url'
import type { AttackSpec } from '../../src/config/attackTypes.js'
import { parseConfig } from '../../src/config/parse.js'
import { locateData } from '../../src/data/locate.js'
import type { Dataset } from '../../src/data/types.js'
import { evaluate, loadDataset } from '../../src/evaluation/evaluate.js'
import type { Results } from '../../src/evaluation/results.js'
import type { Shard } from '../../src/evaluation/shards.js'
import { effectsOf, realChildren } from './support.js'

const worker = fileURLToPath(new URL('../../.build/engine/worker.js', import.meta.url))
export const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url))
const effects = () => effectsOf(realChildren(worker).startChild)

type Flags = Readonly<Record<string, string>>

export async function dataFor(file: string, flags: Flags, samples: number): Promise<Dataset> {
  const { dataOptions } = parseConfig({ flags })
  const raw = await locateData(fixture(file), dataOptions, samples)
  return loadDataset(raw, dataOptions, samples, { ...effects(), timeLimitSeconds: 100 })
}

/** The images of some labels, under other labels. */
export function chosen(
  data: Dataset,
  accepts: (label: number) => boolean,
  renamed: (label: number) => number = (label) => label,
): Dataset {
  const size = data.pixels.length / data.samples
  const kept = [...data.labels.keys()].filter((index) => accepts(data.labels[index]))
  const pixels = new Float32Array(kept.length * size)
  for (const [row, index] of kept.entries())
    pixels.set(data.pixels.subarray(index * size, (index + 1) * size), row * size)
  const labels = Int32Array.from(kept, (index) => renamed(data.labels[index]))
  return { ...data, samples: kept.length, pixels, labels }
}

/** With the suite that the flags name, or with these attacks; all of it, or a part on a machine of its own. */
export async function evaluated(
  bytes: Uint8Array,
  dataset: Dataset,
  flags: Flags,
  attacks?: readonly AttackSpec[],
  { shard, cpu }: { readonly shard?: Shard; readonly cpu?: string } = {},
): Promise<Results> {
  const { threats, suite: named, seed, preprocessing, limits } = parseConfig({ flags })
  const suite = attacks ? { name: 'custom', version: 1, attacks } : named
  const model = { name: 'model.onnx', bytes, external: {} }
  const request = { model, dataset, preprocessing, threats, suite, seed, limits, toolVersion: 'test', shard }
  return evaluate(request, { ...effects(), ...(cpu !== undefined && { cpu }) })
}

export const codes = ({ flags }: Results): readonly string[] => [...new Set(flags.map(({ code }) => code))]
