import { mkdtemp, rm } from 'node:fs/promises'
import { AsyncLocalStorage } from 'node:async_hooks'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { artifactStore } from '../../src/github/artifactStore.js'
import type { ArtifactStore } from '../../src/github/artifactStore.js'
import type { EvaluationStore } from '../../src/evaluationStore.js'
import { readContext } from '../../src/github/context.js'
import { resultsCache } from '../../src/github/resultsCache.js'
import { everyFault } from '../support/github/faults.js'
import type { Fault } from '../support/github/faults.js'
import { startResultsService } from '../support/github/resultsService.js'
import type { CacheEntry, ResultsService } from '../support/github/resultsService.js'
import { holdTimers } from '../support/heldTimers.js'
import type { HeldTimers } from '../support/heldTimers.js'

/**
 * The services behind GitHub's own toolkits are out of order: a job that waits for them without end, or ends without a verdict,
 * is worse than one without a cache. The toolkits themselves are what is run here.
 */

/** Of an answer without a body half is the whole. */
const nothingMissing = 'truncated JSON after the work was done'

let service: ResultsService
let timers: HeldTimers
/** The toolkit's entries are of a folder: what is kept in one is not found in another. */
let temporary: string
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'service-'))
})
afterAll(() => rm(temporary, { recursive: true }))

let environment: Record<string, string>
const before = { ...process.env }
/** What a runner shows of what the toolkits print. Those that were given up still print at the time of another test. */
const printed = new AsyncLocalStorage<string[]>()
let shown: string[]
let told: string[]

beforeEach(async () => {
  service = await startResultsService()
  environment = {
    ...service.environment,
    ...{ RUNNER_TEMP: temporary, GITHUB_WORKSPACE: temporary, GITHUB_SERVER_URL: 'https://github.com' },
  }
  // The toolkits read their process's own.
  Object.assign(process.env, environment)
  shown = []
  told = []
  jest.spyOn(process.stdout, 'write').mockImplementation(((text: string | Uint8Array) => {
    const lines = String(text)
      .split('\n')
      .filter((line) => /^::(warning|error)/.test(line))
    printed.getStore()?.push(...lines)
    return true
  }) as typeof process.stdout.write)
  timers = holdTimers(globalThis)
  service.onStall = timers.passNext
})
afterEach(async () => {
  timers.restore()
  jest.restoreAllMocks()
  for (const name of Object.keys(environment)) delete process.env[name]
  Object.assign(process.env, before)
  await service.close()
})

function cache(): EvaluationStore {
  const store = resultsCache(environment, {
    toolkit: () => import('@actions/cache'),
    warning: (message) => void told.push(message),
    now: () => timers.waited(),
  })
  if (store === undefined) throw new Error('there is a runner here')
  return store
}

const kept = { 'results.json': Buffer.from('{"of": "the first"}') }
const lookUp = 'GetCacheEntryDownloadURL'
/** The requests of a gate that finds one of its two models, and keeps the other. */
const way = [lookUp, lookUp, 'GET', lookUp, 'CreateCacheEntry', 'PUT', 'FinalizeCacheEntryUpload']

function gate(): Promise<readonly unknown[]> {
  return printed.run(shown, async () => {
    const store = cache()
    const first = await store.find('known')
    const other = await store.find('new')
    await store.keep('new', kept)
    return [first, other]
  })
}

