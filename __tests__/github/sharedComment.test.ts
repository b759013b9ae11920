import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { sharedMarker } from '../../src/github/comment.js'
import type { Client } from '../../src/github/client.js'
import { publish } from '../../src/github/publish.js'
import type { Publication } from '../../src/github/publish.js'
import { clientOf } from '../support/github/client.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { headSha, nextSha, saying, wordsOf } from '../support/github/publication.js'

/** Runs that come one after the other or at once, on a pull request that moves on: what its comment says in the end. */

let github: LoopbackGitHub
const client = (token = 'writes'): Client => clientOf(github.url, token, { owner: 'Codertocat', repo: 'Hello-World' })
const post = (publication: Publication, token?: string) => publish(client(token), publication)
const writes = () => github.operations.filter((id) => /^issues\/(create|update|delete)/.test(id))

beforeEach(async () => {
  const tokens = {
    writes: actionsToken,
    commentsOnly: { app: 'github-actions', comments: 'write', checks: 'none' },
    otherApp: { app: 'model-keeper', comments: 'write', checks: 'write' },
  } as const
  github = await startGitHub({ repository: 'Codertocat/Hello-World', pullRequests: [2], tokens })
})
afterEach(() => github.close())

describe('several gates', () => {
  const gate = (checkName: string, words = `Report of ${checkName}.`) => saying(words, { checkName })

  test('share one comment: a table of verdicts by name, and a part for each', async () => {
    await post(gate('Letters'))
    await post(gate('Digits'))
    const url = 'https://github.com/Codertocat/Hello-World/runs'
    expect(github.comments.map(wordsOf)).toEqual([
      [
        ...['| Gate | Verdict |  |', '| :-- | :-- | --: |'],
        `| Digits | ❌ Report of Digits. | [details](${url}/1002) |`,
        `| Letters | ❌ Report of Letters. | [details](${url}/1000) |`,
        ...['', '### Digits', '', 'Report of Digits.', '', '### Letters', '', 'Report of Letters.', ''],
      ].join('\n'),
    ])
    expect(github.checkRuns.map(({ name }) => name)).toEqual(['Letters', 'Digits'])
  })

  test('that end at the same time lose nothing, whoever writes last', async () => {
    const names = ['A', 'B', 'C', 'D', 'E', 'F']
    await Promise.all(names.map((name) => post(gate(name))))
    expect(github.comments).toHaveLength(1)
    for (const name of names) expect(github.comments[0].body).toContain(`### ${name}\n\nReport of ${name}.`)
  })

  test('of two first comments the older one stays', async () => {
    const body = `${sharedMarker}head="${headSha}" run="1.1" digest="0" -->\nTwin`
    const twin = { id: 7, pullRequest: 2, login: 'github-actions[bot]', body }
    // The twin is written after this job has seen that there is no comment.
    github.faultAt = (_, operation) => {
      if (operation === 'issues/create-comment') github.comments.unshift(twin)
      return undefined
    }
    await post(gate('Digits'))
    expect(github.comments.map((comment) => [comment.id, wordsOf(comment)])).toEqual([[7, 'Report of Digits.']])
  })

  test('a slower job that has written an older list looks again', async () => {
    let came = false
    github.faultAt = (_, operation) => {
      if (operation === 'issues/create-comment' && !came) {
        came = true
        const { check } = gate('Letters')
        const summary = github.checkRuns[0].output.summary?.replace('Digits', 'Letters') ?? ''
        const run = { ...github.checkRuns[0], id: 5000, name: 'Letters', external_id: 'robustness-gate:Letters' }
        github.checkRuns.push({ ...run, output: { title: check.title, summary } })
      }
      return undefined
    }
    await post(gate('Digits'))
    expect(github.comments[0].body).toContain('### Letters')
  })

  test('a check run of a stranger’s app does not enter', async () => {
    await post(gate('Advertisement', 'Buy now.'), 'otherApp')
    github.comments.length = 0
    await post(gate('Digits'))
    expect(github.comments.map(wordsOf)).toEqual(['Report of Digits.'])
  })

  test('one that wants no comment is in none', async () => {
    await post(saying('Secret.', { checkName: 'Quiet', mark: { comment: 'never' } }))
    expect(github.comments).toEqual([])
    await post(gate('Digits'))
    expect(github.comments.map(wordsOf)).toEqual(['Report of Digits.'])
  })

  test('without permission to write check runs each has a comment of its own', async () => {
    await post(gate('Digits'), 'commentsOnly')
    await post(gate('Letters'), 'commentsOnly')
    await post(gate('Digits', 'Mended.'), 'commentsOnly')
    expect(github.comments.map(wordsOf)).toEqual(['Mended.', 'Report of Letters.'])
  })

  test('which is taken over as soon as they can be written', async () => {
    await post(gate('Digits'), 'commentsOnly')
    await post(gate('Digits', 'Mended.'))
    expect(github.comments.map(wordsOf)).toEqual(['Mended.'])
  })
})

