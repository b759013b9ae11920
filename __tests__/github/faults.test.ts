import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import type { Annotation } from '../../src/github/annotations.js'
import type { Client, Connection } from '../../src/github/client.js'
import { publish } from '../../src/github/publish.js'
import type { Publication } from '../../src/github/publish.js'
import { statusOf } from '../../src/github/status.js'
import { clientOf } from '../support/github/client.js'
import { everyFault, isFinal, spread } from '../support/github/faults.js'
import type { Fault } from '../support/github/faults.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { Holder, LoopbackGitHub } from '../support/github/loopback.js'
import { saying, wordsOf } from '../support/github/publication.js'

/** GitHub or the way to it is out of order. What is posted in the end, what is said, and that it ends. */

let github: LoopbackGitHub
const repository = { owner: 'Codertocat', repo: 'Hello-World' }
const post = (connection: Connection = {}, path = '') =>
  publish(clientOf(github.url + path, 'writes', repository, connection), saying('Robust accuracy falls.'))

beforeEach(async () => {
  const person: Holder = { person: 'octocat', comments: 'write', checks: 'read' }
  const tokens = { writes: actionsToken, person }
  github = await startGitHub({ repository: 'Codertocat/Hello-World', pullRequests: [2], tokens })
})
afterEach(() => github.close())

/** What a gate has to say, what is there before it says so, and the requests in which it does. */
interface Scene {
  readonly token: string
  readonly publication: Publication
  readonly before: () => Promise<unknown>
  readonly way: readonly string[]
  /** For `spread`. */
  readonly n: number
}

const remarks = (count: number): readonly Annotation[] =>
  Array.from({ length: count }, (_, line) => ({
    ...{ path: 'a.onnx', start_line: 1, end_line: 1, annotation_level: 'failure' as const },
    ...{ title: 'Regression', message: `Reason ${line}` },
  }))
const look = ['pulls/get', 'checks/list-for-ref', 'issues/list-comments']

const scenes: Readonly<Record<string, Scene>> = {
  'a first publication': {
    ...{ token: 'writes', publication: saying('Robust accuracy falls.'), n: 2 },
    before: async () => {},
    way: ['checks/list-for-ref', 'checks/create', ...look, 'issues/create-comment', ...look],
  },
  'a second one, with more annotations than a request takes, and a comment too many': {
    ...{ token: 'writes', n: 4 },
    publication: saying('It falls further.', { annotations: remarks(70), mark: { run: { id: 2, attempt: 1 } } }),
    async before() {
      await publish(clientOf(github.url, 'writes', repository), saying('It falls.', { annotations: remarks(1) }))
      github.comments.push({ ...github.comments[0], id: 5000 })
    },
    way: [
      ...['checks/list-for-ref', 'checks/list-annotations', 'checks/update', 'checks/update'],
      ...[...look, 'issues/update-comment', ...look, 'issues/delete-comment'],
    ],
  },
  'a gate whose token may not write checks': {
    ...{ token: 'person', publication: saying('Robust accuracy falls.'), n: 4 },
    before: async () => {},
    way: [
      ...['checks/list-for-ref', 'checks/create', 'users/get-authenticated', 'pulls/get', 'issues/list-comments'],
      ...['issues/create-comment', 'pulls/get', 'issues/list-comments'],
    ],
  },
}

/** Only an answer that never ends is given up, and so soon that a busy machine's own answers could be, too. */
const patienceWith = ({ kind }: Fault): Connection => (kind === 'slow body' ? { answerWithin: 400 } : {})

describe.each(Object.entries(scenes))('%s', (_, { token, publication, before, way, n }) => {
  const { check } = publication
  const canCheck = token === 'writes'

  async function posted(connection: Connection, fault: (place: number) => Fault | undefined) {
    await before()
    const first = github.operations.length
    github.faultAt = (place) => fault(place - first)
    const { warnings } = await publish(clientOf(github.url, token, repository, connection), publication)
    return { warnings, operations: github.operations.slice(first) }
  }

  function expectPosted(): void {
    expect(github.comments.map(wordsOf)).toEqual([check.summary])
    if (!canCheck) return
    const newest = github.checkRuns.at(-1)
    expect(newest).toMatchObject({ conclusion: 'failure', output: { summary: expect.stringContaining(check.summary) } })
    expect(newest?.annotations ?? []).toEqual(expect.arrayContaining([...check.annotations]))
  }

  test('in order', async () => {
    const { warnings, operations } = await posted({}, () => undefined)
    expect(warnings).toHaveLength(canCheck ? 0 : 1)
    expect(operations).toEqual(way)
    expectPosted()
  })

  test.each(spread(Object.entries(everyFault), way, n))(
    '$name once, at call $place, $call',
    async ({ name, fault, place: broken }) => {
      const { warnings } = await posted(patienceWith(fault), (place) => (place === broken ? fault : undefined))
      // What may go better is tried again, so that nothing is missing.
      if (canCheck && !isFinal(name)) expect(warnings).toEqual([])
      // Whatever is missing is told of, in one line.
      if (canCheck && warnings.length === 0) expectPosted()
      else expect(warnings).toEqual([expect.stringMatching(/could not be posted|was skipped|were skipped/)])
      if (!isFinal(name)) expectPosted()
    },
  )

  test.each(Object.entries(everyFault))('%s always: one warning, and an end', async (_name, fault) => {
    const { warnings, operations } = await posted(patienceWith(fault), () => fault)
    expect(warnings).toEqual([expect.stringMatching(/could not be posted/)])
    expect(operations.length).toBeLessThanOrEqual(20)
  })
})

