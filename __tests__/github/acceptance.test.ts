import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { acceptanceOf } from '../../src/github/acceptance.js'
import type { Event } from '../../src/github/context.js'
import { publish } from '../../src/github/publish.js'
import type { SectionMark } from '../../src/github/sections.js'
import { clientOf } from '../support/github/client.js'
import { hostLabels } from '../support/github/labels.js'
import type { HostedLabels, LabelEvent } from '../support/github/labels.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { headSha, nextSha, saying } from '../support/github/publication.js'

/** Who may let a weaker model through, and when that counts. */

const label = 'robustness-regression-accepted'
const [model, other] = ['a'.repeat(64), 'b'.repeat(64)]
const question = { label, checkName: 'Robustness gate', candidate: model }
const mergeSha = 'd'.repeat(40)

let github: LoopbackGitHub
let labels: HostedLabels
beforeEach(async () => {
  labels = hostLabels()
  labels.pulls.push({ number: 2, author: 'mallory', base: 'main', commits: [headSha], events: [] })
  const world = { repository: 'Codertocat/Hello-World', pullRequests: [2, 3] }
  github = await startGitHub({ ...world, tokens: { writes: actionsToken }, extensions: [labels] })
  github.heads.set(2, headSha)
})
afterEach(() => github.close())

const client = () => clientOf(github.url, 'writes', { owner: 'Codertocat', repo: 'Hello-World' })
const onPull: Event = {
  ...{ kind: 'pull_request', number: 2, headSha, baseRef: 'main', baseSha: 'e'.repeat(40), fork: false },
}
const ask = (event: Event = onPull, changes = {}) => acceptanceOf(client(), event, { ...question, ...changes })

/** The gate tells of a model on a commit. */
const report = (on = headSha, mark: Partial<SectionMark> = {}, checkName = 'Robustness gate') =>
  publish(client(), saying('Red.', { headSha: on, checkName, mark: { comment: 'never', candidate: model, ...mark } }))

function set(event: LabelEvent['event'] = 'labeled', who = 'mona', name = label, number = 2): string {
  const when = github.now()
  labels.pulls.find((pull) => pull.number === number)?.events.push({ event, label: name, who, when })
  return when
}

const refused = (sentence: RegExp) => ({ appeal: expect.stringMatching(sentence) as unknown })

describe('a label accepts a model', () => {
  test('that the gate had reported when it was set; who set it, when and where is known', async () => {
    await report()
    const when = set()
    const reported = '2026-01-01T00:01:00Z'
    expect(await ask()).toEqual({ acceptance: { who: 'mona', when, label, pullRequest: 2, reported } })
  })

  test('of the author, where GitHub lets them set labels, and it is said that they are', async () => {
    await report()
    set('labeled', 'mallory')
    expect(await ask()).toMatchObject({ acceptance: { who: 'mallory', byAuthor: true } })
  })

  test('under a name that differs in capitals alone, which GitHub takes for the same', async () => {
    await report()
    set('labeled', 'mona', 'Robustness-Regression-Accepted')
    expect(await ask()).toMatchObject({ acceptance: { who: 'mona' } })
  })

  test('that was reported on an older commit, and did not change since', async () => {
    await report(nextSha)
    set()
    await report(headSha)
    labels.pulls[0].commits = [nextSha, headSha]
    expect(await ask()).toMatchObject({ acceptance: { who: 'mona' } })
  })

  test('that was reported before a forced push, which takes the commit out of the pull request', async () => {
    await report(nextSha)
    set()
    const pushed: Event = { ...onPull, formerHeadSha: nextSha }
    expect(await ask(pushed)).toMatchObject({ acceptance: { reported: '2026-01-01T00:01:00Z' } })
    // From then on the new commit's check run says so.
    await report(headSha, { since: '2026-01-01T00:01:00Z' })
    expect(await ask()).toMatchObject({ acceptance: { reported: '2026-01-01T00:01:00Z' } })
  })

  test('again, when it was taken off and set once more', async () => {
    set()
    await report()
    set('unlabeled')
    set('labeled', 'hubot')
    expect(await ask()).toMatchObject({ acceptance: { who: 'hubot' } })
  })

  test('of an account that is gone', async () => {
    await report()
    const when = set()
    // GitHub's description knows no such actor; it has been seen.
    const event = { id: 1, event: 'labeled', actor: null, created_at: when, label: { name: label, color: '' } }
    github.faultAt = (_, operation) =>
      operation === 'issues/list-events' ? { kind: 'reply', reply: { status: 200, body: [event] } } : undefined
    expect(await ask()).toMatchObject({ acceptance: { who: 'ghost' } })
  })

  test('found behind a hundred other events', async () => {
    await report()
    for (let count = 0; count < 120; count += 1) set(count % 2 ? 'unlabeled' : 'labeled', 'mona', 'bug')
    set()
    expect(await ask()).toMatchObject({ acceptance: { who: 'mona' } })
  })
})

