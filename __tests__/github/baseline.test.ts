import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { baseFinder } from '../../src/github/base.js'
import type { Event } from '../../src/github/context.js'
import { findBaseline } from '../../src/github/findBaseline.js'
import { locateInGit } from '../../src/github/workspace.js'
import { baselineOf, checkOutPull, textOf } from '../support/github/checkedOutPull.js'
import type { CheckedOutPull } from '../support/github/checkedOutPull.js'
import { git, gitEnvironment, hostRepository } from '../support/github/repository.js'
import type { Content, HostedRepository } from '../support/github/repository.js'

let hosted: HostedRepository
beforeEach(async () => {
  hosted = await hostRepository()
})
afterEach(() => hosted.remove())

const pullRequest = (before: Content, changes: Content): Promise<CheckedOutPull> =>
  checkOutPull(hosted, before, changes)

function broken(reason: RegExp): object {
  return { kind: 'broken', reason: expect.stringMatching(reason) }
}

describe('auto', () => {
  test('is the model at the base commit, with the weights beside it', async () => {
    const files = { 'models/a.onnx': 'old', 'models/a.onnx.data': 'old weights', 'models/b.onnx': 'other' }
    const pull = await pullRequest(files, { 'models/a.onnx': 'new', 'models/a.onnx.data': 'new weights' })
    const baseline = await baselineOf(pull, 'auto')
    expect(baseline).toMatchObject({ kind: 'model', model: { name: `models/a.onnx at ${pull.base}` } })
    expect(textOf(baseline)).toBe('old')
    expect(baseline).toMatchObject({ model: { external: { 'a.onnx.data': Buffer.from('old weights') } } })
  })

  test('a model in the root of the repository', async () => {
    const pull = await pullRequest({ 'a.onnx': 'old' }, { 'a.onnx': 'new' })
    expect(textOf(await baselineOf(pull, 'auto', gitEnvironment, 'a.onnx'))).toBe('old')
  })

  test.each(['a model.onnx', 'mod*l.onnx', ':(top)a.onnx', '-x.onnx', 'modèle\tü.onnx'])(
    'the name %j is a name, not a pattern or an option',
    async (name) => {
      const pull = await pullRequest({ [name]: 'old', 'model.onnx': 'another' }, { [name]: 'new' })
      expect(textOf(await baselineOf(pull, 'auto', gitEnvironment, name))).toBe('old')
    },
  )

  test('a model the base does not have is a first adoption, and says so', async () => {
    const pull = await pullRequest({}, { 'models/a.onnx': 'new' })
    expect(await baselineOf(pull, 'auto')).toEqual({
      kind: 'missing',
      reason: `There is no models/a.onnx at ${pull.base}: this is the first adoption of a model.`,
    })
  })

  test('a new path that takes the place of one that is removed is told, with what compares the two: a warning, since it passes', async () => {
    const pull = await pullRequest(
      { 'models/old.onnx': 'strong', 'models/other.onnx': 'other', 'README.md': '.' },
      { 'models/a.onnx': 'weak', 'models/old.onnx': null, 'README.md': null },
    )
    const moved =
      'The pull request removes models/old.onnx: if that is the model this one replaces, compare them with baseline: path:models/old.onnx.'
    expect(await baselineOf(pull, 'auto')).toEqual({
      kind: 'missing',
      reason: `There is no models/a.onnx at ${pull.base}: this is the first adoption of a model. ${moved}`,
      warning: moved,
    })
    expect(textOf(await baselineOf(pull, 'path:models/old.onnx'))).toBe('strong')
  })

  describe('a model that git does not hold (a step downloads or trains it) tells nothing of what it replaces', () => {
    const before = { '.gitignore': 'models/\n', 'train.py': 'a good recipe' }
    const fetched = async (changes: Content): Promise<CheckedOutPull> => {
      const pull = await pullRequest(before, changes)
      await mkdir(join(pull.workspace, 'models'), { recursive: true })
      await writeFile(join(pull.workspace, 'models/a.onnx'), 'weak')
      return pull
    }

    test.each(['auto', 'ref:main'])(
      '%s of a pull request: no first adoption, which would always pass',
      async (spec) => {
        const pull = await fetched({ 'train.py': 'a bad recipe' })
        expect(await baselineOf(pull, spec)).toEqual({
          kind: 'broken',
          reason: `There is no models/a.onnx at ${pull.base}, and git holds no models/a.onnx in this commit either, so nothing tells what it replaces; upload results on the base branch (upload: true in a gate on push; actions: read here), or give baseline: artifact:…, path:… or results:….`,
        })
      },
    )

    test('of a merge group likewise', async () => {
      const { workspace, event } = await fetched({ 'train.py': 'a bad recipe' })
      const { headSha, baseSha } = event
      const group: Event = { kind: 'merge_group', headSha, baseSha, headRef: 'gh-readonly-queue/main/pr-2-x' }
      const asked = { spec: 'auto', model: join(workspace, 'models/a.onnx'), workspace, guarded: true }
      expect(await findBaseline(asked, baseFinder(group), locateInGit(gitEnvironment))).toMatchObject({
        kind: 'broken',
      })
    })

    test('of a push it passes: its upload is what pull requests are compared with', async () => {
      const { workspace, event, base } = await fetched({ 'train.py': 'a bad recipe' })
      const { headSha, baseSha: previous } = event
      const push: Event = {
        ...{ kind: 'push', ref: 'refs/heads/main', before: previous, headSha, defaultBranch: 'main', commits: [] },
      }
      const asked = { spec: 'auto', model: join(workspace, 'models/a.onnx'), workspace, guarded: false }
      expect(await findBaseline(asked, baseFinder(push), locateInGit(gitEnvironment))).toEqual({
        kind: 'missing',
        reason: `There is no models/a.onnx at ${base}: this is the first adoption of a model. Git holds no models/a.onnx in this commit either, so pull requests are compared with what this run uploads (upload: true).`,
      })
    })
  })

  test('a symbolic link in the base is not followed', async () => {
    await mkdir(join(hosted.folder, 'origin/models'))
    await symlink('/etc/passwd', join(hosted.folder, 'origin/models/a.onnx'))
    const pull = await pullRequest({}, { 'README.md': 'changed' })
    expect(await baselineOf(pull, 'auto')).toMatchObject(broken(/models\/a\.onnx at .*: is a symbolic link/))
  })

  test('a folder that is a link in the base is no first adoption', async () => {
    const before = { 'other/a.onnx': 'old', models: { link: 'other' } }
    const pull = await pullRequest(before, { models: null, 'models/a.onnx': 'new' })
    expect(await baselineOf(pull, 'auto')).toMatchObject(
      broken(/models\/a\.onnx at .*: models is a symbolic link there/),
    )
  })

  test('a folder that the pull request replaces by a link: the base is asked for the path that was written', async () => {
    const changes = { 'models/a.onnx': null, 'other/a.onnx': 'weak', models: { link: 'other' } }
    const pull = await pullRequest({ 'models/a.onnx': 'old' }, changes)
    expect(textOf(await baselineOf(pull, 'auto'))).toBe('old')
  })

  test('a folder that the pull request replaces by a submodule does not bring a base commit of its own', async () => {
    const pull = await pullRequest({ 'models/a.onnx': 'old' }, {})
    const other = await hosted.checkout(await hosted.commit('other', { 'a.onnx': 'weak' }), 1)
    await git(pull.workspace, 'rm', '--quiet', '-r', 'models')
    await rename(other, join(pull.workspace, 'models'))
    await git(pull.workspace, 'add', 'models')
    expect(await git(pull.workspace, 'ls-files', '--stage', 'models')).toMatch(/^160000 /)
    expect(textOf(await baselineOf(pull, 'auto'))).toBe('old')
  })

  test('a folder that is laid out like a bare repository is a folder', async () => {
    const bare = { 'models/HEAD': 'ref: refs/heads/main\n', 'models/refs/x': 'x', 'models/objects/x': 'x' }
    const pull = await pullRequest({ 'models/a.onnx': 'old' }, { 'models/a.onnx': 'new', ...bare })
    expect(textOf(await baselineOf(pull, 'auto'))).toBe('old')
  })

  test('a model outside of any checkout: advice', async () => {
    const pull = await pullRequest({}, {})
    await rename(join(pull.workspace, '.git'), join(hosted.folder, 'gone'))
    await mkdir(join(pull.workspace, 'models'))
    await expect(baselineOf(pull, 'auto')).rejects.toThrow('run actions/checkout before the gate')
  })
})

