import { CommanderError } from 'commander'
import { EvaluationError, UsageError } from '../errors.js'
import { messageOf, oneLine } from '../text.js'

/** What the program leaves behind: 0 pass · 1 regression · 2 bad usage · 3 the evaluation broke. */
export type ExitStatus = 0 | 1 | 2 | 3

export interface Failure {
  readonly status: ExitStatus
  /** For stderr; undefined when there is nothing to say (`--help` ends by an exception, too). */
  readonly line?: string
}

/** What to say of an exception, on one line, and which status to end with. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return { status: 0 }
    // No command was named, and the help has been printed.
    if (error.code === 'commander.help') return { status: 2 }
    return { status: 2, line: `${tidy(error.message)} (see robustness-gate --help)` }
  }
  const message = oneLine(messageOf(error))
  if (error instanceof UsageError) return { status: 2, line: message }
  if (error instanceof EvaluationError) return { status: 3, line: message }
  return { status: 3, line: `internal error: ${message} (--verbose shows where; please report it)` }
}

function tidy(message: string): string {
  return oneLine(message.replace(/^error: /, ''))
}
