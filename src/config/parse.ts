import type { core } from 'zod'
import { UsageError } from '../errors.js'
import { requireDefinedNorms } from './attackNorms.js'
import { threatOf } from './epsilon.js'
import { firstLine, parseFile, within } from './file.js'
import type { ConfigFile } from './file.js'
import { kebabCase, knownKeys, quote } from './keys.js'
import { checkNameOf, over } from './models.js'
import type { ListedModel } from './models.js'
import type { Settings } from './schema.js'
import { settingNames, SettingsSchema } from './schema.js'
import type { Config, Preprocessing, ThreatSpec } from './types.js'

export interface ConfigSources {
  readonly file?: ConfigFile
  /** Name of one of the file's `models`, where it lists them. */
  readonly model?: string
  /** Flags or action inputs, camelCase or kebab-case. Empty text counts as not given, as with an action's inputs. */
  readonly flags?: Readonly<Record<string, string | undefined>>
  /** How messages call a flag: `--epsilon` on the command line (the default), `input epsilon` in a workflow. */
  readonly flagsAre?: 'flags' | 'inputs'
}

/**
 * Inputs, file and flags to one typed configuration. Flags win over the file, the file over the defaults.
 *
 * @throws UsageError of one line: which file or flag, which key, what is wrong with it, what to write.
 */
export function parseConfig(sources: ConfigSources): Config {
  const flags = flagSettings(sources)
  const file = sources.file && parseFile(sources.file)
  const listed = file?.models && chosen(file.models, flags, sources)
  for (const written of [file?.settings, listed?.settings]) refuseTwoKinds(written, sources)
  const merged = over(over(file?.settings ?? {}, listed?.settings ?? {}), flags)
  if (listed !== undefined)
    merged.checkName =
      flags.checkName === undefined
        ? checkNameOf(listed, file?.settings ?? {})
        : checkNameOf({ name: listed.name, settings: {} }, flags)
  const parsed = SettingsSchema.safeParse(merged)
  if (parsed.success) return configOf(parsed.data)
  const issue = parsed.error.issues[0]
  const key = String(issue.path[0])
  throw new UsageError(key in flags ? aboutFlag(key, issue, sources) : aboutFile(issue, sources, listed))
}

/**
 * The names of a config file's `models`, each a gate of its own; none where it has no such list.
 *
 * @throws UsageError
 */
export function listedModels(file: ConfigFile | undefined): readonly string[] {
  return file === undefined ? [] : (parseFile(file).models ?? []).map(({ name }) => name)
}

function chosen(
  models: readonly ListedModel[],
  flags: Readonly<Record<string, unknown>>,
  { file, flagsAre, model }: ConfigSources,
): ListedModel {
  const place = `config ${file?.name}`
  if ('model' in flags)
    throw new UsageError(
      `${place}: lists models, and ${flagsAre === 'inputs' ? 'the input model' : 'a flag'} names another; keep one of both`,
    )
  const found = models.find(({ name }) => name === model)
  if (found !== undefined) return found
  throw new UsageError(
    model === undefined
      ? `${place}: lists models, which only a gate takes, one after the other; leave the list out here`
      : `${place}: lists no model ${quote(model)}`,
  )
}

function refuseTwoKinds(written: Readonly<Record<string, unknown>> = {}, { file }: ConfigSources): void {
  if ('threats' in written && ('epsilon' in written || 'norm' in written))
    throw new UsageError(`config ${file?.name}: threats and norm/epsilon exclude each other; keep threats`)
}

function flagSettings(sources: ConfigSources): Record<string, unknown> {
  const given = Object.entries(sources.flags ?? {}).filter(([, value]) => value !== undefined && value.trim() !== '')
  return within(sources.flagsAre === 'inputs' ? 'inputs' : 'flags', () =>
    knownKeys(Object.fromEntries(given), settingNames),
  )
}

function aboutFlag(key: string, issue: core.$ZodIssue, { flagsAre }: ConfigSources): string {
  return `${flagsAre === 'inputs' ? 'input ' : '--'}${kebabCase(key)}: ${firstLine(issue.message)}`
}

