import { Worker } from 'node:worker_threads'

/** Milliseconds between two looks. */
const INTERVAL = 500

/**
 * Kills this process when the one that started it is gone, however it went. It looks from a thread of its own, because
 * native code that blocks the event loop also blocks the news that the channel to the parent has closed.
 *
 * @param parent process id of the parent
 */
export function startWatchdog(parent: number): void {
  // As a string, because a bundle is one file and a thread's script would be a second one.
  const look = `
    const { workerData } = require('node:worker_threads')
    setInterval(() => {
      if (process.ppid !== workerData.parent) process.kill(process.pid, 'SIGKILL')
    }, workerData.interval)`
  new Worker(look, { eval: true, execArgv: [], workerData: { parent, interval: INTERVAL } }).unref()
}
