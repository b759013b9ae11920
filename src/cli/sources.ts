import type { ConfigSources } from '../config/parse.js'
import { listedModels, parseConfig } from '../config/parse.js'
import { settingNames } from '../config/schema.js'
import type { Config } from '../config/types.js'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { nodeFiles, readNamed } from '../data/files.js'
import { locateData } from '../data/locate.js'
import type { RawData } from '../data/types.js'
import { UsageError } from '../errors.js'
import { readModelFile } from '../evaluation/modelFile.js'
import type { ModelFile } from '../evaluation/modelFile.js'
import type { Results } from '../evaluation/results.js'
import { parseAnyResults, parseResults } from '../evaluation/resultsFile.js'
import type { BaselineSource } from '../gateSources.js'
import { refuseUnpulled } from '../github/dvc.js'
import { fetchedModel, openAddress } from '../github/remoteSources.js'
import { isAddress } from '../remote/address.js'
import { mounted } from '../remote/files.js'
import type { Located } from '../remote/files.js'
import { pause } from '../remote/pause.js'

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

/** A file, or one behind `https://…#sha256=…`. */
export async function readModel(path: string): Promise<ModelFile> {
  const fetched = await fetchedFrom(path, 'model')
  if (fetched !== undefined) return fetchedModel(fetched)
  await refuseUnpulledHere({ model: path })
  return readModelFile(path)
}

export async function readData({ data, dataOptions, samples }: Config): Promise<RawData> {
  const path = required(data, 'data', 'the images to attack: .npz, a folder of images, IDX or CSV')
  // No flag: those of a command are seen by everybody on the machine.
  const fetched = await fetchedFrom(path, 'data', process.env.ROBUSTNESS_GATE_DATA_TOKEN || undefined)
  if (fetched === undefined) {
    const { labels, classNames } = dataOptions
    await refuseUnpulledHere({ data: path, labels, 'class-names': classNames })
    return locateData(path, dataOptions, samples)
  }
  return locateData(`/fetched${fetched.path}`, dataOptions, samples, mounted('/fetched', fetched.files, nodeFiles))
}

/** @throws UsageError for files below the working directory that DVC keeps. */
async function refuseUnpulledHere(named: Readonly<Record<string, string | undefined>>): Promise<void> {
  const paths = Object.entries(named).map(([setting, path]) => [setting, path && resolve(path)] as const)
  await refuseUnpulled(Object.fromEntries(paths), process.cwd())
}

async function fetchedFrom(path: string, setting: string, token?: string): Promise<Located | undefined> {
  if (/^(release|artifact):/.test(path))
    throw new UsageError(`${setting} ${path}: is for pull requests; on the command line give a file or an address`)
  return isAddress(path) ? openAddress(path, setting, { fetch, pause, temporary: tmpdir() }, token) : undefined
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
  const fetched = await fetchedFrom(spec, 'baseline')
  if (fetched?.name.endsWith('.json')) {
    const text = new TextDecoder().decode(await readNamed(fetched.path, fetched.files))
    return { kind: 'results', results: parseResults(text, fetched.name) }
  }
  if (fetched !== undefined) return { kind: 'model', model: await fetchedModel(fetched) }
  const path = spec.replace(/^(path|results):/, '')
  await refuseUnpulledHere({ baseline: path })
  if (path.endsWith('.json')) return { kind: 'results', results: await readResults(path) }
  return { kind: 'model', model: await readModelFile(path) }
}
