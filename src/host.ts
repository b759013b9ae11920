import { readFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Reply, Request } from './engine/messages.js'
import { ReplySchema } from './engine/messages.js'
import type { WorkerChild } from './evaluation/children.js'
import { describeCpu } from './evaluation/cpu.js'
import type { ChildLimits } from './sandbox/child.js'
import { startChild } from './sandbox/child.js'
import type { FindAddon } from './runtime/addonFinder.js'
import type { HostProcess } from './sandbox/living.js'
import { killChildrenOnExit } from './sandbox/living.js'

/** What evaluations need of the machine they run on. */
export interface Host {
  readonly startChild: (limits: ChildLimits) => WorkerChild | Promise<WorkerChild>
  readonly cores: number
  /** For the results: single bits may differ from one kind to the next. */
  readonly cpu: string
  /** Milliseconds, monotonic. */
  readonly now: () => number
}

/**
 * This machine. Its children die with `process`, however that ends.
 *
 * @param entry - `import.meta.url` of the program that runs.
 * @param findAddon - Of onnxruntime, for children of the bundle; the others find it where it is installed.
 */
export function nodeHost(entry: string, process: HostWithEnvironment, findAddon: FindAddon): Host {
  const living = killChildrenOnExit(process)
  const worker = workerEntry(entry)
  return {
    startChild: async (limits) => {
      const argv = isBundle(entry) ? [await findAddon(limits.cuda ? 'cuda' : 'cpu')] : []
      const environment = limits.cuda ? cudaEnvironment(process.env) : {}
      return startChild<Request, Reply>({ ...limits, entry: worker, argv, environment, schema: ReplySchema, living })
    },
    cores: availableParallelism(),
    cpu: describeCpu(cpus()[0]?.model, cpuInformation()),
    now: () => performance.now(),
  }
}

type HostWithEnvironment = HostProcess & { readonly env: Readonly<Record<string, string | undefined>> }

/** Where the graphics card's libraries are, and that products of floats are not rounded to 10 bits (TF32). */
function cudaEnvironment({ LD_LIBRARY_PATH: libraries }: HostWithEnvironment['env']): Record<string, string> {
  return { NVIDIA_TF32_OVERRIDE: '0', ...(libraries && { LD_LIBRARY_PATH: libraries }) }
}

/** The part of Node's `process` that `guardStatus` uses. */
export interface GuardedProcess {
  readonly stdout: GuardedStream
  readonly stderr: GuardedStream
  on(event: 'uncaughtException', listener: (error: unknown) => void): unknown
  exit(status: number): unknown
}

interface GuardedStream {
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown
}

/**
 * What nobody caught ends the program with status 3: Node's own, 1, would be read as a regression. A reader that has seen
 * enough (`| head`) is no error; the verdict still decides.
 */
export function guardStatus(process: GuardedProcess, tell: (error: unknown) => void): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error) => {
      if (error.code !== 'EPIPE') throw error
    })
  // A rejection that nobody handles becomes one of these.
  process.on('uncaughtException', (error) => {
    tell(error)
    process.exit(3)
  })
}

/** Absolute path of the child's program: beside the bundle dist/cli/index.js, or in engine/ where nothing is bundled. */
export function workerEntry(entry: string): string {
  return fileURLToPath(new URL(isBundle(entry) ? '../worker/index.js' : './engine/worker.js', entry))
}

function isBundle(entry: string): boolean {
  return entry.endsWith('/index.js')
}

/** Linux tells the vector extensions here; elsewhere the model's name has to do. */
function cpuInformation(): string | undefined {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8')
  } catch {
    return undefined
  }
}
