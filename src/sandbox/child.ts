import { fork } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { Readable } from 'node:stream'
import type { z } from 'zod'
import { codeOf } from '../data/reason.js'
import type { Exit, ExitCause } from './exit.js'
import { keepLastOutput } from './lastOutput.js'
import type { LivingChildren } from './living.js'

/** What a child may use up. */
export interface ChildLimits {
  /** Wall-clock seconds from its start to its end. */
  readonly timeLimitSeconds: number
  /** It works on a graphics card, too. */
  readonly cuda?: boolean
}

export interface ChildOptions<Reply> extends ChildLimits {
  /** Absolute path of its script: its working directory is not ours. */
  readonly entry: string
  /** What the script is told; nothing secret, since every process of the machine can read it. */
  readonly argv?: readonly string[]
  /** All that is in its environment. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** The node that runs it; undefined: the one that runs us. */
  readonly execPath?: string
  /** Everything the child says must match. */
  readonly schema: z.ZodType<Reply>
  /** Where it is listed while it lives; see killChildrenOnExit. */
  readonly living?: LivingChildren
}

export interface Child<Request, Reply> {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined
  /** A structured clone goes; typed arrays travel as they are (a view without the rest of its buffer). */
  send(request: Request): void
  /** To be read once, in order. Ends when the child does, for whatever reason: see `exited`. */
  readonly replies: AsyncIterable<Reply>
  /** SIGKILL: a child that is inside native code hears nothing else. Harmless when it is dead. */
  kill(): void
  /** Never rejects. The child's directory is gone by then. */
  readonly exited: Promise<Exit>
}

/** setTimeout takes a larger delay for 1 ms. */
const LONGEST_DELAY = 2 ** 31 - 1

/**
 * Starts a script as a process of its own with an empty environment and no arguments, unless they are given, and an empty
 * directory (0700) of its own to work in. The time limit is kept by this side, with SIGKILL, because native code blocks the child's event loop.
 *
 * Node's IPC carries 100 MB in 0.3 s (Node 24) to 1.4 s (Node 20) as one message and in 0.35 s as messages of 200 kB
 * (measured), so data of any size is best sent in small pieces and no file is needed.
 */
export function startChild<Request, Reply>(options: ChildOptions<Reply>): Child<Request, Reply> {
  if (!isAbsolute(options.entry)) throw new TypeError(`the child's entry must be an absolute path: ${options.entry}`)
  const directory = makeDirectory()
  const child = fork(options.entry, options.argv ?? [], {
    execPath: options.execPath ?? process.execPath,
    // Named and undefined: else Node hands this one on even to an empty environment.
    env: { NODE_V8_COVERAGE: undefined, ...options.environment },
    execArgv: [],
    cwd: directory,
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const output = keepLastOutput(child.stdout, child.stderr)
  const replies = new Readable({ objectMode: true, read: () => undefined })
  let resolveExited: (exit: Exit) => void = () => undefined
  const exited = new Promise<Exit>((resolve) => {
    resolveExited = resolve
  })
  let cause: ExitCause | undefined
  let gone = false
  let settled = false

  const settle = () => {
    if (settled) return
    settled = true
    clearTimeout(timer)
    removeDirectory(directory)
    options.living?.remove(handle)
    if (child.connected) child.disconnect()
    child.stdout?.destroy()
    child.stderr?.destroy()
    if (!replies.destroyed) replies.push(null)
    resolveExited({ ...(cause ?? { reason: 'killed' }), output: output() })
  }
  const end = (why: ExitCause) => {
    if (settled) return
    cause ??= why
    child.kill('SIGKILL')
    removeDirectory(directory)
    if (gone) settle()
  }
  const handle: Child<Request, Reply> = {
    pid: child.pid,
    send: (request) => {
      // A channel that closes under way is no error here: the child is dying, and `exited` says of what.
      if (child.connected) child.send(request as never, () => undefined)
    },
    replies,
    kill: () => end({ reason: 'killed' }),
    exited,
  }
  const timer = setTimeout(
    () => end({ reason: 'timed-out', seconds: options.timeLimitSeconds }),
    Math.min(options.timeLimitSeconds * 1000, LONGEST_DELAY),
  )

  child.on('message', (message: unknown) => {
    if (settled || replies.destroyed || (cause !== undefined && !gone)) return
    const reply = options.schema.safeParse(message)
    if (reply.success) replies.push(reply.data)
    else {
      cause = { reason: 'bad-reply', problem: firstProblem(reply.error) }
      end(cause)
    }
  })
  child.on('error', (error) => {
    if (child.pid !== undefined) return
    cause ??= { reason: 'not-started', problem: error.message }
    settle()
  })
  child.on('exit', (code, signal) => {
    gone = true
    const byUs = cause !== undefined
    cause ??= code === 0 ? { reason: 'finished' } : { reason: 'crashed', signal, code }
    // Its last replies are still in the pipe when it ended by itself: then `close` is the end.
    if (byUs) settle()
  })
  child.on('close', settle)
  options.living?.add(handle)
  return handle
}

const PREFIX = 'robustness-gate-child-'

/** The name tells whose it is, so that what a parent left that was killed at once can be told from what is in use. */
function makeDirectory(): string {
  removeStale()
  return mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`))
}

function removeStale(): void {
  for (const name of readdirSync(tmpdir())) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]
    if (owner !== undefined && !isAlive(Number(owner))) removeDirectory(join(tmpdir(), name))
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // EPERM: somebody else's, and alive.
    return codeOf(error) !== 'ESRCH'
  }
}

function firstProblem(error: z.ZodError): string {
  const issue = error.issues[0]
  return issue === undefined
    ? 'not what was agreed'
    : `${issue.path.map(String).join('.') || 'reply'}: ${issue.message}`
}

/** Called again when the child is gone, because a living one can still write into it. */
function removeDirectory(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true })
  } catch {
    // A directory left behind in the system's temporary folder must not break an evaluation.
  }
}
