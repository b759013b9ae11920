import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { zipSync } from 'fflate'
import type { WorkflowRunEvent } from '../../src/github/context.js'
import { readShards, shardsOfRun } from '../../src/github/shards.js'
import { reportedResults } from '../../src/github/uploads.js'
import { clientOf } from '../support/github/client.js'
import { everyFault } from '../support/github/faults.js'
import type { Fault } from '../support/github/faults.js'
import { holdTimers } from '../support/heldTimers.js'
import type { HeldTimers } from '../support/heldTimers.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { smallestResults } from '../support/github/results.js'
import { hostRuns } from '../support/github/workflowRuns.js'
import { noPause } from '../support/noPause.js'

/** What other jobs have uploaded is not given: no half of it may count, and what goes better the next time is had. */

const event: WorkflowRunEvent = {
  ...{ kind: 'workflow_run', headSha: 'a'.repeat(40), runId: 7, attempt: 1 },
  ...{ startedBy: 'pull_request', conclusion: 'success' },
}
const shard = {
  ...{
    schema: 'robustness-gate/shard/1',
    gate: 'Robustness gate',
    commit: event.headSha,
    shard: { index: 1, count: 2 },
  },
  ...{ baseline: 'missing', notes: [], origins: {} },
}
const results = { 'results.json': Buffer.from(smallestResults) }
const files = { ...results, 'shard.json': Buffer.from(JSON.stringify(shard)) }
let github: LoopbackGitHub
let timers: HeldTimers
beforeEach(async () => {
  const runs = hostRuns()
  runs.artifacts.push({ run: 7, name: 'robustness-gate', zip: zipSync(files) })
  const world = { repository: 'Codertocat/Hello-World', pullRequests: [2], tokens: { ghs: actionsToken } }
  github = await startGitHub({ ...world, extensions: [runs] })
  timers = holdTimers(globalThis)
  github.onStall = timers.passNext
})
afterEach(async () => {
  timers.restore()
  await github.close()
})

/** The two that read them, and what is in their sentences. */
const readers = {
  async publish() {
    return (await reportedResults(client(), { fetch, pause: noPause }, event, '')).candidate?.model.name
  },
  async merge() {
    const found = await shardsOfRun(client(), { fetch, pause: noPause }, 7, '')
    const gate = { checkName: 'Robustness gate', commit: event.headSha }
    return (await readShards(found, 'the artifacts of run 7', gate))[0].candidate?.model.name
  },
}
const client = () => clientOf(github.url, 'ghs', { owner: 'Codertocat', repo: 'Hello-World' })

const places = ['actions/list-workflow-run-artifacts', 'actions/download-artifact', '/storage/0']

/** Faults by turns at one place, and none when there are no more. */
function breakAt(place: string, next: () => Fault | undefined): void {
  github.faultAt = (_, operation) => (operation === place ? next() : undefined)
  github.faultOfFile = (path) => (path === place ? next() : undefined)
}

describe.each(['publish', 'merge'] as const)('mode: %s', (mode) => {
  test('without a fault', async () => {
    expect(await readers[mode]()).toBe('a.onnx')
  })

  describe.each(Object.entries(everyFault))('%s', (name, fault) => {
    test.each(places)('always at %s: an error with a sentence', async (place) => {
      breakAt(place, () => fault)
      await expect(readers[mode]()).rejects.toThrow(/artifact/)
    })

    test.each(places)('once, at %s: what may go better is had, all of it or nothing', async (place) => {
      const faults = [fault]
      breakAt(place, () => faults.pop())
      const found = readers[mode]()
      const final = (place === '/storage/0' ? /^4(?!29)/ : /^(403 without|404|422)/).test(name)
      // A storage says how long its files are, or how their pieces end; what lacks both is no zip.
      const undetected = place === '/storage/0' && /truncated/.test(name)
      const late = place === '/storage/0' && /slow/.test(name)
      if (final || undetected || late) await expect(found).rejects.toThrow(/artifact/)
      else expect(await found).toBe('a.onnx')
    })
  })
})
