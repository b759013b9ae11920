import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { zipSync } from 'fflate'
import { UsageError } from '../../src/errors.js'
import { artifactReader } from '../../src/github/artifactReader.js'
import { findBaseline } from '../../src/github/findBaseline.js'
import type { Baseline } from '../../src/github/baseline.js'
import type { Event } from '../../src/github/context.js'
import { repositoryArtifacts } from '../support/github/branchArtifacts.js'
import { clientOf } from '../support/github/client.js'
import { everyFault } from '../support/github/faults.js'
import type { Fault } from '../support/github/faults.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { smallestResults } from '../support/github/results.js'
import { noPause } from '../support/noPause.js'

/** The base branch has results of an older model, and GitHub does not give them: nobody may take that for a first adoption. */

const commit = 'c'.repeat(40)
const pull: Event = {
  ...{ kind: 'pull_request', number: 2, headSha: 'a'.repeat(40), baseRef: 'main', baseSha: commit, fork: false },
}
const ownArtifact = 'robustness-gate'
const uploaded = [
  { run: 1, name: ownArtifact, zip: zipSync({ 'results.json': Buffer.from(smallestResults) }) },
  // Without results, so that a second one is looked at.
  { run: 2, name: ownArtifact, zip: zipSync({ 'comparison.json': Buffer.from('{}') }) },
  ...Array.from({ length: 100 }, (_, run) => ({ run: run + 100, name: ownArtifact, zip: Buffer.of(), branch: 'f' })),
]

let github: LoopbackGitHub
beforeEach(async () => {
  const world = { repository: 'Codertocat/Hello-World', pullRequests: [2], tokens: { ghs: actionsToken } }
  github = await startGitHub({ ...world, extensions: [repositoryArtifacts(uploaded)] })
})
afterEach(() => github.close())

const notAsked = () => Promise.reject(new UsageError('the workspace is no git checkout'))
const noClone = () => Promise.resolve(undefined)

function baseline(spec: string, { kind }: Fault): Promise<Baseline> {
  const patience = kind === 'slow body' ? { answerWithin: 400, patience: 0 } : {}
  const client = clientOf(github.url, 'ghs', { owner: 'Codertocat', repo: 'Hello-World' }, patience)
  const request = { spec, model: '/workspace/a.onnx', workspace: '/workspace', guarded: true }
  const asked = { ...request, fetched: true, ownArtifact }
  return findBaseline(asked, notAsked, noClone, artifactReader(client, { fetch, pause: noPause }, pull, 42))
}

const faults: Readonly<Record<string, Fault>> = {
  ...everyFault,
  '410': { kind: 'reply', reply: { status: 410, body: { message: 'Gone' } } },
}
/** A list that is refused outright: there may be something or not. */
const refusals = ['403 without a word', '404']

/** A state that the policy decides on, and a warning where it lets the model pass. */
function unreached(words: RegExp): object {
  const told = expect.stringMatching(new RegExp(`^The baseline could not be had: .*${words.source}`))
  return { kind: 'broken', reason: told, warning: told }
}

const [list, run, download] = [
  'actions/list-artifacts-for-repo',
  'actions/get-workflow-run',
  'actions/download-artifact',
] as const
/** The requests of a look-up that finds what it looks for. */
const way = [list, list, run, download, run, download]

test('without a fault it is found, below what pull requests and a run that attacked nothing have uploaded', async () => {
  expect(await baseline('auto', { kind: 'reset' })).toMatchObject({ kind: 'results' })
  expect(github.operations).toEqual(way)
})

describe.each(Object.entries(faults))('%s', (name, fault) => {
  test.each([list, run, download])('always at %s', async (broken) => {
    github.faultAt = (_, operation) => (operation === broken ? fault : undefined)
    const found = await baseline('auto', fault)
    if (broken === list && refusals.includes(name)) {
      expect(found).toEqual({
        kind: 'missing',
        reason: expect.stringContaining('The model is fetched, so git knows no older one'),
        warning: expect.stringMatching(/^Nobody could look .* passes for a new one; give the job actions: read/),
      })
    } else if (broken === download && ['404', '410'].includes(name)) {
      expect(found).toEqual({ kind: 'expired', reason: expect.stringContaining('is kept no longer') })
    } else {
      expect(found).toEqual(unreached(/could not be read \(.+\); the job needs actions: read, or to be run again\.$/))
    }
    // Asked for by name it is no first adoption, whatever keeps it.
    const asked = await baseline(`artifact:${ownArtifact}`, fault)
    expect(asked).toEqual(
      found.kind === 'missing' ? unreached(/could not be looked for \(.+\); the job needs actions: read\.$/) : found,
    )
  })

  test.each(way.map((operation, place) => [place, operation] as const))('once, at request %i, %s', async (place) => {
    github.faultAt = (at) => (at === place ? fault : undefined)
    const found = await baseline('auto', fault)
    const looked = place > 0 || !refusals.includes(name)
    expect(['results', 'broken', 'expired', ...(looked ? [] : ['missing'])]).toContain(found.kind)
    expect('warning' in found).toBe(['broken', 'missing'].includes(found.kind))
  })
})

test('a storage that gives nothing is a broken baseline, too', async () => {
  const client = clientOf(github.url, 'ghs', { owner: 'Codertocat', repo: 'Hello-World' })
  const asked = { spec: 'auto', model: '/workspace/a.onnx', workspace: '/workspace', guarded: true, fetched: true }
  const refusing = () => Promise.resolve(new Response('', { status: 410 }))
  const found = await findBaseline(
    { ...asked, ownArtifact },
    notAsked,
    noClone,
    artifactReader(client, { fetch: refusing, pause: noPause }, pull, 42),
  )
  expect(found).toEqual(unreached(/answered with status 410/))
})

test('without a token nobody could look, and the report and a warning say so', async () => {
  const asked = { spec: 'auto', model: '/workspace/a.onnx', workspace: '/workspace', guarded: true, fetched: true }
  const found = await findBaseline({ ...asked, ownArtifact }, notAsked, noClone)
  const told = expect.stringContaining('(there is no github-token), so one that was renamed passes for a new one')
  expect(found).toEqual({ kind: 'missing', reason: told, warning: told })
})
