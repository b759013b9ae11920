import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { compare, errorComparison } from '../../src/comparison/compare.js'
import type { Comparison } from '../../src/comparison/types.js'
import type { Config } from '../../src/config/types.js'
import { publish } from '../../src/github/publish.js'
import { appealIn } from '../../src/jobs/appeal.js'
import type { Run } from '../../src/jobs/services.js'
import { fates, handmadeBaseline, handmadeResults, POLICY } from '../comparison/handmade.js'
import { clientOf } from '../support/github/client.js'
import { githubDescription } from '../support/github/description.js'
import { everyFault } from '../support/github/faults.js'
import { hostLabels } from '../support/github/labels.js'
import type { HostedLabels } from '../support/github/labels.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { headSha, saying } from '../support/github/publication.js'

/** What people said of a model reaches the verdict, and nothing that GitHub does wrong changes it. */

const label = 'robustness-regression-accepted'
const settings: Config['publish'] = { comment: 'never', checkName: 'Robustness gate', acceptLabel: label }
const weaker = compare(handmadeResults(fates('f', 100)), handmadeBaseline(fates('R', 100)), POLICY)
const description = githubDescription()

let github: LoopbackGitHub
let labels: HostedLabels
beforeEach(async () => {
  labels = hostLabels()
  labels.pulls.push({ number: 2, author: 'octocat', base: 'main', commits: [headSha], events: [] })
  const world = { repository: 'Codertocat/Hello-World', pullRequests: [2], tokens: { writes: actionsToken } }
  github = await startGitHub({ ...world, extensions: [labels] }, description)
  github.heads.set(2, headSha)
})
afterEach(() => github.close())

function runWith(client?: Run['services']['client']): Pick<Run, 'context' | 'services'> {
  const event = { kind: 'pull_request', number: 2, headSha, baseRef: 'main', baseSha: 'e'.repeat(40), fork: false }
  return { context: { event }, services: { client } } as unknown as Pick<Run, 'context' | 'services'>
}

/** Where nothing is wrong it waits as long as the machine takes. */
const clientOfGate = (answerWithin = 60_000) =>
  clientOf(github.url, 'writes', { owner: 'Codertocat', repo: 'Hello-World' }, { answerWithin })
const impatient = 150

async function asked(comparison: Comparison, publishing = settings, client = clientOfGate()) {
  const { ask, warnings } = appealIn(runWith(client), publishing)
  return { comparison: await ask(comparison), warnings }
}

/** The gate has told of the model, and Mona has accepted it. */
async function accepted(): Promise<void> {
  await publish(clientOfGate(), saying('Red.', { mark: { comment: 'never', candidate: weaker.candidate?.sha256 } }))
  labels.pulls[0].events.push({ event: 'labeled', label, who: 'mona', when: github.now() })
}

test('an accepted regression stays one and fails nothing', async () => {
  await accepted()
  const { comparison, warnings } = await asked(weaker)
  expect(comparison.verdict).toMatchObject({ outcome: 'regression', fails: false, acceptance: { who: 'mona', label } })
  expect(warnings).toEqual([])
})

test('what is undecided and fails by the policy can be accepted, too', async () => {
  await accepted()
  const policy = { ...POLICY, failOn: 'inconclusive' } as const
  const undecided = compare(handmadeResults(fates('R', 17, 'f', 3)), handmadeBaseline(fates('R', 20)), policy)
  expect(undecided.verdict).toMatchObject({ outcome: 'inconclusive', fails: true })
  expect((await asked(undecided)).comparison.verdict).toMatchObject({ outcome: 'inconclusive', fails: false })
})

describe('nobody is asked', () => {
  const robust = compare(handmadeResults(fates('R', 100)), handmadeBaseline(fates('R', 100)), POLICY)
  const spared = compare(handmadeResults(fates('f', 100)), handmadeBaseline(fates('R', 100)), {
    ...POLICY,
    failOn: 'never',
  })
  const broken = errorComparison('It crashed.', { candidate: handmadeResults(fates('R', 100)) })

  test.each([
    ['about a model that passes', robust],
    ['about a regression that fails nothing', spared],
    ['about an error: nothing was measured that could be accepted', broken],
  ])('%s', async (_, comparison) => {
    expect(await asked(comparison)).toEqual({ comparison, warnings: [] })
    expect(github.operations).toEqual([])
  })

  test('where the label is switched off', async () => {
    expect(await asked(weaker, { ...settings, acceptLabel: undefined })).toEqual({ comparison: weaker, warnings: [] })
    expect(github.operations).toEqual([])
  })

  test('without a token', async () => {
    expect(await appealIn(runWith(), settings).ask(weaker)).toBe(weaker)
  })
})

/** Pull request, events, check runs. */
const calls = 3

describe.each(Object.entries(everyFault))('%s', (_, fault) => {
  test.each(Array.from({ length: calls }, (__, place) => place))(
    'at call %i: accepted after all, or one warning and red',
    async (place) => {
      await accepted()
      const first = github.operations.length
      github.faultAt = (at) => (at === first + place ? fault : undefined)
      const { comparison, warnings } = await asked(weaker, settings, clientOfGate(impatient))
      expect(warnings).toHaveLength(comparison.verdict.fails ? 1 : 0)
    },
  )

  test('always: one warning, and the verdict is what it was', async () => {
    await accepted()
    github.faultAt = () => fault
    const { comparison, warnings } = await asked(weaker, settings, clientOfGate(impatient))
    expect(warnings).toEqual([
      expect.stringMatching(/^Whether the label “robustness-regression-accepted” accepts this model/),
    ])
    expect(comparison.verdict).toMatchObject({ outcome: 'regression', fails: true })
  })
})
