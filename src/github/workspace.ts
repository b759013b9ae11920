import { lstat, realpath } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, sep } from 'node:path'
import { UsageError } from '../errors.js'
import { pause as sleeping } from '../remote/pause.js'
import { gitIn, gitText } from './git.js'
import type { RunGit } from './git.js'
import { patientGit } from './patientGit.js'

/** A file of the workspace as git knows it. */
export interface TrackedFile {
  /** Runs at the root of the repository the file is in. */
  readonly git: RunGit
  /** From that root, with slashes; git's name of the file in every commit. */
  readonly path: string
}

/** Finds the repository a file is in; undefined where there is none. Neither the file nor its folder need exist. */
export type LocateInGit = (file: string) => Promise<TrackedFile | undefined>

/** Settings for git in one repository; see `gitIn`. */
export type GitSettings = (git: RunGit) => Promise<readonly (readonly [key: string, value: string])[]>

/**
 * The repository is found, and the file named in it, by the path as it is written: a pull request that puts a symbolic
 * link in the place of a folder, or a submodule of its own, must not choose where the base commit is looked into.
 *
 * @param environment - Of this process; see `gitIn`.
 * @param settingsFor - Asked once for every repository.
 * @param pause - Between attempts to reach a remote.
 * @returns One and the same `git` for all files of a repository.
 */
export function locateInGit(
  environment: Readonly<Record<string, string | undefined>>,
  settingsFor: GitSettings = () => Promise.resolve([]),
  pause = sleeping,
): LocateInGit {
  const repositories = new Map<string, Promise<RunGit>>()
  const open = async (root: string) =>
    patientGit(gitIn(root, environment, await settingsFor(gitIn(root, environment))), pause)
  return async (file) => {
    const root = await repositoryOf(dirname(file), environment)
    if (root === undefined) return undefined
    const git = repositories.get(root) ?? open(root)
    repositories.set(root, git)
    return { git: await git, path: relative(root, file).split(sep).join('/') }
  }
}

/**
 * The nearest folder at or above this one that is a checkout of its own; of a submodule, the checkout it belongs to. Git
 * itself is not asked: it would follow links, and take a folder that is laid out like a bare repository for one. A
 * commit can hold both, but nothing called .git.
 */
async function repositoryOf(
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  for (let root = folder; ; root = dirname(root)) {
    const present = await lstat(join(root, '.git')).catch(() => undefined)
    if (present !== undefined && !(await isSubmodule(gitIn(root, environment)))) return root
    if (root === dirname(root)) return undefined
  }
}

async function isSubmodule(git: RunGit): Promise<boolean> {
  return (await gitText(git, ['rev-parse', '--show-superproject-working-tree'])) !== ''
}

/**
 * Refuses a path of the workspace that leads through a symbolic link: a pull request decides what its links point at, and
 * what they point at may be changed without a change at this path.
 *
 * @param path - Absolute.
 * @throws UsageError
 */
export async function refuseLinks(path: string, workspace: string): Promise<void> {
  for (const root of [workspace, await realpath(workspace)]) {
    const parts = relative(root, path).split(sep)
    if (parts[0] === '..' || isAbsolute(parts[0])) continue
    for (const [place] of parts.entries()) {
      const name = join(...parts.slice(0, place + 1))
      const isLink = (await lstat(join(root, name)).catch(() => undefined))?.isSymbolicLink() === true
      if (isLink)
        throw new UsageError(
          `${join(...parts)}: ${name} is a symbolic link, and a pull request could point it elsewhere; name the file or folder itself`,
        )
    }
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
