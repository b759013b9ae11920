import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { hostRepository } from '../support/github/repository.js'
import { installAction, runJob } from '../support/github/runner.js'

/** Commands of the running processes that mention a folder. The action's folder is this test's own. */
function processesOf(folder: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(join('/proc', pid, 'cmdline'), 'utf8').replaceAll('\0', ' ')]
      } catch {
        return []
      }
    })
    .filter((command) => command.includes(folder))
}

/** Asks again and again, for at most half a minute. */
async function until(holds: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 600 && !holds(); attempt += 1) await setTimeout(50)
  expect(holds()).toBe(true)
}

test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('a job cancelled by %s leaves no child behind', async (signal) => {
  const action = await installAction()
  const hosted = await hostRepository()
  const started: ChildProcess[] = []
  try {
    const sha = await hosted.commit('main', {
      'a.onnx': readFileSync('fixtures/fashion/fashion-hardened.onnx'),
      'x.npz': readFileSync('fixtures/fashion/fashion-test.npz'),
      'gate.yml': 'epsilon: 0.1\nsuite: { attacks: [{ name: pgd, steps: 10000, stepSize: 0.0001, restarts: 100 }] }\n',
    })
    const job = runJob(
      action,
      {
        ...{ workspace: await hosted.checkout(sha, 1), event: 'workflow_dispatch', payload: {}, sha },
        ...{ apiUrl: 'http://127.0.0.1:1', token: '' },
        inputs: { model: 'a.onnx', data: 'x.npz', config: 'gate.yml' },
      },
      (child) => started.push(child),
    )
    await until(() => processesOf(action.folder).some((command) => command.includes('dist/worker/index.js')))
    started[0].kill(signal)
    const { status } = await job
    expect(status).not.toBe(0)
    await until(() => processesOf(action.folder).length === 0)
  } finally {
    for (const child of started) child.kill('SIGKILL')
    await hosted.remove()
    await action.remove()
  }
})
