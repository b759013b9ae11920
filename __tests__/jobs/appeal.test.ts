import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { compare, errorComparison } from '../../src/comparison/compare.js'
import type { Comparison } from '../../src/comparison/types.js'
import type { Config } from '../../src/config/types.js'
import type { Event } from '../../src/github/context.js'
import { publish } from '../../src/github/publish.js'
import { appealIn } from '../../src/jobs/appeal.js'
import type { Run } from '../../src/jobs/services.js'
import { fates, handmadeBaseline, handmadeResults, POLICY } from '../comparison/handmade.js'
import { clientOf } from '../support/github/client.js'
import { everyFault, spread } from '../support/github/faults.js'
import type { Fault } from '../support/github/faults.js'
import { hostLabels } from '../support/github/labels.js'
import type { HostedLabels } from '../support/github/labels.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { headSha, nextSha, saying } from '../support/github/publication.js'

/** What people said of a model reaches the verdict, and nothing that GitHub does wrong changes it. */

const label = 'robustness-regression-accepted'
const settings: Config['publish'] = { comment: 'never', checkName: 'Robustness gate', acceptLabel: label }
const weaker = compare(handmadeResults(fates('f', 100)), handmadeBaseline(fates('R', 100)), POLICY)
let github: LoopbackGitHub
let labels: HostedLabels
beforeEach(async () => {
  labels = hostLabels()
  labels.pulls.push({ number: 2, author: 'octocat', base: 'main', commits: [headSha], events: [] })
  const world = { repository: 'Codertocat/Hello-World', pullRequests: [2], tokens: { writes: actionsToken } }
  github = await startGitHub({ ...world, extensions: [labels] })
  github.heads.set(2, headSha)
})
afterEach(() => github.close())

const pull: Event = {
  ...{ kind: 'pull_request', number: 2, headSha, baseRef: 'main', baseSha: 'e'.repeat(40), fork: false },
}
const mergeSha = 'd'.repeat(40)
const push: Event = {
  ...{ kind: 'push', headSha: mergeSha, ref: 'refs/heads/main', defaultBranch: 'main', commits: [mergeSha] },
}

function runWith(client?: Run['services']['client'], event = pull): Pick<Run, 'context' | 'services'> {
  return { context: { event }, services: { client } } as unknown as Pick<Run, 'context' | 'services'>
}

/** Where nothing is wrong it waits as long as the machine takes. */
const clientOfGate = (answerWithin = 60_000) =>
  clientOf(github.url, 'writes', { owner: 'Codertocat', repo: 'Hello-World' }, { answerWithin })
const impatient = 150

async function asked(comparison: Comparison, publishing = settings, client = clientOfGate(), event = pull) {
  const { ask, warnings } = appealIn(runWith(client, event), publishing)
  return { comparison: await ask(comparison), warnings }
}

/** The gate has told of the model, and Mona has accepted it. */
async function accepted(on = headSha): Promise<void> {
  const mark = { comment: 'never', candidate: weaker.candidate?.sha256 } as const
  await publish(clientOfGate(), saying('Red.', { headSha: on, mark }))
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

  test.each([
    ['for a push', push, settings],
    ['where the label is switched off', pull, { ...settings, acceptLabel: undefined }],
  ])('without a token, nor told of the label, %s', async (_, event, publishing) => {
    expect(await appealIn(runWith(undefined, event), publishing).ask(weaker)).toBe(weaker)
  })
})

describe('without a token, as in the first of two workflows, nobody is asked', () => {
  const ask = (comparison: Comparison) => appealIn(runWith(), settings).ask(comparison)

  test('and who reads of the failure is told of the label, and that the workflow which publishes asks for it', async () => {
    const { verdict } = await ask(weaker)
    expect(verdict).toMatchObject({ outcome: 'regression', fails: true })
    expect(verdict.appeal).toMatch(
      /the label “robustness-regression-accepted” on pull request 2\..*mode: publish.* asks/,
    )
  })

  test('and nothing is said of it where it could not count', async () => {
    const broken = errorComparison('It crashed.', { candidate: handmadeResults(fates('R', 100)) })
    expect(await ask(broken)).toBe(broken)
  })
})

/** On what people are asked, how the model was accepted there, and the requests of it; `n` is for `spread`. */
const scenes = {
  'a pull request': {
    ...{ event: pull, accept: () => accepted(), n: 1 },
    way: ['pulls/get', 'issues/list-events', 'checks/list-for-ref'],
  },
  'a pull request that was pushed to since': {
    event: pull,
    async accept() {
      await accepted(nextSha)
      labels.pulls[0].commits = [nextSha, headSha]
    },
    way: ['pulls/get', 'issues/list-events', 'checks/list-for-ref', 'pulls/list-commits', 'checks/list-for-ref'],
    n: 2,
  },
  'a push': {
    event: push,
    async accept() {
      await accepted()
      labels.pulls[0].mergedAs = mergeSha
    },
    way: [
      ...['repos/list-pull-requests-associated-with-commit', 'pulls/get', 'issues/list-events', 'checks/list-for-ref'],
    ],
    n: 2,
  },
}

describe.each(Object.entries(scenes))('%s', (_, { event, accept, way, n }) => {
  async function askedWith(fault: (place: number) => Fault | undefined, answerWithin = impatient) {
    await accept()
    const first = github.operations.length
    github.faultAt = (at) => fault(at - first)
    const { comparison, warnings } = await asked(weaker, settings, clientOfGate(answerWithin), event)
    return { ...comparison.verdict, warnings, operations: github.operations.slice(first) }
  }

  test('in order: accepted', async () => {
    const accepted = { fails: false, acceptance: { who: 'mona' }, warnings: [], operations: way }
    expect(await askedWith(() => undefined, 60_000)).toMatchObject(accepted)
  })

  test.each(spread(Object.entries(everyFault), way, n))(
    '$name at call $place, $call: accepted after all, or one warning and red',
    async ({ fault, place }) => {
      const { fails, warnings } = await askedWith((at) => (at === place ? fault : undefined))
      expect(warnings).toHaveLength(fails ? 1 : 0)
    },
  )

  test.each(Object.entries(everyFault))(
    '%s always: one warning, and the verdict is what it was',
    async (_name, fault) => {
      const { outcome, fails, warnings } = await askedWith(() => fault)
      expect(warnings).toEqual([
        expect.stringMatching(/^Whether the label “robustness-regression-accepted” accepts this model/),
      ])
      expect({ outcome, fails }).toEqual({ outcome: 'regression', fails: true })
    },
  )
})
