import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..')

export interface Finished {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

interface CliOptions {
  readonly cwd?: string
  readonly environment?: Readonly<Record<string, string>>
}

/** Runs the command line as users do: another process, nothing of this one's environment but where to find programs. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<Finished> {
  return startCli(args, options).finished
}

export function startCli(
  args: readonly string[],
  options: CliOptions = {},
): { readonly process: ChildProcess; readonly finished: Promise<Finished> } {
  const child = spawn(process.execPath, [join(root, '.build/cli.js'), ...args], {
    cwd: options.cwd ?? root,
    env: { PATH: process.env.PATH, NO_COLOR: '1', ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text))
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status, signal) => resolve({ status, signal, ...said }))
  })
  return { process: child, finished }
}

/** The processes that `pid` has started and that live (Linux). */
export async function childrenOf(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  return text.split(' ').filter(Boolean).map(Number)
}

/** Runs with a folder of its own that is gone afterwards. */
export async function inTemporaryFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'robustness-gate-test-'))
  try {
    return await run(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
