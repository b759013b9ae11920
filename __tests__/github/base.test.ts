import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { baseFinder, findBase } from '../../src/github/base.js'
import type { Event } from '../../src/github/context.js'
import { gitIn } from '../../src/github/git.js'
import { git, gitEnvironment, hostRepository } from '../support/github/repository.js'
import type { HostedRepository } from '../support/github/repository.js'

let hosted: HostedRepository
beforeEach(async () => {
  hosted = await hostRepository()
})
afterEach(() => hosted.remove())

const zero = '0'.repeat(40)

function pullRequest(headSha: string, baseSha: string): Event {
  return { kind: 'pull_request', number: 2, headSha, baseRef: 'main', baseSha, fork: false }
}

async function baseIn(workspace: string, event: Event): Promise<unknown> {
  return findBase(gitIn(workspace, gitEnvironment), event)
}

/** main has moved on by `ahead` commits since the pull request of `behind` commits left it. */
async function history(ahead: number, behind: number) {
  const root = await hosted.commit('main', { 'model.onnx': 'old' })
  let head = root
  for (let i = 0; i < behind; i += 1) head = await hosted.commit('feature', { 'README.md': `text ${i}` }, root)
  let tip = root
  for (let i = 0; i < ahead; i += 1) tip = await hosted.commit('main', { 'model.onnx': `new ${i}` })
  return { root, head, tip }
}

describe('a pull request is held against what it starts from', () => {
  test.each([0, 1, 2])('GitHub’s merge commit, fetch-depth %i: its first parent', async (depth) => {
    const { root, head, tip } = await history(3, 2)
    const workspace = await hosted.checkout(await hosted.merge(2, tip, head), depth)
    // The payload's base.sha is older than the tip GitHub merged with.
    expect(await baseIn(workspace, pullRequest(head, root))).toEqual({ commit: tip })
  })

  test('main moves on after the merge commit was made: still the first parent', async () => {
    const { head, tip, root } = await history(1, 1)
    const merge = await hosted.merge(2, tip, head)
    await hosted.commit('main', { 'model.onnx': 'newest' })
    expect(await baseIn(await hosted.checkout(merge, 1), pullRequest(head, root))).toEqual({ commit: tip })
  })

  test.each([0, 1])('the head itself checked out, fetch-depth %i: where it left main', async (depth) => {
    const { root, head, tip } = await history(3, 2)
    expect(await baseIn(await hosted.checkout(head, depth), pullRequest(head, tip))).toEqual({ commit: root })
  })

  test('a shallow clone is deepened as far as it takes', async () => {
    const { root, head, tip } = await history(5, 40)
    expect(await baseIn(await hosted.checkout(head, 1), pullRequest(head, tip))).toEqual({ commit: root })
  })

  test('a head that itself merged main: the commit of main it took in', async () => {
    const { root, head, tip } = await history(1, 1)
    await hosted.git('checkout', '--quiet', 'feature')
    await hosted.git('merge', '--quiet', '--no-ff', '-m', 'catch up', tip)
    const merged = await hosted.git('rev-parse', 'HEAD')
    expect(head).not.toBe(merged)
    expect(await baseIn(await hosted.checkout(merged, 1), pullRequest(merged, root))).toEqual({ commit: tip })
  })

  test('a short way to an old ancestor does not hide that they met later', async () => {
    const root = await hosted.commit('main', { 'model.onnx': 'old' })
    await hosted.commit('side', { 'side.txt': '' }, root)
    await hosted.commit('feature', { 'feature.txt': '' }, root)
    const met = await hosted.commit('main', { 'model.onnx': 'new' })
    for (let i = 0; i < 34; i += 1) await hosted.commit('main', { 'log.txt': String(i) })
    const merge = async (branch: string, other: string) => {
      await hosted.git('checkout', '--quiet', branch)
      await hosted.git('merge', '--quiet', '--no-ff', '-m', `take ${other} in`, other)
      return hosted.git('rev-parse', 'HEAD')
    }
    const tip = await merge('main', 'side')
    const head = await merge('feature', met)
    expect(await baseIn(await hosted.checkout(head, 1), pullRequest(head, tip))).toEqual({ commit: met })
  })

  test('a run repeated after the merge is not held against itself', async () => {
    const { root, head } = await history(0, 1)
    await hosted.git('update-ref', 'refs/heads/main', head)
    expect(await baseIn(await hosted.checkout(head, 0), pullRequest(head, root))).toEqual({ commit: root })
  })

  test('no remote to ask and no history: one line that says what to do', async () => {
    const { root, head, tip } = await history(1, 1)
    const workspace = await hosted.checkout(await hosted.merge(2, tip, head), 1)
    await git(workspace, 'remote', 'set-url', 'origin', 'file:///nowhere')
    await expect(baseIn(workspace, pullRequest(head, root))).rejects.toThrow(
      /^commit [0-9a-f]{10,12} is not in the clone and could not be fetched \(.*\): check out with fetch-depth: 0.*$/,
    )
  })

  test('the clone of a shallow checkout stays shallow and the full one full', async () => {
    const { root, head, tip } = await history(2, 1)
    const full = await hosted.checkout(head, 0)
    await baseIn(full, pullRequest(head, tip))
    expect(await git(full, 'rev-parse', '--is-shallow-repository')).toBe('false')
    expect(await git(full, 'merge-base', '--is-ancestor', root, head)).toBe('')
  })
})

