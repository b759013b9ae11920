import { parse, YAMLError } from 'yaml'
import type { core } from 'zod'
import { UsageError } from '../errors.js'
import { requireDefinedNorms } from './attackNorms.js'
import { threatOf } from './epsilon.js'
import { kebabCase, knownKeys, quote } from './keys.js'
import type { Settings } from './schema.js'
import { settingNames, SettingsSchema } from './schema.js'
import type { Config, Preprocessing, ThreatSpec } from './types.js'

export interface ConfigSources {
  /** YAML or JSON; its name is for messages. */
  readonly file?: { readonly name: string; readonly text: string }
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
  const written = sources.file === undefined ? {} : fileSettings(sources.file)
  const flags = flagSettings(sources)
  const merged: Record<string, unknown> = { ...written, ...flags }
  // A threat given by flag replaces the file's list as a whole: the two could only be mixed by guessing.
  if ('norm' in flags || 'epsilon' in flags) delete merged.threats
  else if ('threats' in written && ('epsilon' in written || 'norm' in written))
    throw new UsageError(`config ${sources.file?.name}: threats and norm/epsilon exclude each other; keep threats`)
  const parsed = SettingsSchema.safeParse(merged)
  if (parsed.success) return configOf(parsed.data)
  const issue = parsed.error.issues[0]
  const key = String(issue.path[0])
  throw new UsageError(key in flags ? aboutFlag(key, issue, sources) : aboutFile(issue, sources))
}

function fileSettings(file: { readonly name: string; readonly text: string }): Record<string, unknown> {
  const value = parsedYaml(file)
  if (value === null || value === undefined) return {}
  if (typeof value !== 'object' || Array.isArray(value))
    throw new UsageError(`config ${file.name}: must hold keys and values, like "epsilon: 8/255"`)
  return within(`config ${file.name}`, () => knownKeys({ ...value }, settingNames))
}

function parsedYaml({ name, text }: { readonly name: string; readonly text: string }): unknown {
  if (text.length > 1_000_000) throw new UsageError(`config ${name}: larger than 1 MB; is it the right file?`)
  try {
    // A handful of aliases is plenty for a config; thousands are an attempt to fill the memory.
    return parse(text, { maxAliasCount: 100, logLevel: 'error' })
  } catch (error) {
    if (error instanceof YAMLError) {
      const place = error.linePos === undefined ? '' : ` line ${error.linePos[0].line}`
      throw new UsageError(`config ${name}:${place} is not valid YAML: ${firstLine(error.message)}`)
    }
    if (error instanceof ReferenceError) throw new UsageError(`config ${name}: ${firstLine(error.message)}`)
    throw error
  }
}

function flagSettings(sources: ConfigSources): Record<string, unknown> {
  const given = Object.entries(sources.flags ?? {}).filter(([, value]) => value !== undefined && value.trim() !== '')
  return within(sources.flagsAre === 'inputs' ? 'inputs' : 'flags', () =>
    knownKeys(Object.fromEntries(given), settingNames),
  )
}

function within<T>(place: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`${place}: ${error.message}`) : error
  }
}

function aboutFlag(key: string, issue: core.$ZodIssue, { flagsAre }: ConfigSources): string {
  return `${flagsAre === 'inputs' ? 'input ' : '--'}${kebabCase(key)}: ${firstLine(issue.message)}`
}

function aboutFile(issue: core.$ZodIssue, { file }: ConfigSources): string {
  const place = issue.path.reduce<string>(
    (path, part) =>
      typeof part === 'number' ? `${path}[${part}]` : path === '' ? String(part) : `${path}.${String(part)}`,
    '',
  )
  return `config ${file?.name}: ${place}: ${firstLine(issue.message)}`
}

function firstLine(message: string): string {
  return message.split('\n')[0].replace(/:$/, '')
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
    },
    limits: { seconds: settings.timeLimit, workers: settings.workers, batch: settings.batch },
    publish: { comment: settings.comment, checkName: settings.checkName },
  }
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
