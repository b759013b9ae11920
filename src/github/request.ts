import { relative, resolve } from 'node:path'
import { parseConfig } from '../config/parse.js'
import type { Config } from '../config/types.js'
import { locateData } from '../data/locate.js'
import type { RawData } from '../data/types.js'
import type { ModelBytes } from '../engine/messages.js'
import { UsageError } from '../errors.js'
import { readModelFile } from '../evaluation/modelFile.js'
import type { FindBase } from './base.js'
import { baselineFile, findBaseline } from './baseline.js'
import type { Baseline } from './baseline.js'
import type { Event } from './context.js'
import { changesOf, readConfigFile } from './governed.js'
import type { Inputs } from './inputs.js'
import type { LocateInGit } from './workspace.js'

/** Where a run reads from. */
export interface Place {
  /** Absolute; paths in inputs and config start here. */
  readonly workspace: string
  readonly event: Event
  readonly findBase: FindBase
  readonly locate: LocateInGit
}

export interface Request {
  readonly candidate: ModelBytes
  readonly baseline: Baseline
  readonly data: RawData
  /** What a reader has to know of where all this came from; one sentence each. */
  readonly notes: readonly string[]
}

/** Inputs and config file to one configuration. @throws UsageError */
export async function readConfig(inputs: Inputs, { workspace, event, findBase, locate }: Place): Promise<Config> {
  const file =
    inputs.config === ''
      ? undefined
      : await readConfigFile(resolve(workspace, inputs.config), workspace, isGuarded(event), findBase, locate)
  const config = parseConfig({ file, flags: inputs.settings, flagsAre: 'inputs' })
  const inWorkspace = (path: string | undefined) => (path === undefined ? undefined : resolve(workspace, path))
  const { classNames, labels } = config.dataOptions
  return {
    ...config,
    dataOptions: { ...config.dataOptions, classNames: inWorkspace(classNames), labels: inWorkspace(labels) },
  }
}

/** Reads the bytes of the models and the data; none is parsed. @throws UsageError */
export async function readRequest(config: Config, inputs: Inputs, place: Place): Promise<Request> {
  const { workspace, event, findBase, locate } = place
  const model = resolve(workspace, required(config.model, 'model', 'the path of the ONNX file in the workspace'))
  const dataPath = resolve(workspace, required(config.data, 'data', 'the images to attack: .npz, a folder, IDX or CSV'))
  const candidate = await readModelFile(model, relative(workspace, model))
  const data = await locateData(dataPath, config.dataOptions, config.samples)
  const spec = config.baseline ?? 'auto'
  const baseline = await findBaseline({ spec, model, workspace, guarded: isGuarded(event) }, findBase, locate)
  const governing = {
    config: inputs.config === '' ? undefined : resolve(workspace, inputs.config),
    baseline: baselineFile({ spec, workspace }),
    data: dataPath,
  }
  return {
    candidate,
    baseline,
    data,
    notes: [
      ...('reason' in baseline ? [baseline.reason] : []),
      ...(isGuarded(event) ? await changesOf(governing, findBase, locate) : []),
    ],
  }
}

/** Only these two carry changes that nobody has merged yet. */
function isGuarded({ kind }: Event): boolean {
  return kind === 'pull_request' || kind === 'merge_group'
}

function required(value: string | undefined, input: string, what: string): string {
  if (value !== undefined) return value
  throw new UsageError(`input ${input} is missing; give ${what}`)
}
