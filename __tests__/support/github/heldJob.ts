import type { ChildProcess } from 'node:child_process'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** A job in which nobody waits: between attempts not at all, and for limits until the server says that it has stalled. */
export interface HeldJob {
  /** For `runJob`. */
  readonly environment: Readonly<Record<string, string>>
  /** Likewise. */
  readonly onStart: (child: ChildProcess) => void
  /** For what begins an answer that never ends. */
  readonly onStall: () => void
}

/** Holds the timers of the program itself, see `holdTimers`; a signal lets the next limit pass. */
export function heldJob(): HeldJob {
  const timers = pathToFileURL(resolve('__tests__/support/heldTimers.ts')).href
  const preload = [
    `import { holdTimers } from '${timers}'`,
    'const held = holdTimers(globalThis)',
    'process.on("SIGUSR2", () => held.passNext())',
    // What was not waited for counts as if it had been.
    'const now = performance.now.bind(performance)',
    'performance.now = () => now() + held.waited()',
  ].join(';')
  let running: ChildProcess | undefined
  return {
    environment: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}` },
    onStart(child) {
      running = child
    },
    onStall: () => void running?.kill('SIGUSR2'),
  }
}
