import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { errorComparison } from '../../src/comparison/compare.js'
import type { Comparison } from '../../src/comparison/types.js'
import type { Annotation } from '../../src/github/annotations.js'
import { annotationsOf } from '../../src/github/annotations.js'
import { publish } from '../../src/github/publish.js'
import type { SectionMark } from '../../src/github/sections.js'
import { clientOf } from '../support/github/client.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { saying, wordsOf } from '../support/github/publication.js'

let github: LoopbackGitHub
const post = (...given: Parameters<typeof saying>) =>
  publish(clientOf(github.url, 'writes', { owner: 'Codertocat', repo: 'Hello-World' }), saying(...given))

beforeEach(async () => {
  const tokens = { writes: actionsToken }
  github = await startGitHub({ repository: 'Codertocat/Hello-World', pullRequests: [2], tokens })
})
afterEach(() => github.close())

const annotation = (message: string): Annotation => ({
  ...{ path: 'models/classifier.onnx', start_line: 1, end_line: 1, annotation_level: 'failure' },
  ...{ title: 'Regression', message },
})
const many = (count: number) => Array.from({ length: count }, (_, place) => annotation(`Reason ${place}.`))

describe('annotations of a check run', () => {
  test('beyond fifty go in further requests, and none is lost', async () => {
    expect(await post('Red.', { annotations: many(120) })).toEqual({ warnings: [], notes: [] })
    expect(github.checkRuns.map(({ annotations }) => annotations?.length)).toEqual([120])
    expect(github.checkRuns[0]).toMatchObject({ status: 'completed', conclusion: 'failure' })
  })

  test('are not doubled by a run that is repeated', async () => {
    await post('Red.', { annotations: many(120) })
    await post('Red.', { annotations: many(120), mark: { run: { id: 1, attempt: 2 } } })
    expect(github.checkRuns.map(({ annotations }) => annotations?.length)).toEqual([120])
  })

  test('that are no longer true do not stay: GitHub cannot take them back, so a new check run follows', async () => {
    await post('Red.', { annotations: many(1) })
    await post('Green.', { conclusion: 'success' })
    expect(github.checkRuns.map(({ conclusion, annotations }) => [conclusion, annotations?.length])).toEqual([
      ['failure', 1],
      ['success', 0],
    ])
  })

  test('that cannot be posted cost neither verdict nor comment', async () => {
    github.faultAt = (_, operation) =>
      operation === 'checks/update' ? { kind: 'reply', reply: { status: 422, body: { message: 'No.' } } } : undefined
    const { warnings } = await post('Red.', { annotations: many(60) })
    expect(warnings).toEqual([expect.stringMatching(/^The annotations could not be posted \(422 No\./)])
    expect([github.checkRuns[0].conclusion, github.comments.length]).toEqual(['failure', 1])
  })
})

test('another model on the same commit gets a check run of its own: its age tells since when it is known', async () => {
  await post('Red.', { mark: { candidate: 'a'.repeat(64) } })
  await post('Red.', { mark: { candidate: 'b'.repeat(64) } })
  expect(github.checkRuns).toHaveLength(2)
})

describe('one commit that several events judge', () => {
  const green = { conclusion: 'success' } as const
  const of = (pullRequest: SectionMark['pullRequest'], id: number, more = {}) => ({
    ...more,
    mark: { pullRequest, run: { id, attempt: 1 } },
  })
  const newest = () => github.checkRuns.at(-1)?.conclusion

  test('what a pull request was told stays red, although a later run for a push or by hand passes', async () => {
    await post('Red.', of(2, 1))
    const told = await post('Green.', of(undefined, 2, green))
    expect(told).toEqual({ warnings: [], notes: [expect.stringContaining('for a pull request has reported')] })
    expect(github.checkRuns.map(({ conclusion }) => conclusion)).toEqual(['failure'])
  })

  test('a pull request’s run, although older, has the last word against a push’s', async () => {
    await post('Green.', of(undefined, 9, green))
    await post('Red.', of(2, 1))
    expect([newest(), github.comments.map(wordsOf)]).toEqual(['failure', ['Red.']])
  })

  test('that reports while a push’s does is not hidden by it', async () => {
    await post('Red.', of(2, 1))
    const [red] = github.checkRuns.splice(0)
    github.faultAt = (_, operation) => {
      if (operation === 'checks/create') github.checkRuns.push(red)
      return undefined
    }
    const { notes } = await post('Green.', of(undefined, 2, green))
    expect(notes).toEqual([expect.stringContaining('for a pull request has reported')])
    expect(github.checkRuns.map(({ conclusion, output }) => [conclusion, output.summary])).toEqual(
      Array(2).fill(['failure', red.output.summary]),
    )
  })

  test('where it could not be looked up, a pull request’s run is one all the same', async () => {
    await post('Red.', of('unknown', 1))
    await post('Green.', of(undefined, 2, green))
    expect(newest()).toBe('failure')
  })

  test('a pull request’s own newer run replaces what it was told', async () => {
    await post('Red.', of(2, 1))
    await post('Green.', of(2, 2, green))
    expect(github.checkRuns.map(({ conclusion }) => conclusion)).toEqual(['success'])
  })

  test('two pull requests of one head have a check run each, and the comment speaks of its own', async () => {
    await post('Red.', of(3, 1))
    await post('Green.', of(2, 2, green))
    expect(github.checkRuns.map(({ conclusion }) => conclusion)).toEqual(['failure', 'success'])
    expect(github.comments.map(wordsOf)).toEqual(['Green.'])
    await post('Red again.', of(3, 3))
    expect(newest()).toBe('failure')
  })

  test('that it has several pull requests hides the green one of the first, and no push’s hides that', async () => {
    await post('Green.', of(2, 9, green))
    await post('Same head.', of('several', 1))
    expect(newest()).toBe('failure')
    await post('Green.', of(undefined, 10, green))
    expect(newest()).toBe('failure')
  })

  test('that it has several is as true when an older run finds it, and once it has one again that one’s counts', async () => {
    await post('Same head.', of('several', 9))
    await post('Green.', of(2, 1, green))
    expect(newest()).toBe('success')
    await post('Same head.', of('several', 8))
    expect(newest()).toBe('failure')
    await post('Green.', of(2, 1, green))
    expect(newest()).toBe('success')
  })

  test('runs for a push replace one another', async () => {
    await post('Red.', of(undefined, 1))
    await post('Green.', of(undefined, 2, green))
    expect(github.checkRuns.map(({ conclusion }) => conclusion)).toEqual(['success'])
  })
})

test('a check run has what others find it by: external_id, a link to the run', async () => {
  await post('Red.', { checkName: 'Gate: digits' })
  expect(github.checkRuns[0]).toMatchObject({
    external_id: 'robustness-gate:Gate%3A%20digits',
    details_url: 'https://github.com/Codertocat/Hello-World/actions/runs/1',
  })
})

describe('what is said on a file', () => {
  const files = { model: 'models/classifier.onnx', config: 'robustness.yml' }
  const regression: Comparison = {
    ...errorComparison('x'),
    failure: undefined,
    flags: [
      { model: 'candidate', code: 'masked-gradients', message: 'Gradients vanish.' },
      { model: 'candidate', code: 'straight-through', message: 'Rounds.' },
      { model: 'baseline', code: 'masked-gradients', message: 'The old one, too.' },
    ],
    verdict: {
      ...{ outcome: 'regression', baseline: 'present', fails: true },
      reasons: [
        { code: 'robust-drop', message: 'Robust accuracy falls.' },
        { code: 'unchanged', message: 'No decision.' },
      ],
    },
  }

  test('what decided, and what casts doubt on the candidate, on the model', () => {
    const said = annotationsOf(regression, files).map((one) => [one.path, one.annotation_level, one.message])
    expect(said).toEqual([
      ['models/classifier.onnx', 'failure', 'Robust accuracy falls.'],
      ['models/classifier.onnx', 'warning', 'Gradients vanish.'],
    ])
  })

  test('a regression that does not fail the job is a warning', () => {
    const spared = { ...regression, verdict: { ...regression.verdict, fails: false } }
    expect(annotationsOf(spared, files)[0]).toMatchObject({ annotation_level: 'warning' })
  })

  test('an error before any model was judged is on the config', () => {
    expect(annotationsOf(errorComparison('epsilom is no setting'), files)).toEqual([
      expect.objectContaining({ path: 'robustness.yml', message: 'epsilom is no setting' }),
    ])
  })

  test('an error of the candidate is on the model', () => {
    const [one] = annotationsOf(errorComparison('It crashed.', { failed: 'candidate' }), files)
    expect(one.path).toBe('models/classifier.onnx')
  })

  test('a model from elsewhere has no file here', () => {
    expect(annotationsOf(regression, {})).toEqual([])
  })
})
