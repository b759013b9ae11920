import { expect, test } from '@jest/globals'
import { compare, errorComparison } from '../../src/comparison/compare.js'
import type { Comparison, Verdict } from '../../src/comparison/types.js'
import { parseConfig } from '../../src/config/parse.js'
import { parseResults } from '../../src/evaluation/resultsFile.js'
import { conclusionOf } from '../../src/github/checkRun.js'
import type { Context, Event } from '../../src/github/context.js'
import { outputsOf } from '../../src/github/outputs.js'
import { publicationOf } from '../../src/github/publication.js'
import { smallestResults } from '../support/github/results.js'

const config = parseConfig({ flags: { epsilon: '0.1', suite: 'quick' } })
const results = parseResults(smallestResults, 'results.json')
const comparison = compare(results, results, config.policy)

function contextOf(event: Event): Context {
  const repository = { owner: 'Codertocat', repo: 'Hello-World' }
  const runUrl = 'https://github.com/Codertocat/Hello-World/actions/runs/42'
  return { event, repository, run: { id: 42, attempt: 1 }, runUrl, serverUrl: 'https://github.com' }
}
const pull: Event = {
  ...{ kind: 'pull_request', number: 2, headSha: 'e'.repeat(40), baseRef: 'main', baseSha: 'b'.repeat(40) },
  fork: false,
}

test('a pull request gets a comment, and its head the check run', () => {
  const { check, pullRequest } = publicationOf({ comparison, notes: [] }, config, contextOf(pull))
  expect(check).toMatchObject({ headSha: 'e'.repeat(40), checkName: 'Robustness gate', conclusion: 'success' })
  expect(check.mark).toMatchObject({ pullRequest: 2 })
  expect(pullRequest).toEqual({ number: 2, checksUrl: 'https://github.com/Codertocat/Hello-World/pull/2/checks' })
})

test('a push has no pull request to comment on', () => {
  const pushed = { headSha: 'e'.repeat(40), ref: 'refs/heads/main', defaultBranch: 'main', commits: [] }
  const push: Event = { kind: 'push', ...pushed }
  expect(publicationOf({ comparison, notes: [] }, config, contextOf(push)).pullRequest).toBeUndefined()
})

test('the check run says whether it is a pull request’s, though that could not be looked up', () => {
  const markOf = (startedBy: string) => {
    const run = { runId: 7, attempt: 1, conclusion: 'success', startedBy, headSha: 'e'.repeat(40) }
    return publicationOf({ comparison, notes: [] }, config, contextOf({ kind: 'workflow_run', ...run })).check.mark
  }
  expect(markOf('pull_request').pullRequest).toBe('unknown')
  expect(markOf('push').pullRequest).toBeUndefined()
})

test('what the pull request changed of its own yardstick is in the comment, and cannot carry markup', () => {
  const notes = ['The pull request changes the config (a<img src=x>@octocat.yml).']
  const { check } = publicationOf({ comparison, notes }, config, contextOf(pull))
  expect(check.summary).toMatch(/^> The pull request changes the config/m)
  expect(check.summary).not.toContain('<img')
  expect(check.summary).not.toContain('@octocat')
})

test('an error whose message is endless still fits', () => {
  const broken = errorComparison('x '.repeat(100_000))
  const { check } = publicationOf({ comparison: broken, notes: ['y'.repeat(100_000)] }, config, contextOf(pull))
  expect(check.title.length).toBeLessThanOrEqual(255)
  expect(check.summary.length).toBeLessThanOrEqual(65_535)
})

test('notes that grow when they are escaped still fit, and the first ones are there', () => {
  const notes = Array.from({ length: 30 }, (_, place) => `${place} ${'|'.repeat(500)}`)
  const { check } = publicationOf({ comparison: errorComparison('|'.repeat(5000)), notes }, config, contextOf(pull))
  expect(Buffer.byteLength(check.summary)).toBeLessThan(60_000)
  expect(check.summary).toMatch(/^> 4 &#124;/m)
  expect(check.summary).toMatch(/^> … and \d+ more\.$/m)
})

const verdict = (outcome: Verdict['outcome'], fails: boolean, accepted = false): Verdict => ({
  ...{ outcome, fails, reasons: [], baseline: 'present' },
  ...(accepted && { acceptance: { who: 'mona', when: '2026-01-01T00:00:00Z' } }),
})
test.each([
  ['a pass is green', verdict('pass', false), 'success'],
  ['a regression is red', verdict('regression', true), 'failure'],
  ['a regression that is let through is grey, not green', verdict('regression', false), 'neutral'],
  ['an accepted regression is green', verdict('regression', false, true), 'success'],
  ['inconclusive is grey', verdict('inconclusive', false), 'neutral'],
  ['inconclusive is red where the policy says so', verdict('inconclusive', true), 'failure'],
  ['an error is red', verdict('error', true), 'failure'],
] as const)('%s', (_, given, conclusion) => {
  expect(conclusionOf(given)).toBe(conclusion)
})

test('robust accuracy is that of the threat that leaves least', () => {
  const several = {
    ...comparison,
    candidate: comparison.candidate && {
      ...comparison.candidate,
      cleanAccuracy: 0.9,
      robustAccuracy: { 'linf-0.1': 0.5, 'l2-1': 0.25 },
    },
  } satisfies Comparison
  expect(outputsOf(several)).toMatchObject({
    verdict: 'pass',
    'clean-accuracy': '0.9',
    'robust-accuracy': '0.25',
    'baseline-robust-accuracy': '1',
    results: '',
  })
})