describe('a label accepts nothing, and one sentence says why', () => {
  test('that is not there: the sentence names it', async () => {
    await report()
    expect(await ask()).toEqual(refused(/^If this is intended, .* the label “robustness-regression-accepted” on pull/))
  })

  test('that was taken off again', async () => {
    await report()
    set()
    set('unlabeled')
    expect(await ask()).toEqual(refused(/^If this is intended/))
  })

  test('that was there before anything was reported', async () => {
    set()
    expect(await ask()).toEqual(
      refused(/set by mona on 2026-01-01 at 00:01 UTC, before the gate had told of this model/),
    )
  })

  test('that was set before the report', async () => {
    set()
    await report()
    const sentence = /before the gate first told of this model, on 2026-01-01 at 00:02 UTC; a new model needs a new dec/
    expect(await ask()).toEqual(refused(sentence))
  })

  test('that was set in the second of the report: nobody can have read it', async () => {
    await report()
    labels.pulls[0].events.push({ event: 'labeled', label, who: 'mona', when: '2026-01-01T00:01:00Z' })
    expect(await ask()).toEqual(refused(/before the gate first told/))
  })

  test('that accepted another model: a new model needs a new decision', async () => {
    await report(headSha, { candidate: other })
    set()
    await report()
    expect(await ask()).toEqual(refused(/a new model needs a new decision. To accept this model, take the label off/))
  })

  test('when only another gate had reported the model', async () => {
    await report(headSha, {}, 'Other gate')
    set()
    expect(await ask()).toEqual(refused(/before the gate had told of this model/))
  })

  test('when only an error had been reported: nothing was known of the model', async () => {
    await report(headSha, { candidate: undefined })
    set()
    await report()
    expect(await ask()).toEqual(refused(/before the gate first told/))
  })

  test('that a bot set: a workflow of the pull request could', async () => {
    await report()
    set('labeled', 'github-actions[bot]')
    expect(await ask()).toEqual(refused(/set by github-actions\[bot\] on .*, which is no person/))
  })

  test('when a check run that looks like the gate’s is another’s', async () => {
    await report()
    github.checkRuns[0].external_id = 'other-app'
    set()
    expect(await ask()).toEqual(refused(/before the gate had told/))
  })
})

describe('what was told elsewhere on the same commit is not this pull request’s report', () => {
  const early = { comment: 'never', candidate: model } as const

  test.each<[string, Partial<SectionMark>]>([
    ['to a push, or to a run started by hand', { ...early, pullRequest: undefined }],
    ['to another pull request from the same branch', { ...early, pullRequest: 3 }],
    ['by a publishing run that could not look the pull request up', { ...early, pullRequest: 'unknown' }],
  ])('%s: a label that was set before the own report accepts nothing', async (_, mark) => {
    await report(headSha, mark)
    set()
    expect(await ask()).toEqual(refused(/before the gate had told of this model in a check run on the pull request/))
    await report()
    expect(await ask()).toEqual(refused(/before the gate first told of this model, on 2026-01-01 at 00:03 UTC/))
    set('unlabeled')
    set()
    expect(await ask()).toMatchObject({ acceptance: { who: 'mona', reported: '2026-01-01T00:03:00Z' } })
  })

  test('to another pull request, in the merge queue, too', async () => {
    await report(headSha, { ...early, pullRequest: 3 })
    set()
    const headRef = `refs/heads/gh-readonly-queue/main/pr-2-${'e'.repeat(40)}`
    const group: Event = { kind: 'merge_group', headSha: mergeSha, baseSha: 'e'.repeat(40), headRef }
    expect(await ask(group)).toEqual(refused(/before the gate had told of this model/))
  })
})