describe('GitHub says that a comment is not there', () => {
  const notThere = { status: 404, body: { message: 'Not Found' } }
  const twin = (id: number) => {
    const body = `${sharedMarker}head="${headSha}" run="1.1" digest="0" -->\nPass.`
    github.comments.push({ id, pullRequest: 2, login: 'github-actions[bot]', body })
  }
  const told = [expect.stringContaining('The comment could not be posted (404 Not Found')]

  test('and lists it all the same, with the word of an older model: that is told, not tried without end', async () => {
    twin(7)
    github.breakOperation('issues/update-comment', notThere)
    expect((await post(saying('Red.'))).warnings).toEqual(told)
    expect(writes()).toEqual(['issues/update-comment', 'issues/update-comment'])
  })

  test('that is one too many, and lists it: that is told, and the other one says what is new', async () => {
    twin(7)
    twin(8)
    github.breakOperation('issues/delete-comment', notThere)
    expect((await post(saying('Red.'))).warnings).toEqual(told)
    expect(github.comments.map(wordsOf)).toEqual(['Red.', 'Pass.'])
  })

  test.each(['update', 'delete'] as const)('once, of a %s: the next time goes better', async (what) => {
    twin(7)
    twin(8)
    let failed = false
    github.faultAt = (_, operation) => {
      if (failed || operation !== `issues/${what}-comment`) return undefined
      failed = true
      return { kind: 'reply', reply: notThere }
    }
    expect((await post(saying('Red.'))).warnings).toEqual([])
    expect(github.comments.map(wordsOf)).toEqual(['Red.'])
  })

  test('because another job was faster: nothing is told', async () => {
    twin(7)
    github.faultAt = (_, operation) => {
      if (operation === 'issues/update-comment') github.comments.length = 0
      return undefined
    }
    expect((await post(saying('Red.'))).warnings).toEqual([])
    expect(github.comments.map(wordsOf)).toEqual(['Red.'])
  })
})

test('a comment that never says what was written is told of: what it shows is not the verdict', async () => {
  github.faultAt = (_, operation) => {
    if (operation === 'issues/list-comments')
      for (const one of github.comments) one.body = one.body.replace(/\n[^]*/, '\nPass.')
    return undefined
  }
  const { warnings } = await post(saying('Red.'))
  expect(warnings).toEqual([expect.stringContaining('The comment could not be posted (it says something else')])
})

describe('an older run', () => {
  const run = (id: number, attempt = 1) => ({ mark: { run: { id, attempt } } })

  test('leaves the comment of a newer commit, and says so', async () => {
    github.heads.set(2, nextSha)
    await post(saying('Of the newer commit.', { headSha: nextSha, ...run(2) }))
    const { warnings, notes } = await post(saying('Of the older commit.', run(1)))
    expect([warnings, notes]).toEqual([[], [expect.stringContaining('has moved on from ec26c3e57ca3')]])
    expect(github.comments.map(wordsOf)).toEqual(['Of the newer commit.'])
    expect(github.checkRuns.map(({ head_sha: sha }) => sha)).toEqual([nextSha, headSha])
  })

  test('that was overtaken between looking and writing puts the newer commit’s words back', async () => {
    await post(saying('Of the newer commit.', { headSha: nextSha, ...run(2) }))
    github.heads.set(2, headSha)
    github.faultAt = (_, operation) => {
      if (operation === 'issues/update-comment') github.heads.set(2, nextSha)
      return undefined
    }
    await post(saying('Of the older commit.', run(1)))
    expect(github.comments.map(wordsOf)).toEqual(['Of the newer commit.'])
  })

  test.each(['writes', 'commentsOnly'])(
    'of the same commit does not undo what a newer one said (%s)',
    async (token) => {
      await post(saying('Of the newer run.', run(2)), token)
      await post(saying('Of the older run.', run(1)), token)
      expect(github.comments.map(wordsOf)).toEqual(['Of the newer run.'])
    },
  )

  test('that a person has started again has the last word', async () => {
    await post(saying('Of the newer run.', run(2)))
    await post(saying('Of the second attempt.', run(1, 2)))
    expect(github.comments.map(wordsOf)).toEqual(['Of the second attempt.'])
    expect(github.checkRuns).toHaveLength(1)
  })
})

describe('comment modes', () => {
  const red = (comment: 'always' | 'on-change' | 'on-failure', words = 'Red.') => saying(words, { mark: { comment } })
  const green = (comment: 'always' | 'on-change' | 'on-failure') =>
    saying('Green.', { conclusion: 'success', mark: { comment, fails: false } })

  test('an unchanged comment is not written again', async () => {
    await post(red('always'))
    await post(red('always'))
    expect(writes()).toEqual(['issues/create-comment'])
  })

  test('on-change: other words for the same figures are not worth a change, other figures are', async () => {
    await post(red('on-change'))
    const { check, ...rest } = red('on-change')
    await post({ ...rest, check: { ...check, summary: 'Red, in other words.' } })
    expect(github.comments.map(wordsOf)).toEqual(['Red.'])
    await post(green('on-change'))
    expect(github.comments.map(wordsOf)).toEqual(['Green.'])
  })

  test('on-failure: nothing is said of a pass, and a red comment does not stay when it is mended', async () => {
    await post(green('on-failure'))
    expect(github.comments).toEqual([])
    await post(red('on-failure'))
    await post(green('on-failure'))
    expect(github.comments.map(wordsOf)).toEqual(['Green.'])
  })
})
