import { spawn } from 'node:child_process'
import { keepLastOutput } from '../sandbox/lastOutput.js'
import { oneLine } from '../text.js'

/** For 100 MB on a slow line. */
const within = 600_000

/**
 * The machine's npm client. It runs in a folder of its own, so that no `.npmrc` of a pull request is asked, and gets neither the
 * inputs of the action nor the runner's tokens; its user's settings hold.
 */
export function npmClient(environment: Readonly<Record<string, string | undefined>>, platform: string) {
  const env = Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(INPUT|ACTIONS)_/i.test(name)))
  return (command: readonly string[], folder: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const options = { cwd: folder, env, signal: AbortSignal.timeout(within) }
      const stdio = ['ignore', 'pipe', 'pipe'] as const
      // On Windows npm is a script, which only a shell starts; every word of the command is ours, and none has a blank.
      const child =
        platform === 'win32'
          ? spawn(['npm', ...command].join(' '), [], { ...options, stdio: [...stdio], shell: true })
          : spawn('npm', command, { ...options, stdio: [...stdio] })
      const output = keepLastOutput(child.stdout, child.stderr)
      child.on('error', (error: NodeJS.ErrnoException) =>
        reject(new Error(troubles[error.code ?? ''] ?? error.message)),
      )
      child.on('close', (code, signal) => {
        if (code === 0) resolve()
        else
          reject(
            new Error(
              oneLine(lastError(output()) || lastLine(output())) || `it ended with ${signal ?? `status ${code}`}`,
            ),
          )
      })
    })
}

const troubles: Readonly<Record<string, string>> = {
  ENOENT: 'there is no npm on this machine',
  ABORT_ERR: `it took more than ${within / 60_000} minutes`,
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1) ?? ''
}

/** npm says what went wrong before it says where its log is. */
function lastError(output: string): string {
  const lines = output.split('\n').filter((line) => /^npm (error|ERR!)/.test(line))
  const telling = lines.filter((line) => !/complete log of this run|^npm (error|ERR!)\s+\//.test(line))
  return telling
    .slice(0, 3)
    .map((line) => line.replace(/^npm (error|ERR!)\s*/, ''))
    .join(' ')
}
