import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { baseFinder } from '../../src/github/base.js'
import type { Baseline } from '../../src/github/baseline.js'
import { findBaseline } from '../../src/github/findBaseline.js'
import { changesOf } from '../../src/github/governed.js'
import { locateInGit } from '../../src/github/workspace.js'
import { checkOutPull } from '../support/github/checkedOutPull.js'
import type { CheckedOutPull } from '../support/github/checkedOutPull.js'
import { git, gitEnvironment, hostRepository } from '../support/github/repository.js'
import type { HostedRepository } from '../support/github/repository.js'

/** A shallow checkout lacks the base commit, and git cannot fetch it. */

let hosted: HostedRepository
let pull: CheckedOutPull
let pauses: number[]
beforeEach(async () => {
  hosted = await hostRepository()
  pull = await checkOutPull(hosted, { 'models/a.onnx': 'old' }, { 'models/a.onnx': 'new' })
  pauses = []
})
afterEach(() => hosted.remove())

async function baseline(spec = 'auto', duringPause = () => Promise.resolve()): Promise<Baseline> {
  const { workspace, event } = pull
  const locate = locateInGit(gitEnvironment, undefined, (milliseconds) => {
    pauses.push(milliseconds)
    return duringPause()
  })
  const request = { spec, model: join(workspace, 'models/a.onnx'), workspace, guarded: true }
  return findBaseline(request, baseFinder(event), locate)
}

const setOrigin = (url: string) => git(pull.workspace, 'remote', 'set-url', 'origin', url).then(() => {})

/** Nobody listens there: who has had a port by the system's choice has closed it again. */
async function closedPort(): Promise<string> {
  const server = await answering(200)
  await server.close()
  return server.url
}

async function answering(status: number) {
  let requests = 0
  const server = createServer((_, response) => {
    requests += 1
    response.writeHead(status).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/origin`,
    requests: () => requests,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function unreached(words: RegExp): object {
  const told = expect.stringMatching(words)
  return { kind: 'broken', reason: told, warning: told }
}

test('an origin that nobody answers at is asked three times; then the policy decides, and a warning tells', async () => {
  await setOrigin(await closedPort())
  expect(await baseline()).toEqual(
    unreached(
      /^The baseline could not be had: commit \S+ is not in the clone and could not be fetched: git could not reach it, 3 times \(.*unable to access.*\): run the job again\.$/,
    ),
  )
  expect(pauses).toEqual([1_000, 4_000])
})

test.each([503, 429])(
  'a server that answers %i is asked again, and one that is back gives the model',
  async (status) => {
    const server = await answering(status)
    try {
      await setOrigin(server.url)
      const found = await baseline('auto', () => setOrigin(hosted.url))
      expect(found).toMatchObject({ kind: 'model' })
      expect(server.requests()).toBe(1)
      expect(pauses).toEqual([1_000])
    } finally {
      await server.close()
    }
  },
)

test.each([401, 403, 404])(
  'a refusal, %i, is final, and the advice is to need no fetch, or to let git in',
  async (status) => {
    const server = await answering(status)
    try {
      await setOrigin(server.url)
      expect(await baseline()).toEqual(
        unreached(
          /could not be fetched: git was refused \(.*\): check out with fetch-depth: 0, leave actions\/checkout its credentials, or /,
        ),
      )
      expect(server.requests()).toBe(1)
      expect(pauses).toEqual([])
    } finally {
      await server.close()
    }
  },
)

test('a branch that the clone lacks is not taken for one that is misspelt', async () => {
  await setOrigin(await closedPort())
  expect(await baseline('ref:release')).toEqual(
    unreached(/baseline ref:release could not be fetched: .* 3 times .*: run the job again\.$/),
  )
  expect(pauses).toEqual([1_000, 4_000])
})

test('a commit that the origin does not have is a mistake of the workflow’s, with its advice, and is asked for once', async () => {
  await expect(baseline(`ref:${'d'.repeat(40)}`)).rejects.toThrow(
    /^commit dddddddddddd is not in the clone and could not be fetched \(.*\): check out with fetch-depth: 0/,
  )
  expect(pauses).toEqual([])
})

test('whether a pull request changes its own data nobody knows then, and the report says so', async () => {
  await setOrigin(await closedPort())
  const { workspace, event } = pull
  const locate = locateInGit(gitEnvironment, undefined, () => Promise.resolve())
  const data = [{ kind: 'data', path: join(workspace, 'data') }] as const
  expect(await changesOf(data, baseFinder(event), locate, { workspace })).toEqual([
    expect.stringMatching(/^Whether the pull request changes the data \(data\) could not be found out: commit /),
  ])
})