describe('Git LFS', () => {
  const content = 'the real model'
  const oid = createHash('sha256').update(content).digest('hex')
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${content.length}\n`

  /** Stands in for git-lfs: `smudge` turns a pointer into the object of that name in a folder. */
  async function gitLfs(objects: Record<string, string>): Promise<Record<string, string>> {
    const bin = join(hosted.folder, 'bin')
    await mkdir(bin)
    for (const [name, object] of Object.entries(objects)) await writeFile(join(bin, name), object)
    const program = `#!/bin/sh\n[ "$1" = smudge ] || exit 2\ncat "${bin}/$(sed -n 's/^oid sha256://p')"\n`
    await writeFile(join(bin, 'git-lfs'), program)
    await chmod(join(bin, 'git-lfs'), 0o755)
    return { ...gitEnvironment, PATH: `${bin}:${gitEnvironment.PATH}` }
  }

  test('a pointer in the base becomes the model', async () => {
    const pull = await pullRequest({ 'models/a.onnx': pointer }, { 'models/a.onnx': 'new' })
    expect(textOf(await baselineOf(pull, 'auto', await gitLfs({ [oid]: content })))).toBe(content)
  })

  test.each([
    ['delivers other bytes', { [oid]: 'something else' }],
    ['cannot fetch them', {}],
  ])('git-lfs %s: broken, with advice', async (_, objects) => {
    const pull = await pullRequest({ 'models/a.onnx': pointer }, { 'models/a.onnx': 'new' })
    expect(await baselineOf(pull, 'auto', await gitLfs(objects))).toMatchObject(
      broken(/is a Git LFS pointer and its content could not be fetched \(.*\); install git-lfs/),
    )
  })

  test('where it is not installed: git says so', async () => {
    const pull = await pullRequest({ 'models/a.onnx': pointer }, { 'models/a.onnx': 'new' })
    // Of all commands git alone is there.
    const bin = join(hosted.folder, 'bin')
    await mkdir(bin)
    const git = execFileSync('which', ['git'], { encoding: 'utf8' }).trim()
    await symlink(git, join(bin, 'git'))
    const environment = { ...gitEnvironment, PATH: bin }
    expect(await baselineOf(pull, 'auto', environment)).toMatchObject(
      broken(/could not be fetched \(git: 'lfs' is not a git command/),
    )
  })

  // As people have reported them to git-lfs: issues 1858, 3448 and 3687, and what Go says of a connection.
  test.each([
    'batch response: Rate limit exceeded: https://github.com/o/r.git/info/lfs/objects/batch',
    'batch response: Fatal error: Server error: https://github.com/o/r.git/info/lfs/objects/batch',
    'batch response: Service Unavailable',
    'batch response: Post "https://github.com/o/r.git/info/lfs/objects/batch": dial tcp: lookup github.com: no such host',
    'read tcp 10.0.0.2:50000->140.82.121.3:443: read: connection reset by peer',
    'unexpected EOF',
  ])('its server fails (%s): broken, with a warning, since the policy may let the model pass', async (said) => {
    const pull = await pullRequest({ 'models/a.onnx': pointer }, { 'models/a.onnx': 'new' })
    const environment = await gitLfs({})
    const whole = `Error downloading object: models/a.onnx (f00): Smudge error: Error downloading models/a.onnx (f00): ${said}`
    await writeFile(join(hosted.folder, 'bin/git-lfs'), `#!/bin/sh\ncat >&2 <<'end'\n${whole}\nend\nexit 2\n`)
    const found = await baselineOf(pull, 'auto', environment)
    const told = expect.stringMatching(/^The baseline could not be had: models\/a\.onnx at .*; run the job again/)
    expect(found).toEqual({ kind: 'broken', reason: told, warning: told })
    expect('reason' in found && found.reason).toContain(said)
  })

  test('what git-lfs says of an object that its server has lost is told, and not where its log lies', async () => {
    const pull = await pullRequest({ 'models/a.onnx': pointer }, { 'models/a.onnx': 'new' })
    const environment = await gitLfs({})
    const said = [
      'Downloading models/a.onnx (14 B)',
      'Error downloading object: models/a.onnx (f00): Smudge error: [404] Object does not exist on the server',
      '',
      'Errors logged to /home/runner/work/r/r/.git/lfs/logs/1.log.',
      'Use `git lfs logs last` to view the log.',
    ]
    const program = `#!/bin/sh\ncat >&2 <<'end'\n${said.join('\n')}\nend\nexit 2\n`
    await writeFile(join(hosted.folder, 'bin/git-lfs'), program)
    const found = await baselineOf(pull, 'auto', environment)
    expect(found).toMatchObject(
      broken(/could not be fetched \(Error downloading object: .*does not exist on the server\)/),
    )
    expect(JSON.stringify(found)).not.toContain('/home/runner')
  })
})

