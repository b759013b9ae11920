import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { gateMarker, sharedMarker } from '../../src/github/comment.js'
import type { Client } from '../../src/github/client.js'
import { publish } from '../../src/github/publish.js'
import { clientOf } from '../support/github/client.js'
import { actionsToken, forkToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { headSha, saying, wordsOf } from '../support/github/publication.js'

const publication = saying('Robust accuracy falls.')
const nothing = { warnings: [], notes: [] }

let github: LoopbackGitHub
const client = (token: string): Client => clientOf(github.url, token, { owner: 'Codertocat', repo: 'Hello-World' })

beforeEach(async () => {
  github = await startGitHub({
    repository: 'Codertocat/Hello-World',
    pullRequests: [2],
    tokens: {
      writes: actionsToken,
      reads: forkToken,
      commentsOnly: { app: 'github-actions', comments: 'write', checks: 'none' },
      otherCommentsOnly: { app: 'model-keeper', comments: 'write', checks: 'none' },
      otherApp: { app: 'model-keeper', comments: 'write', checks: 'write' },
      person: { person: 'octocat', comments: 'write', checks: 'read' },
    },
  })
})
afterEach(() => github.close())

describe('one comment for a gate', () => {
  test('the second run replaces what the first one said', async () => {
    expect(await publish(client('writes'), publication)).toEqual(nothing)
    expect(await publish(client('writes'), saying('All is well.'))).toEqual(nothing)
    expect(github.comments).toEqual([
      {
        ...{ id: expect.any(Number), pullRequest: 2, login: 'github-actions[bot]' },
        body: expect.stringMatching(/^<!-- robustness-gate comment .* -->\nAll is well\.$/),
      },
    ])
  })

  test('comment and check are cut to what GitHub takes', async () => {
    expect(await publish(client('writes'), saying('ε is 0.1.\n\n'.repeat(10_000)))).toEqual(nothing)
    const { summary } = github.checkRuns[0].output
    for (const text of [github.comments[0].body, summary ?? '']) {
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(65_535)
      expect(text).toMatch(/\nε is 0\.1\.\n+The rest of this report (was too long to be shown|did not fit) here/)
    }
    expect(github.comments[0].body.startsWith(sharedMarker)).toBe(true)
  })

  test('is found behind two hundred and fifty others', async () => {
    for (let id = 0; id < 250; id += 1) github.comments.push({ id, pullRequest: 2, login: 'octocat', body: 'Nice.' })
    github.comments.push({ id: 250, pullRequest: 2, login: 'github-actions[bot]', body: `${sharedMarker}-->\nold` })
    await publish(client('writes'), publication)
    expect(github.comments).toHaveLength(251)
    expect(wordsOf(github.comments[250])).toBe('Robust accuracy falls.')
  })

  test('a person who copies the marker keeps the comment', async () => {
    github.comments.push({ id: 1, pullRequest: 2, login: 'mallory', body: `${sharedMarker}-->\n✅ pass` })
    await publish(client('writes'), publication)
    expect(github.comments.map((comment) => [comment.login, wordsOf(comment)])).toEqual([
      ['mallory', '✅ pass'],
      ['github-actions[bot]', 'Robust accuracy falls.'],
    ])
  })

  test('a bot that quotes the comment of the gate is not overwritten', async () => {
    github.comments.push({ id: 1, pullRequest: 2, login: 'github-actions[bot]', body: `> ${sharedMarker}-->\nI agree` })
    await publish(client('writes'), publication)
    expect(github.comments).toHaveLength(2)
  })

  test.each([
    ['otherApp', 'model-keeper[bot]'],
    ['person', 'octocat'],
    ['commentsOnly', 'github-actions[bot]'],
    // It may not ask who it is, and cannot be told by its check runs.
    ['otherCommentsOnly', 'model-keeper[bot]'],
  ])('the token of %s finds its own comment again', async (token, login) => {
    await publish(client(token), publication)
    await publish(client(token), publication)
    expect(github.comments.map((comment) => comment.login)).toEqual([login])
  })

  test('a token that may not ask who it is learns it from its first comment: it creates no second one', async () => {
    const { warnings } = await publish(client('otherCommentsOnly'), publication)
    expect(warnings).toEqual([expect.stringContaining('The check run was skipped')])
    expect(github.operations.filter((id) => id === 'issues/create-comment')).toHaveLength(1)
    expect(github.comments.map(wordsOf)).toEqual(['Robust accuracy falls.'])
  })

  test('a comment that is not listed yet is not created again', async () => {
    github.breakOperation('issues/list-comments', { status: 200, body: [] })
    expect(await publish(client('writes'), publication)).toEqual(nothing)
    expect(github.comments).toHaveLength(1)
  })
})

test.each(['--> <img src=x>', 'a -- b', '"><!--', 'Gate 🛡', '\ud800'])('the name %j cannot end the marker', (name) => {
  expect(gateMarker(name)).toMatch(/^<!-- robustness-gate gate="[^"<>-]*" $/)
})

describe('one check run for a gate', () => {
  test('sits on the head of the pull request, and a repeated run replaces it', async () => {
    await publish(client('writes'), publication)
    await publish(client('writes'), saying('All is well.', { conclusion: 'success' }))
    expect(github.checkRuns).toEqual([
      expect.objectContaining({
        head_sha: headSha,
        name: 'Robustness gate',
        status: 'completed',
        conclusion: 'success',
      }),
    ])
  })

  test('leaves the check run of a job of the same name alone', async () => {
    const job = {
      ...{ id: 7, name: 'Robustness gate', head_sha: headSha, app: 'github-actions', external_id: 'job-42' },
      ...{ details_url: null, status: 'in_progress', conclusion: null, output: { title: null, summary: null } },
    }
    github.checkRuns.push({ ...job })
    await publish(client('writes'), publication)
    expect(github.checkRuns).toEqual([job, expect.objectContaining({ conclusion: 'failure' })])
  })
})

describe('what cannot be posted is a warning, never an error', () => {
  test('a fork’s token: one warning that names both permissions', async () => {
    const { warnings } = await publish(client('reads'), publication)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain('`checks: write` and `pull-requests: write`')
    expect(github.comments).toEqual([])
    expect(github.checkRuns).toEqual([])
  })

  test('a token without checks: the comment is posted, the warning names the one permission', async () => {
    const { warnings } = await publish(client('commentsOnly'), publication)
    expect(warnings).toEqual([expect.stringContaining('The check run was skipped: the token lacks `checks: write`.')])
    expect(github.comments).toHaveLength(1)
  })

  test.each([
    [404, 'Not Found'],
    [422, 'Validation Failed'],
    [502, 'Bad Gateway'],
  ])('a %i of the comment leaves the check run', async (status, message) => {
    github.breakOperation('issues/create-comment', {
      status,
      body: { message, documentation_url: 'https://docs.github.com/rest' },
    })
    const { warnings } = await publish(client('writes'), publication)
    expect(warnings).toEqual([
      expect.stringMatching(new RegExp(`The comment could not be posted \\(${status} ${message}`)),
    ])
    expect(github.checkRuns).toHaveLength(1)
  })

  test('a rate limit is not taken for a missing permission', async () => {
    const limit = {
      message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
    }
    github.breakOperation('checks/create', { status: 403, body: limit })
    const [warning] = (await publish(client('writes'), publication)).warnings
    expect(warning).toContain('secondary rate limit')
    expect(warning).not.toContain('checks: write')
  })

  test('an expired token: advice to look at it', async () => {
    const { warnings } = await publish(client('expired'), publication)
    expect(warnings).toEqual([
      expect.stringMatching(/^The check run and the comment .*401 Bad credentials.*is `github-token` still valid\?/),
    ])
  })

  test('a server that is not there: one warning', async () => {
    const nowhere = clientOf('http://127.0.0.1:1', 'writes', { owner: 'Codertocat', repo: 'Hello-World' })
    expect((await publish(nowhere, publication)).warnings).toHaveLength(1)
  })
})
