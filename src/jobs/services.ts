import type { Config } from '../config/types.js'
import type { EvaluationStore } from '../evaluationStore.js'
import type { GateRun } from '../gate.js'
import type { StorageEffects } from '../github/artifacts.js'
import type { ArtifactStore } from '../github/artifactStore.js'
import type { Client } from '../github/client.js'
import type { Context, Environment } from '../github/context.js'
import type { Inputs } from '../github/inputs.js'
import type { Report } from '../github/publication.js'
import type { Host } from '../host.js'

/** What the runner hears from a job. Messages may hold what a stranger wrote; the log makes them harmless. */
export interface Log {
  info(message: string): void
  warning(message: string): void
  error(message: string): void
  /** Text of several lines in which no line may be taken for a command of the runner. */
  block(text: string): void
}

/** What a job reaches beyond its own values, handed in by main.ts. */
export interface Services extends StorageEffects {
  readonly environment: Environment
  readonly host: Host
  readonly log: Log
  readonly setOutput: (name: string, value: string) => void
  /** Adds markdown to the job's page. */
  readonly writeSummary: (markdown: string) => Promise<void>
  /** GitHub's interface for this repository; undefined without a token. */
  readonly client?: Client
  /** Evaluations of earlier runs; undefined where none are kept. */
  readonly store?: EvaluationStore
  /** Undefined where artifacts cannot be uploaded. */
  readonly artifacts?: ArtifactStore
}

/** One run of the action: what it was asked, and where. */
export interface Run {
  readonly inputs: Inputs
  readonly context: Context
  /** Absolute. */
  readonly workspace: string
  readonly services: Services
}

/** What was found out: a report always, because a comment of an earlier run must not go on saying what is no longer true. */
export type Measured =
  { readonly report: Report; readonly files: GateRun['files'] } | { readonly report: Report; readonly error: unknown }

export interface Judged {
  readonly measured: Measured
  readonly publish: Config['publish']
  /** The candidate as the config names it; undefined where none could be read. */
  readonly model?: string
}