describe('ref', () => {
  test.each(['release', 'v1', 'sha'])('by %s, fetched into a shallow clone', async (kind) => {
    const root = await hosted.commit('main', { 'models/a.onnx': 'first' })
    const released = await hosted.commit('release', { 'models/a.onnx': 'released' }, root)
    await hosted.git('tag', 'v1', released)
    const pull = await pullRequest({ 'models/a.onnx': 'old' }, { 'models/a.onnx': 'new' })
    expect(textOf(await baselineOf(pull, `ref:${kind === 'sha' ? released : kind}`))).toBe('released')
  })

  test.each(['nowhere', '--upload-pack=evil', 'a..b', 'main:models', 'x^{/y}'])(
    '%j is refused in one line',
    async (ref) => {
      const pull = await pullRequest({ 'models/a.onnx': 'old' }, {})
      await expect(baselineOf(pull, `ref:${ref}`)).rejects.toThrow(/^baseline ref:[^\n]+$/)
    },
  )
})

describe('a file that cannot be used is a broken baseline, which the policy decides about', () => {
  test('an empty model at the base', async () => {
    const pull = await pullRequest({ 'models/a.onnx': '' }, { 'models/a.onnx': 'new' })
    expect(await baselineOf(pull, 'auto')).toMatchObject(broken(/models\/a\.onnx at .*: is empty/))
    expect(await baselineOf(pull, 'ref:main')).toMatchObject(broken(/is empty/))
  })

  test.each(['path', 'results'])(
    '%s: a file that is not there; where the runner keeps its files is not told',
    async (kind) => {
      const pull = await pullRequest({ 'models/a.onnx': 'a' }, {})
      const found = await baselineOf(pull, `${kind}:gone.file`)
      expect(found).toMatchObject(broken(/^The baseline cannot be used: gone\.file: no such file or folder/))
      expect(JSON.stringify(found)).not.toContain(pull.workspace)
    },
  )
})

test.each(['main', 'path:', 'model.onnx', 'file:x', ''])('baseline %j: says what to write', async (spec) => {
  const pull = await pullRequest({ 'models/a.onnx': 'a' }, {})
  await expect(baselineOf(pull, spec)).rejects.toThrow(
    `baseline "${spec}": write auto, none, ref:BRANCH, ref:SHA, path:FILE, results:FILE, artifact:NAME, release:TAG/NAME or https://…#sha256=…`,
  )
})
