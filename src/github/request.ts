import { relative, resolve, sep } from 'node:path'
import { listedModels, parseConfig } from '../config/parse.js'
import type { Config } from '../config/types.js'
import { nodeFiles, withSlashes } from '../data/files.js'
import type { Files } from '../data/files.js'
import { locateData } from '../data/locate.js'
import type { RawData } from '../data/types.js'
import type { ModelBytes } from '../engine/messages.js'
import { UsageError } from '../errors.js'
import { readModelFile } from '../evaluation/modelFile.js'
import { mounted } from '../remote/files.js'
import { oneLine } from '../text.js'
import { artifactName } from './artifactName.js'
import { fileIn, parseArtifactSpec } from './artifactReader.js'
import type { ArtifactReader, ArtifactSpec } from './artifactReader.js'
import type { FindBase } from './base.js'
import { candidateOrigin } from './candidateOrigin.js'
import type { RemoteCommit } from './contents.js'
import type { Baseline, BaselineOrigin } from './baseline.js'
import { baselineFile } from './baselineRequest.js'
import type { Event } from './context.js'
import { refuseUnpulled } from './dvc.js'
import { findBaseline } from './findBaseline.js'
import { changesOf, readConfigFile } from './governed.js'
import type { ConfigText, Governing } from './governed.js'
import type { Inputs } from './inputs.js'
import { refuseMoved } from './movedModel.js'
import { fetchedModel, isRemote } from './remoteSources.js'
import type { OpenRemote } from './remoteSources.js'
import { refuseOtherSpelling } from './spelling.js'
import { refuseLinks } from './workspace.js'
import type { LocateInGit } from './workspace.js'

/** Where a run reads from. */
export interface Place {
  /** Absolute; paths in inputs and config start here. */
  readonly workspace: string
  readonly event: Event
  readonly findBase: FindBase
  readonly locate: LocateInGit
  readonly openRemote: OpenRemote
  /** Undefined without a token. */
  readonly artifacts?: ArtifactReader
  /** Likewise; for a workspace that is no clone. */
  readonly remote?: RemoteCommit
}

export interface Request {
  readonly candidate: ModelBytes
  readonly baseline: Baseline
  readonly data: RawData
  /** Where the models came from. */
  readonly origins: {
    readonly candidate: { readonly commit?: string; readonly how?: string }
    readonly baseline?: BaselineOrigin
  }
  /** What a reader has to know of where all this came from; one sentence each. */
  readonly notes: readonly string[]
  /** What could not be found out. */
  readonly warnings: readonly string[]
}

/** Inputs and config file to one configuration. @throws UsageError */
export async function readConfig(inputs: Inputs, place: Place): Promise<Config> {
  const { workspace } = place
  const file = await readFileOf(inputs, place)
  const config = parseConfig({ file, flags: inputs.settings, flagsAre: 'inputs', model: inputs.listed })
  const inWorkspace = (name: string | undefined) => (name === undefined ? undefined : resolve(workspace, name))
  const { classNames, labels } = config.dataOptions
  return {
    ...config,
    dataOptions: { ...config.dataOptions, classNames: inWorkspace(classNames), labels: inWorkspace(labels) },
  }
}

/** The names of the models that the config file lists; none where it has no list. @throws UsageError */
export async function readListed(inputs: Inputs, place: Place): Promise<readonly string[]> {
  return listedModels(await readFileOf(inputs, place))
}

async function readFileOf(inputs: Inputs, place: Place): Promise<ConfigText | undefined> {
  const path = configFile(inputs, place)
  return path === undefined ? undefined : readGoverned(path, place)
}

/** Where to publish that the config cannot be read: under the name the inputs give, or the gate's own. */
export function publishingOf({ settings: { comment, checkName }, listed }: Inputs): Config['publish'] {
  const file = listed === undefined ? undefined : { name: '', text: JSON.stringify({ models: [{ name: listed }] }) }
  for (const flags of [{ comment, checkName }, { checkName }])
    try {
      return parseConfig({ file, model: listed, flags, flagsAre: 'inputs' }).publish
    } catch {
      // Then it is this input that was wrong.
    }
  return parseConfig({ file, model: listed }).publish
}

