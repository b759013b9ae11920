import { existsSync, mkdtempSync, rmdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { startChild } from '../../src/sandbox/child.js'
import type { Child } from '../../src/sandbox/child.js'

const entry = fileURLToPath(new URL('fixtures/child.mjs', import.meta.url))
const schema = z.object({ value: z.unknown() })
type Command = Readonly<Record<string, unknown>> & { readonly do: string }
type Reply = z.infer<typeof schema>

const started: Child<Command, Reply>[] = []
afterEach(async () => {
  for (const child of started) child.kill()
  await Promise.all(started.splice(0).map((child) => child.exited))
})

function start(options: Partial<Parameters<typeof startChild<Command, Reply>>[0]> = {}) {
  const child = startChild<Command, Reply>({ entry, schema, timeLimitSeconds: 60, ...options })
  started.push(child)
  return child
}

async function answer(child: Child<Command, Reply>, command: Command): Promise<unknown> {
  child.send(command)
  for await (const reply of child.replies) return reply.value
  throw new Error('no answer')
}

const report = z.object({
  environment: z.record(z.string(), z.string()),
  arguments: z.array(z.string()),
  nodeArguments: z.array(z.string()),
  directory: z.string(),
  files: z.array(z.string()),
})

describe('what a stranger’s model finds around it', () => {
  test('no token: the environment and the arguments are empty', async () => {
    const around = report.parse(await answer(start(), { do: 'report' }))
    expect(around.environment).toEqual({})
    expect(around.arguments).toEqual([])
    expect(around.nodeArguments).toEqual([])
  })

  test('only what is meant for it, such as where a graphics card’s libraries are', async () => {
    const child = start({ argv: ['/addon.node'], environment: { LD_LIBRARY_PATH: '/usr/local/cuda/lib64' } })
    const around = report.parse(await answer(child, { do: 'report' }))
    expect(around.environment).toEqual({ LD_LIBRARY_PATH: '/usr/local/cuda/lib64' })
    expect(around.arguments).toEqual(['/addon.node'])
  })

  test('no files: its working directory is new, empty and its own, and gone afterwards', async () => {
    const [one, other] = [start(), start()]
    const around = report.parse(await answer(one, { do: 'report' }))
    expect(around.files).toEqual([])
    expect(around.directory).not.toBe(process.cwd())
    expect(around.directory).not.toBe(report.parse(await answer(other, { do: 'report' })).directory)
    expect(statSync(around.directory).mode & 0o777).toBe(0o700)
    one.kill()
    await one.exited
    expect(existsSync(around.directory)).toBe(false)
  })

  test('the directory of a child whose parent was killed at once goes with the next start; others’ stay', async () => {
    // No process has a number this high: Linux counts to 2²² at most.
    const stale = mkdtempSync(join(tmpdir(), `robustness-gate-child-${2 ** 22 + 1}-`))
    const others = mkdtempSync(join(tmpdir(), 'robustness-gate-child-of-mine-'))
    const first = start()
    const { directory } = report.parse(await answer(first, { do: 'report' }))
    await answer(start(), { do: 'report' })
    expect([stale, others, directory].map((path) => existsSync(path))).toEqual([false, true, true])
    rmdirSync(others)
  })

  test('what it leaves in its directory does not stay on the runner', async () => {
    const child = start()
    child.send({ do: 'report' })
    child.send({ do: 'litter' })
    let directory = ''
    for await (const { value } of child.replies) {
      if (value === 'done') break
      directory = report.parse(value).directory
    }
    expect(existsSync(`${directory}/left-behind`)).toBe(true)
    child.kill()
    await child.exited
    expect(existsSync(directory)).toBe(false)
  })
})

describe('how a child ends', () => {
  test('a crash of native code is told with its signal', async () => {
    const child = start()
    child.send({ do: 'crash', signal: 'SIGSEGV' })
    expect(await child.exited).toMatchObject({ reason: 'crashed', signal: 'SIGSEGV', code: null })
  })

  test('an exit status other than 0 is a crash', async () => {
    const child = start()
    child.send({ do: 'exit', code: 3 })
    expect(await child.exited).toMatchObject({ reason: 'crashed', signal: null, code: 3 })
  })

  test('the time limit ends a child whose event loop is blocked', async () => {
    const child = start({ timeLimitSeconds: 0.3 })
    child.send({ do: 'hang' })
    expect(await child.exited).toMatchObject({ reason: 'timed-out', seconds: 0.3 })
  })

  test('kill ends a child whose event loop is blocked', async () => {
    const child = start()
    child.send({ do: 'echo', value: 'alive' })
    child.send({ do: 'hang' })
    for await (const { value } of child.replies) {
      expect(value).toBe('alive')
      child.kill()
    }
    expect(await child.exited).toMatchObject({ reason: 'killed' })
  })

  test('a reply outside the protocol ends it and never reaches the reader', async () => {
    const child = start()
    child.send({ do: 'echo', value: 1 })
    child.send({ do: 'lie' })
    child.send({ do: 'echo', value: 2 })
    const values: unknown[] = []
    for await (const { value } of child.replies) values.push(value)
    expect(values).toEqual([1])
    expect(await child.exited).toMatchObject({ reason: 'bad-reply', problem: expect.stringContaining('value') })
  })

  test('the last answers of a child that finishes are not lost', async () => {
    const child = start()
    child.send({ do: 'finish', replies: 500 })
    const values: unknown[] = []
    for await (const { value } of child.replies) values.push(value)
    expect(values).toEqual(Array.from({ length: 500 }, (_, place) => place + 1))
    expect(await child.exited).toMatchObject({ reason: 'finished' })
  })

  test('a node that is not there is told as such, not thrown at an event loop', async () => {
    const child = start({ execPath: '/nonexistent/node' })
    expect(await child.exited).toMatchObject({ reason: 'not-started', problem: expect.stringContaining('ENOENT') })
  })

  test('what it printed last is kept for the message, and no more than 4 kB of it', async () => {
    const child = start()
    child.send({ do: 'shout', text: `${'x'.repeat(100_000)}the end`, code: 1 })
    const { output } = await child.exited
    expect(output).toHaveLength(4096)
    expect(output).toMatch(/x+the end$/)
  })

  test('a word to a dead child is harmless', async () => {
    const child = start()
    child.kill()
    await child.exited
    expect(() => {
      child.send({ do: 'echo' })
      child.kill()
    }).not.toThrow()
  })
})

test('images arrive as the numbers they were, and a view without the rest of its buffer', async () => {
  const all = Float32Array.from({ length: 1000 }, (_, place) => place)
  // 10 + 11 + … + 19
  expect(await answer(start(), { do: 'sum', value: all.subarray(10, 20) })).toBe(145)
})
