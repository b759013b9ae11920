#!/usr/bin/env node
import { failureOf } from './cli/failure.js'
import type { Io } from './cli/io.js'
import { progressBars } from './cli/progress.js'
import { runProgram } from './cli/program.js'
import { guardStatus, nodeHost } from './host.js'
import { progressLines } from './report/progress.js'
import { addonFinder } from './runtime/addonFinder.js'

const argv = process.argv.slice(2)
const verbose = argv.includes('--verbose') || process.env.RUNNER_DEBUG === '1'

const findAddon = addonFinder({
  entry: import.meta.url,
  environment: process.env,
  installed: process.env.ROBUSTNESS_GATE_ONNXRUNTIME ?? '',
  info: (message) => process.stderr.write(`${message}\n`),
})

const io: Io = {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  showProgress: process.stderr.isTTY
    ? progressBars(process.stderr)
    : progressLines((line) => process.stderr.write(`${line}\n`)),
  color: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
  // Some pseudo-terminals say 0.
  width: process.stdout.columns || 100,
  host: nodeHost(import.meta.url, process, findAddon),
}

/** Says what went wrong; returns the status to end with. */
function tell(error: unknown): number {
  const { status, line } = failureOf(error)
  if (line !== undefined) io.stderr(`robustness-gate: ${line}\n`)
  if (verbose && status === 3 && error instanceof Error) io.stderr(`${error.stack}\n`)
  return status
}

guardStatus(process, tell)
process.exitCode = await runProgram(argv, io).catch(tell)
