import { parse, YAMLError } from 'yaml'
import { UsageError } from '../errors.js'
import { knownKeys } from './keys.js'
import { modelList } from './models.js'
import type { ListedModel } from './models.js'
import { settingNames } from './schema.js'

/** A config file, YAML or JSON. */
export interface ConfigFile {
  /** For messages. */
  readonly name: string
  readonly text: string
}

/** What a config file says, by the settings' camelCase names; the values are not checked yet. */
export interface Written {
  readonly settings: Readonly<Record<string, unknown>>
  /** Where the file has a list of models: their own settings. */
  readonly models?: readonly ListedModel[]
}

/** @throws UsageError for what is no YAML, and for keys that are not known. */
export function parseFile(file: ConfigFile): Written {
  const value = parsedYaml(file)
  if (value === null || value === undefined) return { settings: {} }
  if (typeof value !== 'object' || Array.isArray(value))
    throw new UsageError(`config ${file.name}: must hold keys and values, like "epsilon: 8/255"`)
  return within(`config ${file.name}`, () => {
    const { models, ...settings } = knownKeys({ ...value }, [...settingNames, 'models'])
    return { settings, ...(models !== undefined && { models: modelList(models, settings) }) }
  })
}

function parsedYaml({ name, text }: ConfigFile): unknown {
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

/** Says of a mistake where it was made. */
export function within<T>(place: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`${place}: ${error.message}`) : error
  }
}

export function firstLine(message: string): string {
  return message.split('\n')[0].replace(/:$/, '')
}