describe('other events', () => {
  const pushed = { defaultBranch: 'main', commits: [] } as const

  test('a push is held against the branch’s former tip', async () => {
    const { root, tip } = await history(1, 0)
    const push: Event = { kind: 'push', headSha: tip, before: root, ref: 'refs/heads/main', ...pushed }
    expect(await baseIn(await hosted.checkout(tip, 1), push)).toEqual({ commit: root })
  })

  test('a push that makes a branch is held against where it left the default branch', async () => {
    const { root, head } = await history(2, 2)
    const push: Event = { kind: 'push', headSha: head, ref: 'refs/heads/feature', ...pushed }
    expect(await baseIn(await hosted.checkout(head, 1), push)).toEqual({ commit: root })
  })

  test.each(['refs/tags/v1', 'refs/heads/release'])(
    '%s on a commit that the default branch has: held against itself, any model would pass as unchanged',
    async (ref) => {
      const { tip } = await history(1, 0)
      const push: Event = { kind: 'push', headSha: tip, ref, ...pushed }
      expect(await baseIn(await hosted.checkout(tip, 1), push)).toMatchObject({
        ...{ absent: 'none', reason: expect.stringContaining('only the absolute limits apply; baseline: ref:…') },
      })
    },
  )

  test('a tag that is moved has no baseline either', async () => {
    const { root, tip } = await history(1, 0)
    const push: Event = { kind: 'push', headSha: tip, before: root, ref: 'refs/tags/v1', ...pushed }
    expect(await findBase(undefined, push)).toMatchObject({ absent: 'none' })
  })

  test('the first push of the default branch has nothing older', async () => {
    const { root } = await history(0, 0)
    const push: Event = { kind: 'push', headSha: root, ref: 'refs/heads/main', ...pushed }
    expect(await baseIn(await hosted.checkout(root, 1), push)).toMatchObject({ absent: 'missing' })
  })

  test('a merge group is held against the commit it is merged onto', async () => {
    const { root, head, tip } = await history(2, 1)
    const group = await hosted.merge(2, tip, head)
    const event: Event = { kind: 'merge_group', headSha: group, baseSha: tip, headRef: '' }
    expect(await baseIn(await hosted.checkout(group, 1), event)).toEqual({ commit: tip })
    expect(root).not.toBe(tip)
  })

  test.each(['schedule', 'workflow_dispatch'] as const)('%s has no baseline and says so', async (kind) => {
    expect(await findBase(undefined, { kind, headSha: zero })).toMatchObject({
      absent: 'none',
      reason: expect.stringContaining('only the absolute limits apply'),
    })
  })

  test('a workspace that is no checkout: advice', async () => {
    await expect(findBase(undefined, pullRequest(zero, zero))).rejects.toThrow('run actions/checkout before the gate')
  })
})

test('the remote is asked once for all files of a repository', async () => {
  const { root, head, tip } = await history(1, 1)
  const run = gitIn(await hosted.checkout(head, 1), gitEnvironment)
  let fetches = 0
  const counted: typeof run = (args, input) => {
    if (args.includes('fetch')) fetches += 1
    return run(args, input)
  }
  const find = baseFinder(pullRequest(head, tip))
  expect([await find(counted), await find(counted)]).toEqual([{ commit: root }, { commit: root }])
  const once = fetches
  await find(counted)
  expect(fetches).toBe(once)
})
