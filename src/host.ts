import { readFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Reply, Request } from './engine/messages.js'
import { ReplySchema } from './engine/messages.js'
import type { WorkerChild } from './evaluation/children.js'
import { describeCpu } from './evaluation/cpu.js'
import type { ChildLimits } from './sandbox/child.js'
import { startChild } from './sandbox/child.js'
import type { HostProcess } from './sandbox/living.js'
import { killChildrenOnExit } from './sandbox/living.js'

/** What evaluations need of the machine they run on. */
export interface Host {
  readonly startChild: (limits: ChildLimits) => WorkerChild
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
 */
export function nodeHost(entry: string, process: HostProcess): Host {
  const living = killChildrenOnExit(process)
  const worker = workerEntry(entry)
  return {
    startChild: (limits) => startChild<Request, Reply>({ ...limits, entry: worker, schema: ReplySchema, living }),
    cores: availableParallelism(),
    cpu: describeCpu(cpus()[0]?.model, cpuInformation()),
    now: () => performance.now(),
  }
}

/** Absolute path of the child's program: beside the bundle dist/cli/index.js, or in engine/ where nothing is bundled. */
export function workerEntry(entry: string): string {
  const bundled = entry.endsWith('/index.js')
  return fileURLToPath(new URL(bundled ? '../worker/index.js' : './engine/worker.js', entry))
}

/** Linux tells the vector extensions here; elsewhere the model's name has to do. */
function cpuInformation(): string | undefined {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8')
  } catch {
    return undefined
  }
}