async function readGoverned(path: string, { workspace, event, findBase, locate, remote }: Place): Promise<ConfigText> {
  if (isGuarded(event)) await refuseLinks(path, workspace)
  await refuseOtherSpelling(path, workspace)
  return readConfigFile(path, workspace, isGuarded(event), findBase, locate, remote)
}

/** The file that the config names where the workflow names another; absolute. */
async function modelOfConfig(inputs: Inputs, place: Place): Promise<string | undefined> {
  const { settings, listed } = inputs
  if (!settings.model) return undefined
  const file = await readFileOf(inputs, place)
  const { model } = parseConfig({ file, flags: { ...settings, model: '' }, flagsAre: 'inputs', model: listed })
  return model === undefined || isFetched(model) ? undefined : resolve(place.workspace, model)
}

/** Reads the bytes of the models and the data; none is parsed. @throws UsageError */
export async function readRequest(config: Config, inputs: Inputs, place: Place): Promise<Request> {
  const { workspace, event, findBase, locate, artifacts } = place
  const guarded = isGuarded(event)
  const named = required(config.model, 'model', 'the path of the ONNX file in the workspace')
  const artifact = named.startsWith(byArtifact) ? parseArtifactSpec(named.slice(byArtifact.length)) : undefined
  const fetched = isRemote(named)
  const model = resolve(workspace, named)
  const dataNamed = required(config.data, 'data', 'the images to attack: .npz, a folder, IDX or CSV')
  const dataPath = isFetched(dataNamed) ? undefined : resolve(workspace, dataNamed)
  const spec = config.baseline ?? 'auto'
  const committed = baselineFile({ spec, workspace })
  const modelPath = artifact || fetched ? undefined : model
  const { labels, classNames } = config.dataOptions
  const known = [modelPath, committed, dataPath, labels, classNames]
  for (const path of known.filter((each) => each !== undefined)) {
    if (guarded) await refuseLinks(path, workspace)
    await refuseOtherSpelling(path, workspace)
  }
  await refuseUnpulled({ model: modelPath, data: dataPath, labels, 'class-names': classNames }, workspace)
  if (guarded && modelPath !== undefined && !inputs.settings.model)
    await refuseMoved(modelPath, named, () => readFileOf(inputs, place))
  const located = fetched ? await place.openRemote(named, 'model') : undefined
  const candidate = artifact
    ? await modelInArtifact(artifact, artifacts)
    : located
      ? await fetchedModel(located)
      : await readModelFile(model, withSlashes(relative(workspace, model)))
  const { path: dataAt, files: dataFiles } =
    dataPath === undefined ? await fetchedData(dataNamed, inputs, place) : { path: dataPath, files: nodeFiles }
  const recorded = recording(dataFiles)
  const data = await locateData(dataAt, config.dataOptions, config.samples, recorded.files)
  const ofData = (path: string) => path === dataAt || path.startsWith(dataAt + sep) || isInFetched(path)
  const beside = [...recorded.read].filter((path) => !ofData(path))
  // The label file of IDX images, which nobody named.
  if (guarded) for (const path of beside) await refuseLinks(path, workspace)
  const ownArtifact = artifactName(config.publish.checkName)
  const former = guarded && modelPath !== undefined ? await modelOfConfig(inputs, place) : undefined
  const asked = { spec, model, former, workspace, guarded, artifact, fetched, ownArtifact, remote: place.remote }
  const baseline = await findBaseline({ ...asked, openRemote: place.openRemote }, findBase, locate, artifacts)
  const configPath = configFile(inputs, place)
  const governing: readonly Governing[] = [
    ...(configPath === undefined ? [] : [{ kind: 'config' as const, path: configPath }]),
    ...(committed === undefined ? [] : [{ kind: 'baseline' as const, path: committed }]),
    ...(dataPath === undefined ? [] : [{ kind: 'data' as const, path: dataPath }]),
    ...beside.map((path) => ({
      kind: path === config.dataOptions.classNames ? ('class names' as const) : ('labels' as const),
      path,
    })),
  ]
  return {
    candidate,
    baseline,
    data,
    origins: {
      candidate: located
        ? { how: `fetched: ${located.how}` }
        : await candidateOrigin(artifact ? undefined : model, event, locate),
      ...('origin' in baseline && { baseline: baseline.origin }),
    },
    notes: [
      ...('reason' in baseline ? [baseline.reason] : []),
      ...(guarded ? await changesOf(governing, findBase, locate, place) : []),
    ],
    warnings: 'warning' in baseline && baseline.warning !== undefined ? [baseline.warning] : [],
  }
}

