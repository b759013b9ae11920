import { kebabCase } from '../config/keys.js'
import { settingNames } from '../config/schema.js'

/** The inputs of action.yml. */
export interface Inputs {
  /** Settings by name, as `parseConfig` takes them; empty text was not given. */
  readonly settings: Readonly<Record<string, string>>
  /** Path of the config file, relative to the workspace; empty without one. */
  readonly config: string
  readonly token: string
  readonly outputDir: string
}

/** Settings that text cannot hold; the config file can. */
const onlyInFile: readonly string[] = ['threats']

/** The settings a workflow can give as inputs. */
export const inputSettings: readonly string[] = settingNames.filter((name) => !onlyInFile.includes(name))

/** @param getInput - Of `@actions/core`: the text of an input, empty when it was not given. */
export function readInputs(getInput: (name: string) => string): Inputs {
  return {
    settings: Object.fromEntries(inputSettings.map((name) => [name, getInput(kebabCase(name))])),
    config: getInput('config'),
    token: getInput('github-token'),
    outputDir: getInput('output-dir') || 'robustness-gate-results',
  }
}
