import { realpath } from 'node:fs/promises'
import { basename, dirname, posix } from 'node:path'
import { gitIn, lastLine } from './git.js'
import type { RunGit } from './git.js'

/** A file of the workspace as git knows it. */
export interface TrackedFile {
  /** Runs at the root of the repository the file is in. */
  readonly git: RunGit
  /** From that root, with slashes; git's name of the file in every commit. */
  readonly path: string
}

/** Finds the repository a file is in; undefined where there is none. The file need not exist, its folder must. */
export type LocateInGit = (file: string) => Promise<TrackedFile | undefined>

/** Settings for git in one repository; see `gitIn`. */
export type GitSettings = (git: RunGit) => Promise<readonly (readonly [key: string, value: string])[]>

/**
 * @param environment - Of this process; see `gitIn`.
 * @param settingsFor - Asked once for every repository.
 * @returns One and the same `git` for all files of a repository.
 */
export function locateInGit(
  environment: Readonly<Record<string, string | undefined>>,
  settingsFor: GitSettings = () => Promise.resolve([]),
): LocateInGit {
  const repositories = new Map<string, Promise<RunGit>>()
  const open = async (root: string) => gitIn(root, environment, await settingsFor(gitIn(root, environment)))
  return async (file) => {
    const folder = await realpath(dirname(file)).catch(() => undefined)
    if (folder === undefined) return undefined
    const asked = await gitIn(folder, environment)(['rev-parse', '--show-toplevel', '--show-prefix'])
    if (asked.code !== 0) {
      if (asked.stderr.includes('not a git repository')) return undefined
      throw new Error(`git rev-parse in ${folder} ended with ${asked.code}: ${lastLine(asked.stderr)}`)
    }
    const [root = '', prefix = ''] = Buffer.from(asked.stdout).toString('utf8').split('\n')
    const git = repositories.get(root) ?? open(root)
    repositories.set(root, git)
    return { git: await git, path: posix.join(prefix, basename(file)) }
  }
}

/**
 * Lets git read a private repository whose checkout left no credentials behind (`persist-credentials: false`).
 * Where the checkout did leave them, git has its own: a second Authorization header would make GitHub refuse both.
 */
export function fetchCredentials(serverUrl: string, token: string): GitSettings {
  return async (git) => {
    const { code } = await git(['config', '--get-regexp', '^http\\..*\\.extraheader$'])
    if (code === 0 || token === '') return []
    const basic = Buffer.from(`x-access-token:${token}`).toString('base64')
    return [[`http.${serverUrl}/.extraheader`, `AUTHORIZATION: basic ${basic}`]]
  }
}