describe('the cache of results', () => {
  let known: CacheEntry | undefined
  beforeEach(async () => {
    if (known === undefined) await cache().keep('known', kept)
    known ??= service.entries[0]
    service.entries.splice(0, 1, known)
    service.calls.length = 0
  })

  test('in order: what is known is found, and what is new is kept', async () => {
    expect(await gate()).toEqual([kept, undefined])
    expect(service.calls).toEqual(way)
    expect(service.entries.map(({ key }) => key)).toEqual([
      ...[expect.stringContaining('known'), expect.stringContaining('new')],
    ])
    expect([...shown, ...told]).toEqual([])
  })

  describe.each(Object.entries(everyFault))('%s', (name, fault) => {
    test.each(way.map((call, place) => [place, call] as const))('once, at request %i, %s', async (place) => {
      service.faultAt = (at) => (at === place ? fault : undefined)
      const [first, other] = await gate()
      expect([kept, undefined]).toContainEqual(first)
      expect(other).toBeUndefined()
      expect(warnings().length).toBeLessThanOrEqual(1)
    })

    test.each([...new Set(way)])('always at %s: one warning, and the service is left alone', async (broken) => {
      service.faultAt = (_, call) => (call === broken ? fault : undefined)
      expect(await gate()).toEqual([broken === lookUp || broken === 'GET' ? undefined : kept, undefined])
      // Who may not reserve an entry is told by the toolkit that another job may be writing it, which is no warning.
      const silent = broken === 'CreateCacheEntry' || (broken === 'PUT' && name === nothingMissing)
      if (silent) expect(warnings().length).toBeLessThanOrEqual(1)
      else expect(warnings()).toHaveLength(1)
      // What came but cannot be unpacked is no fault of the service: a new entry takes its place.
      const unpackable = /truncated/.test(name)
      if (broken === 'GET') expect(service.calls.includes('CreateCacheEntry')).toBe(unpackable)
      const asked = service.calls.length
      // The toolkit's five attempts, and no more.
      expect(service.calls.filter((call) => call === broken).length).toBeLessThanOrEqual(5)
      expect(asked).toBeLessThanOrEqual(way.length + 5)
    })
  })
})

describe('a toolkit that gives up storing', () => {
  test.each([
    ['after half a minute has a service that is down: it is not asked for what it has, either', 30_000, 1],
    ['at once may have found another job storing the same: what there is is asked for', 0, 2],
  ])('%s', async (_, milliseconds, lookUps) => {
    let time = 0
    let asked = 0
    const toolkit = {
      isFeatureAvailable: () => true,
      restoreCache: () => Promise.resolve(void (asked += 1)),
      saveCache: () => Promise.resolve(((time += milliseconds), -1)),
    }
    const effects = { toolkit: () => Promise.resolve(toolkit), warning: () => {}, now: () => time }
    const store = resultsCache(environment, effects)
    await store?.find('first')
    await store?.keep('first', kept)
    await store?.find('second')
    expect(asked).toBe(lookUps)
  })
})

/** One for each failure: of some the toolkit tells in two lines, and nothing keeps it from that. */
function warnings(): readonly string[] {
  return [...told, ...shown.filter((line) => !/uploadCacheArchiveSDK|rate limit will reset in/.test(line))]
}

describe('the store of artifacts', () => {
  const [create, finalize] = ['CreateArtifact', 'FinalizeArtifact']
  const calls = [create, 'PUT', 'PUT', finalize]

  function store(): ArtifactStore {
    const given = { ...environment, GITHUB_REPOSITORY: 'Codertocat/Hello-World', GITHUB_EVENT_NAME: 'schedule' }
    const found = artifactStore(environment, readContext({ ...given, GITHUB_SHA: 'a'.repeat(40) }, '{}'))
    if (found === undefined) throw new Error('there is a runner here')
    return found
  }
  const upload = (to = store()) => to.upload('robustness-gate', process.cwd(), [join(process.cwd(), 'action.yml')])

  test('in order', async () => {
    await upload()
    expect(service.calls).toEqual(calls)
    expect(service.artifacts).toHaveLength(1)
  })

  describe.each(Object.entries(everyFault))('%s', (name, fault) => {
    test.each(calls.map((call, place) => [place, call] as const))('once, at request %i, %s', async (place) => {
      service.faultAt = (at) => (at === place ? fault : undefined)
      // An end, one or the other.
      const end = await upload().catch((error: unknown) => String(error))
      if (typeof end === 'string') expect(end).toMatch(/^(Unreached|\w*Error): ./)
      else expect(service.artifacts.map(({ id }) => id)).toEqual([end.id])
    })

    test.each([create, ...(name === nothingMissing ? [] : ['PUT']), finalize])('always at %s', async (broken) => {
      service.faultAt = (_, call) => (call === broken ? fault : undefined)
      const own = store()
      await expect(upload(own)).rejects.toThrow()
      if (!isEndless(fault, broken)) return
      const asked = service.calls.length
      await expect(upload(own)).rejects.toThrow('did not answer an earlier upload')
      expect(service.calls).toHaveLength(asked)
    })
  })
})

/** The toolkit's client for files notices that a connection is gone; the one for JSON waits for the rest. */
function isEndless({ kind }: Fault, call: string): boolean {
  return kind === 'slow body' || (kind === 'cut off' && call !== 'PUT')
}
