import { fork, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ReplySchema, type Reply, type Request } from '../../../src/engine/messages.js'

export const built = (name: string): string => fileURLToPath(new URL(`../../../.build/${name}`, import.meta.url))

export interface Conversation {
  readonly process: ChildProcess
  /** Sends a request and waits for so many replies. */
  ask(request: Request, replies?: number): Promise<Reply[]>
  end(): Promise<void>
}

/** The child as it runs in production: nothing in its environment, an empty directory, replies held against the schema. */
export function startWorker(): Conversation {
  const directory = mkdtempSync(join(tmpdir(), 'robustness-gate-test-'))
  const child = fork(built('engine/worker.js'), [], {
    env: {},
    execArgv: [],
    cwd: directory,
    serialization: 'advanced',
  })
  const replies: Reply[] = []
  let wake = (): void => undefined
  child.on('message', (message) => {
    replies.push(ReplySchema.parse(message))
    wake()
  })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    process: child,
    async ask(request, count = 1) {
      child.send(request as never)
      while (replies.length < count) {
        const next = new Promise<'more'>((resolve) => (wake = () => resolve('more')))
        if ((await Promise.race([next, gone])) !== 'more') throw new Error('the child died')
      }
      return replies.splice(0, count)
    },
    async end() {
      child.kill('SIGKILL')
      await gone
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
