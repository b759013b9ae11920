import type { ConfigSources } from '../config/parse.js'
import { listedModels, parseConfig } from '../config/parse.js'
import { settingNames } from '../config/schema.js'
import type { Config } from '../config/types.js'
import { nodeFiles, readNamed } from '../data/files.js'
import { locateData } from '../data/locate.js'
import type { RawData } from '../data/types.js'
import { UsageError } from '../errors.js'
import { readModelFile } from '../evaluation/modelFile.js'
import type { Results } from '../evaluation/results.js'
import { parseAnyResults, parseResults } from '../evaluation/resultsFile.js'
import type { BaselineSource } from '../gate.js'

/** As commander gives them: by their camelCase names. */
export type Flags = Readonly<Record<string, string | undefined>>

/**
 * The flags and the config file they name.
 *
 * @param model - Which of the models that the file lists.
 */
export async function readConfig({ config: path, ...flags }: Flags, model?: string): Promise<Config> {
  const settings = Object.fromEntries(Object.entries(flags).filter(([name]) => settingNames.includes(name)))
  return parseConfig({ file: await readConfigFile(path), flags: settings, model })
}

/** The names of the models that the config file lists; none where it has no list. */
export async function readListed({ config: path }: Flags): Promise<readonly string[]> {
  return listedModels(await readConfigFile(path))
}

async function readConfigFile(path: string | undefined): Promise<ConfigSources['file']> {
  return path === undefined
    ? undefined
    : { name: path, text: new TextDecoder().decode(await readNamed(path, nodeFiles)) }
}

/** @throws UsageError when neither a flag nor the config file says it. */
export function required(value: string | undefined, flag: string, what: string): string {
  if (value !== undefined) return value
  throw new UsageError(`--${flag} is missing; give ${what}`)
}

export async function readData({ data, dataOptions, samples }: Config): Promise<RawData> {
  const path = required(data, 'data', 'the images to attack: .npz, a folder of images, IDX or CSV')
  return locateData(path, dataOptions, samples)
}

export async function readResults(path: string): Promise<Results> {
  return parseResults(new TextDecoder().decode(await readNamed(path, nodeFiles)), path)
}

/** Those of a shard, too. */
export async function readAnyResults(path: string): Promise<Results> {
  return parseAnyResults(new TextDecoder().decode(await readNamed(path, nodeFiles)), path)
}

/** A model, the results.json of one, or `none`. `path:` and `results:` of an action's config mean the same here. */
export async function readBaseline(baseline: string | undefined): Promise<BaselineSource> {
  const spec = required(baseline, 'baseline', 'the model to compare with, its results.json, or none')
  if (spec === 'none') return { kind: 'none' }
  if (spec === 'auto' || spec.startsWith('ref:'))
    throw new UsageError(`baseline ${spec} is for pull requests; on the command line give --baseline a file`)
  const path = spec.replace(/^(path|results):/, '')
  if (path.endsWith('.json')) return { kind: 'results', results: await readResults(path) }
  return { kind: 'model', model: await readModelFile(path) }
}