describe('a merge group', () => {
  const headRef = `refs/heads/gh-readonly-queue/main/pr-2-${'e'.repeat(40)}`
  const group: Event = { kind: 'merge_group', headSha: mergeSha, baseSha: 'e'.repeat(40), headRef }

  test('does not bounce what was accepted on the pull request that its branch is named after', async () => {
    await report()
    set()
    expect(await ask(group)).toMatchObject({ acceptance: { who: 'mona', pullRequest: 2 } })
  })

  test('bounces another model than that', async () => {
    await report(headSha, { candidate: other })
    set()
    expect(await ask(group)).toEqual(refused(/before the gate had told of this model/))
  })

  test('that was published from another run is found by that run’s branch', async () => {
    await report()
    set()
    const ofRun: Event = {
      ...{
        kind: 'workflow_run',
        headSha: mergeSha,
        runId: 7,
        attempt: 1,
        startedBy: 'merge_group',
        conclusion: 'failure',
      },
      headBranch: headRef.slice('refs/heads/'.length),
    }
    expect(await ask(ofRun)).toMatchObject({ acceptance: { pullRequest: 2 } })
  })

  test.each([
    ['no pull request', 'refs/heads/elsewhere/pr-2'],
    ['one into another branch', headRef.replace('/main/', '/release/')],
    ['one that does not exist', headRef.replace('pr-2-', 'pr-9-')],
  ])('whose branch names %s is accepted by nobody', async (_, wrong) => {
    await report()
    set()
    const answer = await ask({ ...group, headRef: wrong })
    expect(answer).toEqual(refused(/^The merge group.* So no label “robustness-regression-accepted” can have/))
  })
})

describe('a push', () => {
  const push: Event = {
    ...{ kind: 'push', headSha: mergeSha, ref: 'refs/heads/main', defaultBranch: 'main', commits: [mergeSha] },
  }

  test('of what was accepted on the pull request that was merged', async () => {
    await report()
    set()
    labels.pulls[0].mergedAs = mergeSha
    expect(await ask(push)).toMatchObject({ acceptance: { who: 'mona', pullRequest: 2 } })
  })

  test('of several merges at once, as a queue does: the accepted one may not be the last', async () => {
    await report()
    set()
    labels.pulls[0].mergedAs = nextSha
    labels.pulls.push({ number: 3, author: 'mona', base: 'main', commits: [], mergedAs: mergeSha, events: [] })
    expect(await ask({ ...push, commits: [mergeSha, nextSha] })).toMatchObject({ acceptance: { pullRequest: 2 } })
    expect(await ask(push)).toEqual(refused(/on pull request 3, and run this job again/))
  })

  test('without a pull request', async () => {
    expect(await ask(push)).toEqual(refused(/^No pull request into main was merged with dddddddddd\./))
  })

  test('of a branch with an open pull request, or one that was merged elsewhere, is nobody’s decision', async () => {
    await report()
    set()
    labels.pulls[0].commits = [mergeSha]
    expect(await ask(push)).toEqual(refused(/^No pull request into main/))
    labels.pulls[0].mergedAs = mergeSha
    expect(await ask({ ...push, ref: 'refs/heads/release' })).toEqual(refused(/^No pull request into release/))
  })
})

test('on a schedule there is nobody to ask', async () => {
  expect(await ask({ kind: 'schedule', headSha })).toBeUndefined()
  expect(github.operations).toEqual([])
})
