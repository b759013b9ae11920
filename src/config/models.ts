import { UsageError } from '../errors.js'
import { knownKeys, quote } from './keys.js'
import { settingNames, SettingsSchema } from './schema.js'

/** An entry of a config file's list `models`: a gate of its own. */
export interface ListedModel {
  /** Names its check, its section and its folder. */
  readonly name: string
  /** What it says otherwise than the rest of the file, by the settings' camelCase names; not checked yet. */
  readonly settings: Readonly<Record<string, unknown>>
  /** For messages: `models[1]`. */
  readonly place: string
}

/** One job evaluates them one after the other; who has more wants a matrix. */
const mostModels = 64

/**
 * Reads the list `models` as far as it takes to tell its entries apart: what is wrong in one of them concerns its gate alone.
 *
 * @param common - The file's own settings, which are those of all of them.
 * @throws UsageError without the file's name.
 */
export function modelList(value: unknown, common: Readonly<Record<string, unknown>> = {}): readonly ListedModel[] {
  if (!Array.isArray(value) || value.length === 0)
    throw new UsageError('models: must be a list like [{name: digits, model: models/digits.onnx}]')
  if (value.length > mostModels) throw new UsageError(`models: are ${value.length}, more than ${mostModels}`)
  const models = value.map(listedModel)
  for (const what of ['name', 'checkName'] as const) {
    const names = models.map((model) => (what === 'name' ? model.name : checkNameOf(model, common)))
    const place = names.findIndex((name, at) => isTaken(name, names.slice(0, at)))
    if (place >= 0)
      throw new UsageError(`models[${place}].${what}: ${quote(names[place])} is taken; give each model its own`)
  }
  return models
}

/** A gate of its own has a check of its own: the name it gives itself, or the common one with its own behind. */
export function checkNameOf(
  { name, settings }: Pick<ListedModel, 'name' | 'settings'>,
  common: Readonly<Record<string, unknown>>,
): unknown {
  if ('checkName' in settings) return settings.checkName
  return `${String(common.checkName ?? SettingsSchema.parse({}).checkName)}: ${name}`
}

/** Folders of names that differ in capitals alone are one on some systems. */
function isTaken(name: unknown, others: readonly unknown[]): boolean {
  const folded = String(name).toLowerCase()
  return others.some((other) => String(other).toLowerCase() === folded)
}

function listedModel(value: unknown, at: number): ListedModel {
  const place = `models[${at}]`
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new UsageError(`${place}: must hold keys and values, like {name: digits, model: models/digits.onnx}`)
  try {
    const { name, ...settings } = knownKeys({ ...value }, ['name', ...settingNames])
    return { name: folderName(name), settings, place }
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`${place}: ${error.message}`) : error
  }
}

function folderName(value: unknown): string {
  if (typeof value === 'string' && /^(?=.{1,60}$)[a-z0-9](?:[\w.-]*[\w-])?$/i.test(value)) return value
  if (typeof value !== 'string' && value !== null && typeof value !== 'object' && value !== undefined)
    throw new UsageError(`name: ${quote(value)} is no text; put it in quotes: name: "${String(value)}"`)
  throw new UsageError(
    `name: ${quote(value)} cannot name a folder; write at most 60 letters, digits, ".", "-" and "_", a letter or digit first`,
  )
}

/** Settings over others: a threat that is given anew replaces those that were given before, however either was written. */
export function over(
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...before }
  if ('norm' in now || 'epsilon' in now) delete merged.threats
  if ('threats' in now) {
    delete merged.norm
    delete merged.epsilon
  }
  return { ...merged, ...now }
}
