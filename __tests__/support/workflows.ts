import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { readInputs } from '../../src/github/inputs.js'

/** The workflows of this repository, and those that people copy. */

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly if?: string
  readonly with?: Readonly<Record<string, string | number | boolean>>
}

export interface Job {
  readonly permissions?: object
  readonly needs?: string
  readonly if?: string
  readonly 'timeout-minutes'?: number
  readonly steps: readonly Step[]
}

interface Trigger {
  readonly types?: readonly string[]
  readonly branches?: readonly string[]
  readonly workflows?: readonly string[]
}

interface Workflow {
  readonly name: string
  readonly on: Readonly<Record<string, Trigger>>
  readonly permissions?: object
  readonly concurrency?: { readonly 'cancel-in-progress': string | boolean }
  readonly jobs: Readonly<Record<string, Job>>
}

const filesIn = (folder: string) => readdirSync(folder).map((name) => join(folder, name))
export const documented = filesIn('docs/workflows')
export const everyFile = [...documented, ...filesIn('.github/workflows')]

export function read(path: string): Workflow {
  return parse(readFileSync(path, 'utf8')) as Workflow
}

export function stepsOf(path: string): readonly Step[] {
  // A job that is another workflow has no steps.
  return Object.values(read(path).jobs).flatMap(({ steps = [] }: Partial<Job>) => steps)
}

export function gatesOf(path: string): readonly Step[] {
  return stepsOf(path).filter(isGate)
}

export function isGate({ uses }: Step): boolean {
  return uses === './' || uses?.includes('/robustness-gate@') === true
}

/** What a workflow says of the gate, but for what an expression puts in. */
export function settingsOf({ with: given = {} }: Step) {
  return readInputs((name) => (/\$\{\{/.test(String(given[name])) ? '' : String(given[name] ?? ''))).settings
}