const byArtifact = 'artifact:'

/** What an earlier job of this run, such as training, has handed over. */
async function modelInArtifact(spec: ArtifactSpec, artifacts: ArtifactReader | undefined): Promise<ModelBytes> {
  const name = `artifact:${oneLine(spec.name, 100)}`
  const files = await filesInArtifact(spec, `model ${name}`, artifacts)
  const path = await fileIn(files, spec)
  return readModelFile(path, `${name}${path}`, files)
}

async function filesInArtifact(
  { name }: ArtifactSpec,
  shown: string,
  artifacts: ArtifactReader | undefined,
): Promise<Files> {
  if (artifacts === undefined) throw new UsageError(`${shown}: needs a github-token, with actions: read`)
  const found = await artifacts.ofThisRun(name)
  if (found === undefined)
    throw new UsageError(`${shown}: this run has no such artifact; upload it in a job that this one needs`)
  if (found.expired) throw new UsageError(`${shown}: has expired; run the job again that uploads it`)
  return artifacts.open(found)
}

function isFetched(written: string): boolean {
  return isRemote(written) || written.startsWith(byArtifact)
}

/** Where data that were fetched are shown, beside the files of the workspace. */
const fetchedFolder = '/fetched/'

function isInFetched(path: string): boolean {
  return withSlashes(path).startsWith(fetchedFolder)
}

/** Data that lie in no folder; labels and class names still may. */
async function fetchedData(
  written: string,
  { dataToken }: Inputs,
  { artifacts, openRemote }: Place,
): Promise<{ readonly path: string; readonly files: Files }> {
  if (!written.startsWith(byArtifact)) {
    const { path, files } = await openRemote(written, 'data', dataToken === '' ? undefined : dataToken)
    return { path: `${fetchedFolder}data${path}`, files: mounted(`${fetchedFolder}data`, files, nodeFiles) }
  }
  const spec = parseArtifactSpec(written.slice(byArtifact.length))
  const shown = oneLine(spec.name, 100)
  const files = await filesInArtifact(spec, `data artifact:${shown}`, artifacts)
  const [only, ...more] = await files.readdir('/')
  const inside = spec.path ?? (only !== undefined && more.length === 0 ? only : '')
  const folder = `${fetchedFolder}${shown}`
  return { path: inside === '' ? folder : `${folder}/${inside}`, files: mounted(folder, files, nodeFiles) }
}

function configFile({ config }: Inputs, { workspace }: Place): string | undefined {
  return config === '' ? undefined : resolve(workspace, config)
}

/** The same files, and the paths of those that were read. */
function recording(files: Files): { readonly files: Files; readonly read: ReadonlySet<string> } {
  const read = new Set<string>()
  const readFile = (path: string) => {
    read.add(path)
    return files.readFile(path)
  }
  return { files: { ...files, readFile }, read }
}

/** Only these two carry changes that nobody has merged yet. */
function isGuarded({ kind }: Event): boolean {
  return kind === 'pull_request' || kind === 'merge_group'
}

function required(value: string | undefined, input: string, what: string): string {
  if (value !== undefined) return value
  throw new UsageError(`input ${input} is missing; give ${what}`)
}
