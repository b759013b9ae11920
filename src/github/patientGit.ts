import type { Pause } from '../remote/pause.js'
import { Unreached } from '../remote/unreached.js'
import { lastLine } from './git.js'
import type { GitResult, RunGit } from './git.js'

/** Milliseconds before the second and the third attempt. */
const pauses = [1_000, 4_000] as const

/**
 * Git that asks a remote again which could not be reached, in any command that speaks to one: in a partial clone even
 * reading a file does.
 *
 * @throws Unreached when it refuses, or after the last attempt. What it has answered, such as that there is no such commit,
 *   is a result like any other.
 */
export function patientGit(git: RunGit, pause: Pause): RunGit {
  return async (args, input) => {
    for (let attempt = 0; ; attempt += 1) {
      const result = await git(args, input)
      const failure = failureOf(result)
      if (failure === undefined) return result
      if (failure === 'refused')
        throw new Unreached(
          `git was refused (${lastLine(result.stderr)}): check out with fetch-depth: 0, leave actions/checkout its credentials, or give the gate a github-token with contents: read`,
        )
      if (attempt === pauses.length)
        throw new Unreached(
          `git could not reach it, ${attempt + 1} times (${lastLine(result.stderr)}): run the job again`,
        )
      await pause(pauses[attempt])
    }
  }
}

/** What git says, with LC_ALL=C, of a remote that it had no answer of. A folder that is no repository is no such remote. */
function failureOf({ code, stderr }: GitResult): 'refused' | 'down' | undefined {
  if (code !== 128 || stderr.includes('does not appear to be a git repository')) return undefined
  if (refusals.test(stderr)) return 'refused'
  return outages.test(stderr) ? 'down' : undefined
}

/** 408 and 429 may go better next time. A private repository is not found by those who may not see it. */
const refusals =
  /^fatal: unable to access .* error: 4(?!08|29)\d\d$|^fatal: could not read (Username|Password) for|^fatal: Authentication failed|^fatal: repository .* not found$|: Permission denied \(|^Host key verification failed/m
const outages =
  /^fatal: unable to (access|connect)|^error: RPC failed|^fatal: (the|The) remote end hung up|^fatal: early EOF|^fatal: Could not read from remote repository/m
