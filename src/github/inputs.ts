import { kebabCase } from '../config/keys.js'
import { settingNames } from '../config/schema.js'
import { UsageError } from '../errors.js'
import { parseShard } from '../evaluation/shards.js'
import type { Shard } from '../evaluation/shards.js'
import { oneLine } from '../text.js'

/** The inputs of action.yml. */
export interface Inputs {
  /** Settings by name, as `parseConfig` takes them; empty text was not given. */
  readonly settings: Readonly<Record<string, string>>
  /** Path of the config file, relative to the workspace; empty without one. */
  readonly config: string
  readonly token: string
  readonly outputDir: string
  /** `gate` evaluates and judges; `merge` judges what shards have evaluated; `publish` tells what another run reported. */
  readonly mode: Mode
  /** Name of the artifact that holds that run's results; empty for the only one there is. */
  readonly artifact: string
  readonly allowUnsafePullRequestTarget: boolean
  /** Say what would be run, and run nothing. */
  readonly dryRun: boolean
  /** Upload what the gate writes as an artifact. */
  readonly upload: boolean
  /** Recall what exactly this was found to be by an earlier run. */
  readonly cache: boolean
  /** Evaluate this part of the images, and leave the verdict to `mode: merge`. */
  readonly shard?: Shard
  /** Folder with what the shards have written, relative to the workspace; empty to fetch this run's artifacts. */
  readonly results: string
  /** Folder of an installed onnxruntime-node that runs the models; empty for the action's own. */
  readonly onnxruntime: string
  /** Sent to the server that has the data; empty for none. */
  readonly dataToken: string
  /** No input: the one of the config's `models` that a run is narrowed to. */
  readonly listed?: string
}

export type Mode = 'gate' | 'merge' | 'publish'

/** Settings that text cannot hold; the config file can. */
const onlyInFile: readonly string[] = ['threats']

/** The settings a workflow can give as inputs. */
export const inputSettings: readonly string[] = settingNames.filter((name) => !onlyInFile.includes(name))

/**
 * @param getInput - Of `@actions/core`: the text of an input, empty when it was not given.
 * @throws UsageError for a mode that does not exist, and for a shard or an upload that is none or of another mode.
 */
export function readInputs(getInput: (name: string) => string): Inputs {
  const mode = oneOf('mode', getInput('mode') || 'gate', ['gate', 'merge', 'publish'])
  const shard = getInput('shard')
  if (shard !== '' && mode !== 'gate')
    throw new UsageError(`input shard: is for mode: gate, not ${mode}; give it to the jobs that evaluate`)
  const upload = oneOf('upload', getInput('upload') || 'false', ['true', 'false']) === 'true'
  if (upload && mode === 'publish')
    throw new UsageError('input upload: is for the run that evaluates; mode: publish posts what that one has uploaded')
  return {
    settings: Object.fromEntries(inputSettings.map((name) => [name, getInput(kebabCase(name))])),
    config: getInput('config'),
    token: getInput('github-token'),
    outputDir: getInput('output-dir') || 'robustness-gate-results',
    mode,
    artifact: getInput('artifact'),
    allowUnsafePullRequestTarget: oneOf(unsafe, getInput(unsafe) || 'false', ['true', 'false']) === 'true',
    dryRun: oneOf('dry-run', getInput('dry-run') || 'false', ['true', 'false']) === 'true',
    upload,
    cache: oneOf('cache', getInput('cache') || 'true', ['true', 'false']) === 'true',
    ...(shard !== '' && { shard: parseShard(shard, 'input shard') }),
    results: getInput('results'),
    onnxruntime: getInput('onnxruntime'),
    dataToken: getInput('data-token'),
  }
}

const unsafe = 'allow-unsafe-pull-request-target'

function oneOf<Choice extends string>(input: string, given: string, choices: readonly Choice[]): Choice {
  const chosen = choices.find((choice) => choice === given.trim())
  if (chosen !== undefined) return chosen
  throw new UsageError(`input ${input}: "${oneLine(given, 60)}" is none of ${choices.join(', ')}`)
}