test('a list that GitHub refuses with 409 is not an empty one: there is no second comment', async () => {
  await post()
  expect(github.comments).toHaveLength(1)
  github.faultAt = (_, operation) => (operation === 'issues/list-comments' ? everyFault['409'] : undefined)
  const { warnings } = await publish(
    clientOf(github.url, 'writes', repository),
    saying('Robust accuracy falls further.', { mark: { run: { id: 2, attempt: 1 } } }),
  )
  expect(warnings).toEqual([expect.stringContaining('The comment could not be posted (409 Conflict')])
  expect(github.comments).toHaveLength(1)
})

const secondary = (seconds: string): Fault => ({
  kind: 'reply',
  reply: {
    ...{ status: 403, headers: { 'retry-after': seconds } },
    body: { message: 'You have exceeded a secondary rate limit.' },
  },
})

test('a rate limit that ends too late is not waited for', async () => {
  github.faultAt = () => secondary('3600')
  await post()
  // Check run and comment: a request each, which is not repeated.
  expect(github.operations).toHaveLength(2)
})

test('all waits together are bounded: limits of a minute are waited for twice', async () => {
  github.faultAt = () => secondary('60')
  await post()
  expect(github.operations).toHaveLength(4)
})

/**
 * Has waits pass at once. Milliseconds of each, if they are whole seconds of `second`, which no timer of the platform is.
 *
 * @param told - Is told of a wait when it begins.
 */
async function waitsOf(second: number, work: () => Promise<unknown>, told = () => {}): Promise<readonly number[]> {
  const later = setTimeout
  const waits: number[] = []
  const spy = jest.spyOn(globalThis, 'setTimeout').mockImplementation(((
    then: () => void,
    milliseconds = 0,
    ...rest: unknown[]
  ) => {
    const isWait = milliseconds > 0 && milliseconds % second === 0
    if (isWait) {
      waits.push(milliseconds / second)
      told()
    }
    return later(then, isWait ? 0 : milliseconds, ...(rest as []))
  }) as typeof setTimeout)
  await work().finally(() => spy.mockRestore())
  return waits
}
const second = 1009

test('a rate limit is waited for as long as GitHub says, and not tried before', async () => {
  github.faultAt = (place) => (place === 0 ? secondary('2') : undefined)
  const asked: number[] = []
  const waits = await waitsOf(
    second,
    () => post({ second }),
    () => asked.push(github.operations.length),
  )
  // When it began to wait, one request had been made.
  expect([waits, asked]).toEqual([[2], [1]])
  expect(github.operations.slice(0, 3)).toEqual(['checks/list-for-ref', 'checks/list-for-ref', 'checks/create'])
})

describe('what happened to one request is not held against the next', () => {
  const ask = async (client: Client, number: number) =>
    client.octokit.rest.pulls.get({ ...repository, pull_number: number }).then(
      ({ status }) => status,
      (error: unknown) => statusOf(error),
    )

  test('a refusal is taken as it is, however many there were', async () => {
    const client = clientOf(github.url, 'writes', repository)
    expect([await ask(client, 404), await ask(client, 404), await ask(client, 404)]).toEqual([404, 404, 404])
    expect(github.operations).toHaveLength(3)
  })

  test('a refusal after a failure of the same request is taken as it is, too', async () => {
    github.faultAt = (place) => (place === 0 ? everyFault['500'] : undefined)
    expect(await ask(clientOf(github.url, 'writes', repository), 404)).toBe(404)
    expect(github.operations).toHaveLength(2)
  })

  test('who waited long for one waits for the next as if it were the first', async () => {
    const client = clientOf(github.url, 'writes', repository, { second })
    github.faultAt = (place) => ([0, 1, 2, 4].includes(place) ? everyFault['500'] : undefined)
    const waits = await waitsOf(second, async () => [await ask(client, 2), await ask(client, 2)])
    expect(github.operations).toHaveLength(6)
    // Octokit's plugin squares the number of the attempt.
    expect(waits).toEqual([1, 4, 9, 1])
  })
})

test('once too much time was lost to failures, nothing is tried twice', async () => {
  github.faultAt = () => ({ kind: 'reset' })
  await post({ answerWithin: 400, patience: -1 })
  expect(github.operations).toHaveLength(2)
})

test('GitHub Enterprise Server: everything is under the path of its interface, pages too', async () => {
  for (let id = 0; id < 150; id += 1) github.comments.push({ id, pullRequest: 2, login: 'octocat', body: 'Nice.' })
  expect(await post({}, '/api/v3')).toEqual({ warnings: [], notes: [] })
  expect(github.comments).toHaveLength(151)
})
