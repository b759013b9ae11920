import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Git as on a machine where nobody has configured anything. */
export const gitEnvironment = {
  PATH: process.env.PATH ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
}

const author = { name: 'Mona', email: 'mona@example.com', date: '2026-01-01T00:00:00Z' }

/** What a file shall hold, or what it shall point at. Null deletes it. */
export type Content = Readonly<Record<string, string | Uint8Array | null | { readonly link: string }>>

/** A repository such as GitHub hosts, made by git itself, and clones of it such as a runner makes. */
export interface HostedRepository {
  readonly folder: string
  readonly url: string
  /** Commits files onto a branch (made from `from` when it is new). Returns the commit. */
  readonly commit: (branch: string, files: Content, from?: string) => Promise<string>
  /** GitHub's test merge of a pull request: refs/pull/N/merge, the base as first parent. */
  readonly merge: (number: number, base: string, head: string) => Promise<string>
  /** What actions/checkout leaves behind. `depth` 0 fetches everything. */
  readonly checkout: (commit: string, depth: number) => Promise<string>
  readonly git: (...args: string[]) => Promise<string>
  readonly remove: () => Promise<void>
}

export async function git(folder: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute('git', args, {
    cwd: folder,
    env: {
      ...gitEnvironment,
      ...{ GIT_AUTHOR_NAME: author.name, GIT_AUTHOR_EMAIL: author.email, GIT_AUTHOR_DATE: author.date },
      ...{ GIT_COMMITTER_NAME: author.name, GIT_COMMITTER_EMAIL: author.email, GIT_COMMITTER_DATE: author.date },
    },
  })
  return stdout.trim()
}

export async function hostRepository(): Promise<HostedRepository> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'hosted-')))
  const origin = join(folder, 'origin')
  await mkdir(origin)
  const run = (...args: string[]) => git(origin, ...args)
  await run('init', '--quiet', '--initial-branch=main')
  await run('config', 'uploadpack.allowReachableSHA1InWant', 'true')
  let checkouts = 0
  const url = pathToFileURL(origin).href
  return {
    folder,
    url,
    git: run,
    async commit(branch, files, from) {
      const exists = await run('rev-parse', '--verify', '--quiet', `refs/heads/${branch}`).then(
        () => true,
        () => false,
      )
      if (exists) await run('checkout', '--quiet', branch)
      else if (from !== undefined) await run('checkout', '--quiet', '-b', branch, from)
      for (const [name, content] of Object.entries(files)) {
        const path = join(origin, name)
        await mkdir(dirname(path), { recursive: true })
        if (content === null) await rm(path)
        else if (typeof content === 'object' && 'link' in content) {
          await rm(path, { recursive: true, force: true })
          await symlink(content.link, path)
        } else await writeFile(path, content)
      }
      await run('add', '--all')
      await run('commit', '--quiet', '--allow-empty', '-m', `change ${Object.keys(files).join(', ')}`)
      return run('rev-parse', 'HEAD')
    },
    async merge(number, base, head) {
      await run('checkout', '--quiet', '--detach', base)
      await run('merge', '--quiet', '--no-ff', '-m', `Merge ${head} into ${base}`, head)
      await run('update-ref', `refs/pull/${number}/merge`, 'HEAD')
      await run('update-ref', `refs/pull/${number}/head`, head)
      return run('rev-parse', 'HEAD')
    },
    async checkout(commit, depth) {
      checkouts += 1
      const workspace = join(folder, `workspace-${checkouts}`)
      await mkdir(workspace)
      const here = (...args: string[]) => git(workspace, ...args)
      await here('init', '--quiet', '--initial-branch=unused')
      await here('remote', 'add', 'origin', url)
      const everything = ['+refs/heads/*:refs/remotes/origin/*', '+refs/pull/*:refs/remotes/pull/*']
      await here(
        'fetch',
        '--quiet',
        '--no-tags',
        ...(depth > 0 ? [`--depth=${depth}`, 'origin', commit] : ['origin', ...everything]),
      )
      await here('checkout', '--quiet', '--detach', commit)
      return workspace
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
