import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { artifactsOfRun, downloadArtifact } from '../../src/github/artifacts.js'
import { changedFiles } from '../../src/github/changedFiles.js'
import type { Client } from '../../src/github/client.js'
import { clientOf } from '../support/github/client.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { hostRuns } from '../support/github/workflowRuns.js'
import type { HostedRuns } from '../support/github/workflowRuns.js'

const bytes = new Uint8Array([1, 2, 3, 4])

let runs: HostedRuns
let github: LoopbackGitHub
let client: Client
beforeEach(async () => {
  runs = hostRuns()
  const world = { repository: 'Codertocat/Hello-World', pullRequests: [], tokens: { ghs_reads: actionsToken } }
  github = await startGitHub({ ...world, extensions: [runs] })
  client = clientOf(github.url, 'ghs_reads', { owner: 'Codertocat', repo: 'Hello-World' })
})
afterEach(() => github.close())

/** Milliseconds between attempts. */
let pauses: number[]
beforeEach(() => {
  pauses = []
})
const pause = (milliseconds: number): Promise<void> => Promise.resolve(void pauses.push(milliseconds))

async function only(limit = 4, get: typeof fetch = fetch): Promise<Uint8Array> {
  const [artifact] = await artifactsOfRun(client, 7)
  return downloadArtifact(client, { fetch: get, pause }, artifact, limit)
}

test('an attempt that was repeated: its artifact comes first', async () => {
  for (const run of [7, 8, 7]) runs.artifacts.push({ run, name: 'robustness-gate', zip: bytes })
  expect((await artifactsOfRun(client, 7)).map(({ id }) => id)).toEqual([2, 0])
})

test('the storage gets no token (the loopback complains of one), and its bytes come as they are', async () => {
  runs.artifacts.push({ run: 7, name: 'robustness-gate', zip: bytes })
  expect(Uint8Array.from(await only())).toEqual(bytes)
})

test('one that is larger than it may be is not asked for', async () => {
  runs.artifacts.push({ run: 7, name: 'robustness-gate', zip: bytes })
  await expect(only(3)).rejects.toThrow(
    /^artifact robustness-gate is larger than .*; upload nothing but what the gate reads$/,
  )
  expect(github.operations).not.toContain('actions/download-artifact')
})

test('a storage that sends more than was announced is cut off', async () => {
  runs.artifacts.push({ run: 7, name: 'robustness-gate', zip: bytes })
  const endless = () => Promise.resolve(new Response(new Uint8Array(5)))
  await expect(only(4, endless)).rejects.toThrow(
    /^artifact robustness-gate is larger than .*; upload nothing but what the gate reads$/,
  )
})

test('a storage that fails twice is asked a third time, at a new address', async () => {
  runs.artifacts.push({ run: 7, name: 'robustness-gate', zip: bytes })
  let failures = 0
  const failing: typeof fetch = (...request) =>
    (failures += 1) <= 2 ? Promise.reject(new TypeError('terminated')) : fetch(...request)
  expect(await only(4, failing)).toHaveLength(4)
  expect(github.operations.filter((id) => id === 'actions/download-artifact')).toHaveLength(3)
  expect(pauses).toEqual([1000, 4000])
})

test.each([
  [503, [1000, 4000]],
  [410, []],
])('one that answers with %d for good says so', async (status, waits) => {
  runs.artifacts.push({ run: 7, name: 'robustness-gate', zip: bytes })
  const broken = () => Promise.resolve(new Response('no', { status }))
  await expect(only(4, broken)).rejects.toThrow(
    `the storage of artifact robustness-gate answered with status ${status}`,
  )
  expect(pauses).toEqual(waits)
})

test('a list that GitHub refuses with 409 is not an empty one', async () => {
  runs.artifacts.push({ run: 7, name: 'robustness-gate', zip: bytes })
  github.faultAt = () => ({ kind: 'reply', reply: { status: 409, body: { message: 'Conflict' } } })
  await expect(artifactsOfRun(client, 7)).rejects.toThrow('Conflict')
  await expect(changedFiles(client, 2)).rejects.toThrow('Conflict')
})
