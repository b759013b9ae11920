/** The children that run now. Kept by whoever starts them, so that no module holds state. */
export interface LivingChildren {
  add(child: Killable): void
  remove(child: Killable): void
}

export interface Killable {
  /** At once and without waiting: nothing asynchronous happens any more when a process exits. */
  kill(): void
}

/** The part of Node's `process` that is used here. */
export interface HostProcess {
  readonly pid: number
  readonly platform: string
  on(event: string, listener: () => void): unknown
  off(event: string, listener: () => void): unknown
  listenerCount(event: string): number
  kill(pid: number, signal: NodeJS.Signals): unknown
  exit(status: number): unknown
}

const FATAL_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * Makes the children in the returned set die with this process: when it exits, by whatever way, and when it is
 * interrupted (a cancelled job gets SIGINT, then SIGTERM). A parent that is itself killed with SIGKILL can do nothing;
 * the child's own watchdog sees to that.
 *
 * The signal is raised again after the children are dead, so that the exit status still tells of it. Windows has no signals: to
 * raise one there ends the process with status 1, which would read as a regression.
 */
export function killChildrenOnExit(process: HostProcess): LivingChildren {
  const living = new Set<Killable>()
  const killAll = () => {
    for (const child of [...living]) child.kill()
  }
  process.on('exit', killAll)
  for (const signal of FATAL_SIGNALS) {
    const onSignal = () => {
      killAll()
      process.off(signal, onSignal)
      // Somebody else's listener decides how to go on, and has been called for this signal already.
      if (process.listenerCount(signal) > 0) return
      if (process.platform === 'win32') process.exit(3)
      else process.kill(process.pid, signal)
    }
    process.on(signal, onSignal)
  }
  return { add: (child) => living.add(child), remove: (child) => living.delete(child) }
}
