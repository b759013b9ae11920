import { describe, expect, test } from '@jest/globals'
import { readContext } from '../../src/github/context.js'
import { exampleOf, examplesOf } from '../support/github/payloads.js'

const environment = {
  GITHUB_REPOSITORY: 'Codertocat/Hello-World',
  GITHUB_SHA: '6113728f27ae82c7b1a177c8d03f9e96e0adf246',
  GITHUB_RUN_ID: '42',
}

function contextOf(name: string, payload: unknown) {
  return readContext({ ...environment, GITHUB_EVENT_NAME: name }, JSON.stringify(payload))
}

describe('what started the run', () => {
  test('a pull request: the check run goes to its head, not to the merge commit', () => {
    expect(contextOf('pull_request', exampleOf('pull_request')).event).toEqual({
      kind: 'pull_request',
      number: 2,
      headSha: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
      baseRef: 'master',
      baseSha: 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e',
      fork: false,
    })
  })

  test.each([
    ['another repository', { full_name: 'mallory/Hello-World' }],
    ['a repository that is gone', null],
  ])('a pull request from %s is a fork’s', (_, repo) => {
    const payload = exampleOf('pull_request')
    const head = { ...payload.pull_request.head, repo }
    const changed = { ...payload, pull_request: { ...payload.pull_request, head } }
    expect(contextOf('pull_request', changed).event).toMatchObject({ fork: true })
  })

  test.each(['pull_request', 'merge_group'] as const)('every payload that GitHub gives of %s is understood', (name) => {
    for (const payload of examplesOf(name)) expect(contextOf(name, payload).event.kind).toBe(name)
  })

  test('a pull request that was pushed to: the head before it, which may be in it no longer', () => {
    const payload = { ...exampleOf('pull_request'), action: 'synchronize', before: 'b'.repeat(40) }
    expect(contextOf('pull_request', payload).event).toMatchObject({ formerHeadSha: 'b'.repeat(40) })
  })

  test('a push: its commits, the newest first, whether or not the payload lists them', () => {
    const [first, second] = ['a', 'b'].map((letter) => letter.repeat(40))
    const payload = { ...exampleOf('push'), after: second, commits: [{ id: first }, { id: second }] }
    expect(contextOf('push', payload).event).toMatchObject({ commits: [second, first] })
    expect(contextOf('push', { ...payload, commits: [] }).event).toMatchObject({ commits: [second] })
  })

  test('a push that made a branch has no commit before', () => {
    const payload = { ...exampleOf('push'), before: '0'.repeat(40), after: 'a'.repeat(40) }
    expect(contextOf('push', payload).event).toMatchObject({ kind: 'push', headSha: 'a'.repeat(40), before: undefined })
  })

  test('a merge group', () => {
    expect(contextOf('merge_group', exampleOf('merge_group')).event).toEqual({
      kind: 'merge_group',
      headSha: '2ffea6db159f6b6c47a24e778fb9ef40cf6b1c7d',
      baseSha: '380387fbc80638b734a49e1be1c4dfec1c01b33c',
      headRef: 'refs/heads/gh-readonly-queue/main/pr-104-929f8209d40f77f4abc622a499c93a83babdbe64',
    })
  })

  test('another run: the commit and the branch are that run’s, not those of the default branch', () => {
    const example = exampleOf('workflow_run')
    const ofFork = { full_name: 'mallory/Hello-World', owner: { login: 'mallory' } }
    const changes = { event: 'pull_request', conclusion: 'failure', head_branch: 'feature', head_repository: ofFork }
    const payload = { ...example, workflow_run: { ...example.workflow_run, ...changes } }
    expect(contextOf('workflow_run', payload).event).toEqual({
      ...{ kind: 'workflow_run', headSha: '5779607b49aab1200488439f02372c57b4f75444', runId: 1589141559, attempt: 1 },
      ...{ startedBy: 'pull_request', conclusion: 'failure' },
      ...{ headOwner: 'mallory', headRepository: 'mallory/Hello-World', headBranch: 'feature' },
    })
  })

  test('pull_request_target counts as pull_request where the workflow says that it may', () => {
    const named = { ...environment, GITHUB_EVENT_NAME: 'pull_request_target' }
    const { event } = readContext(named, JSON.stringify(exampleOf('pull_request')), true)
    expect(event).toEqual(contextOf('pull_request', exampleOf('pull_request')).event)
  })

  test.each(['schedule', 'workflow_dispatch'])('%s: the commit of the run', (name) => {
    expect(contextOf(name, {}).event).toEqual({ kind: name, headSha: environment.GITHUB_SHA })
  })
})

describe('refused, in one line', () => {
  test('pull_request_target, because a stranger’s model would meet a writing token', () => {
    expect(() => contextOf('pull_request_target', exampleOf('pull_request'))).toThrow(
      /^event pull_request_target: [^\n]*writing token[^\n]*use pull_request, for forks with a second workflow in mode: publish/,
    )
  })

  test('an event nobody thought of, with the list of those that work', () => {
    expect(() => contextOf('issue_comment', {})).toThrow(
      'event "issue_comment" is not supported: run the gate on pull_request, push, merge_group, schedule or workflow_dispatch',
    )
  })

  test('a run that is not over has nothing to tell yet', () => {
    const payload = { ...exampleOf('workflow_run'), action: 'requested' }
    expect(() => contextOf('workflow_run', payload)).toThrow('write types: [completed]')
  })

  test('a payload that lacks something names what', () => {
    expect(() => contextOf('merge_group', { merge_group: { head_sha: 'x'.repeat(40) } })).toThrow(
      /^payload of event merge_group: merge_group\.head_sha: [^\n]+$/,
    )
  })

  test('a payload that is no JSON', () => {
    expect(() => readContext({ ...environment, GITHUB_EVENT_NAME: 'push' }, '<html>')).toThrow('is not JSON')
  })

  test.each(['', 'Hello-World', 'a/b/c'])('GITHUB_REPOSITORY %j', (name) => {
    expect(() => readContext({ ...environment, GITHUB_REPOSITORY: name }, '{}')).toThrow('not owner/name')
  })
})

test('which run it is, and which attempt at it; GitHub counts both up', () => {
  const named = { ...environment, GITHUB_EVENT_NAME: 'schedule' }
  expect(readContext({ ...named, GITHUB_RUN_ATTEMPT: '3' }, '{}').run).toEqual({ id: 42, attempt: 3 })
  expect(readContext(named, '{}').run).toEqual({ id: 42, attempt: 1 })
})

test('the links of a GitHub Enterprise Server lead to it', () => {
  const context = readContext(
    { ...environment, GITHUB_EVENT_NAME: 'schedule', GITHUB_SERVER_URL: 'https://git.example.com/' },
    '{}',
  )
  expect(context.runUrl).toBe('https://git.example.com/Codertocat/Hello-World/actions/runs/42')
})