function aboutFile(issue: core.$ZodIssue, { file }: ConfigSources, listed?: ListedModel): string {
  const own = listed !== undefined && String(issue.path[0]) in listed.settings
  const place = issue.path.reduce<string>(
    (path, part) =>
      typeof part === 'number' ? `${path}[${part}]` : path === '' ? String(part) : `${path}.${String(part)}`,
    '',
  )
  return `config ${file?.name}: ${own ? `${listed.place}.` : ''}${place}: ${firstLine(issue.message)}`
}

function configOf(settings: Settings): Config {
  const preprocessing: Preprocessing = {
    mean: settings.mean,
    std: settings.std,
    layout: settings.inputLayout,
    channelOrder: settings.channelOrder,
  }
  const baselinePreprocessing: Preprocessing = {
    mean: settings.baselineMean ?? preprocessing.mean,
    std: settings.baselineStd ?? preprocessing.std,
    layout: settings.baselineInputLayout ?? preprocessing.layout,
    channelOrder: settings.baselineChannelOrder ?? preprocessing.channelOrder,
  }
  requireEqualLengths(preprocessing, 'mean and std')
  requireEqualLengths(baselinePreprocessing, 'baseline-mean and baseline-std')
  const threats = threatsOf(settings)
  requireDefinedNorms(settings.suite, threats)
  return {
    model: settings.model,
    baseline: settings.baseline,
    data: settings.data,
    dataOptions: {
      range: settings.range,
      layout: settings.layout,
      shape: settings.shape,
      resize: settings.resize,
      crop: settings.crop,
      channels: settings.channels,
      classNames: settings.classNames,
      labels: settings.labels,
    },
    samples: settings.samples,
    quantised: settings.quantised,
    seed: settings.seed,
    preprocessing,
    baselinePreprocessing,
    threats,
    suite: settings.suite,
    policy: {
      maxRobustDrop: settings.maxRobustDrop,
      maxCleanDrop: settings.maxCleanDrop,
      cleanBudget: settings.cleanBudget,
      minRobustAccuracy: settings.minRobustAccuracy,
      minCleanAccuracy: settings.minCleanAccuracy,
      decision: settings.decision,
      significance: settings.significance,
      failOn: settings.failOn,
      onMissingBaseline: settings.onMissingBaseline,
    },
    limits: { seconds: settings.timeLimit, workers: workersOf(settings), batch: settings.batch },
    executionProvider: settings.executionProvider,
    publish: {
      comment: settings.comment,
      checkName: settings.checkName,
      acceptLabel: settings.acceptLabel === 'none' ? undefined : settings.acceptLabel,
    },
  }
}

/** Processes share a graphics card badly: each would hold a copy of the model and of the runtime there. */
function workersOf({ workers, executionProvider }: Settings): number | undefined {
  return workers ?? (executionProvider === 'cuda' ? 1 : undefined)
}

function requireEqualLengths({ mean, std }: Preprocessing, names: string): void {
  if (mean.length === std.length || mean.length === 1 || std.length === 1) return
  throw new UsageError(
    `${names} have ${mean.length} and ${std.length} values; write one for each channel, or one for all`,
  )
}

function threatsOf(settings: Settings): readonly ThreatSpec[] {
  const balls = settings.threats ?? [{ norm: settings.norm, epsilon: settings.epsilon }]
  const threats = balls.flatMap(({ norm, epsilon }) => epsilon.map((each) => threatOf(norm, each)))
  const twice = threats.find(({ id }, place) => threats.findIndex((other) => other.id === id) !== place)
  if (twice !== undefined) throw new UsageError(`the threat ${twice.id} is given twice; keep one`)
  const [low, high] = settings.range
  const whole = threats.find(({ norm, epsilon }) => norm === 'linf' && epsilon > high - low)
  if (whole !== undefined)
    throw new UsageError(
      `epsilon ${quote(whole.epsilon)} is wider than the pixels' range ${low}…${high}; ` +
        `write it in the range's units, like ${high - low === 1 ? '8/255' : '8'}`,
    )
  return threats
}
