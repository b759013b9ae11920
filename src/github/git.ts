import { spawn } from 'node:child_process'
import { UsageError } from '../errors.js'
import { Unreached } from '../remote/unreached.js'

export interface GitResult {
  readonly code: number
  readonly stdout: Uint8Array
  readonly stderr: string
}

/** Runs git in one repository. `input` goes to its standard input. */
export type RunGit = (args: readonly string[], input?: Uint8Array) => Promise<GitResult>

/** The weights of a large model come through Git LFS within this; a server that says nothing holds the job no longer. */
const TIME_LIMIT_SECONDS = 600

/** What of the environment git may see. The rest, tokens among it, stays with this process. */
const passedOn = [
  ...['PATH', 'HOME', 'USER', 'TMPDIR', 'TEMP', 'TMP', 'XDG_CONFIG_HOME', 'SystemRoot', 'USERPROFILE', 'ProgramFiles'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'SSH_AUTH_SOCK'],
]

/**
 * Git on the command line of the machine: an argument array, no shell, no prompt, nothing the user could have to answer.
 *
 * @param directory - Where git runs; anywhere inside the repository.
 * @param environment - Of this process.
 * @param configuration - Settings for these calls only. They travel in the environment, for a command line can be read
 *   by every process of the machine.
 */
export function gitIn(
  directory: string,
  environment: Readonly<Record<string, string | undefined>>,
  configuration: readonly (readonly [key: string, value: string])[] = [],
  timeLimitSeconds = TIME_LIMIT_SECONDS,
): RunGit {
  const env = gitEnvironment(environment, configuration)
  return (args, input) =>
    new Promise((resolve, reject) => {
      const child = spawn('git', args, { cwd: directory, env, stdio: ['pipe', 'pipe', 'pipe'] })
      const stdout: Buffer[] = []
      const stderr: Buffer[] = []
      child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
      child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
      const timer = setTimeout(() => {
        child.kill('SIGKILL')
        // What git has started may hold the pipes open for as long as it likes.
        child.stdout.destroy()
        child.stderr.destroy()
        reject(tookTooLong(args, timeLimitSeconds))
      }, timeLimitSeconds * 1000)
      child.on('error', (cause: NodeJS.ErrnoException) => {
        clearTimeout(timer)
        const missing = cause.code === 'ENOENT'
        reject(missing ? new UsageError(`git could not be started in ${directory}: install git on the runner`) : cause)
      })
      child.on('close', (code) => {
        clearTimeout(timer)
        const text = Buffer.concat(stderr).toString('utf8')
        if (text.includes('dubious ownership')) return reject(dubiousOwnership(directory))
        resolve({ code: code ?? 1, stdout: Buffer.concat(stdout), stderr: text })
      })
      // A git that ends without reading its input closes the pipe; its exit status tells what was wrong.
      child.stdin.on('error', () => {})
      child.stdin.end(input)
    })
}

function gitEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  configuration: readonly (readonly [key: string, value: string])[],
): Record<string, string> {
  const env: Record<string, string> = { GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' }
  for (const [name, value] of Object.entries(environment))
    if (value !== undefined && (passedOn.includes(name) || name.startsWith('GIT_'))) env[name] = value
  let count = Number(env.GIT_CONFIG_COUNT ?? 0)
  for (const [key, value] of configuration) {
    env[`GIT_CONFIG_KEY_${count}`] = key
    env[`GIT_CONFIG_VALUE_${count}`] = value
    count += 1
  }
  env.GIT_CONFIG_COUNT = String(count)
  return env
}

function dubiousOwnership(directory: string): UsageError {
  return new UsageError(
    `git refuses ${directory}, which another user owns: run "git config --global --add safe.directory ${directory}" in a step before the gate`,
  )
}

function tookTooLong(args: readonly string[], seconds: number): Unreached {
  const command = ['git', ...args].join(' ').slice(0, 300)
  return new Unreached(
    `"${command}" did not end within ${seconds} s and was stopped: see whether the runner reaches the repository, or check out with fetch-depth: 0 (and lfs: true), so that nothing has to be fetched`,
  )
}

/** The trimmed output of a command that must succeed. */
export async function gitText(git: RunGit, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await git(args)
  if (code !== 0) throw new Error(`git ${args.join(' ')} ended with ${code}: ${lastLine(stderr)}`)
  return Buffer.from(stdout).toString('utf8').trim()
}

/** The trimmed output, or undefined where git says no. */
export async function gitTextOrNothing(git: RunGit, args: readonly string[]): Promise<string | undefined> {
  const { code, stdout } = await git(args)
  return code === 0 ? Buffer.from(stdout).toString('utf8').trim() : undefined
}

/** The line of git's complaint that says most: its last `fatal:` or `error:`, else its last line. */
export function lastLine(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim())
  const told = lines.filter((line) => /^(fatal|error):/.test(line))
  return (told.at(-1) ?? lines.filter((line) => line !== '').at(-1) ?? 'no message').slice(0, 300)
}
