import { oneLine } from '../text.js'

/** Why a child is no more. */
export type ExitCause =
  /** Ended by itself with status 0. */
  | { readonly reason: 'finished' }
  | { readonly reason: 'crashed'; readonly signal: NodeJS.Signals | null; readonly code: number | null }
  | { readonly reason: 'timed-out'; readonly seconds: number }
  /** By us, on purpose. */
  | { readonly reason: 'killed' }
  /** It said something outside its protocol and was killed for it. */
  | { readonly reason: 'bad-reply'; readonly problem: string }
  | { readonly reason: 'not-started'; readonly problem: string }

/** `output`: the last 4 kB of its stdout and stderr. */
export type Exit = ExitCause & { readonly output: string }

const CLUE_CHARACTERS = 300

/**
 * One line for people.
 *
 * @param doing what the child was at, for the middle of a sentence: `evaluating model.onnx`
 */
export function describeExit(exit: Exit, doing: string): string {
  switch (exit.reason) {
    case 'finished':
      return `The child process ended before it was done with ${doing}${clue(exit)}.`
    case 'timed-out':
      return `No answer within ${exit.seconds} s while ${doing}: raise the time limit (time-limit), or give it less to do.`
    case 'killed':
      return `The child process was stopped while ${doing}.`
    case 'bad-reply':
      return `The child process gave a reply that is not possible while ${doing}: ${oneLine(exit.problem)}.`
    case 'not-started':
      return `The child process for ${doing} could not be started: ${oneLine(exit.problem)}.`
    case 'crashed':
      return `${crash(exit.signal, exit.code)} while ${doing}${clue(exit)}.`
  }
}

/** Windows has no signals: what crashes ends with an NTSTATUS of severity 3 ([MS-ERREF] 2.3). */
const windowsError = 0xc0000000

function crash(signal: NodeJS.Signals | null, code: number | null): string {
  if (signal === null && code !== null && code >= windowsError)
    return `Native code crashed the child process (0x${code.toString(16).toUpperCase()})`
  if (signal === null) return `The child process failed with status ${code ?? 'unknown'}`
  if (signal === 'SIGKILL')
    return 'The child process was killed from outside (SIGKILL), most likely for want of memory,'
  if (signal === 'SIGINT' || signal === 'SIGTERM' || signal === 'SIGHUP') return `Interrupted (${signal})`
  return `Native code crashed the child process (${signal})`
}

/** An uncaught error's own line if there is one, else the last line. */
function clue({ output }: Exit): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  const line = lines.findLast((text) => /^\w*Error\b/.test(text)) ?? lines.at(-1)
  return line === undefined ? '' : `; it last said: ${oneLine(line, CLUE_CHARACTERS)}`
}
