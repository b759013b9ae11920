import { realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
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

/**
 * @param environment - Of this process; see `gitIn`.
 * @param configuration - Settings for git, see `gitIn`.
 */
export function locateInGit(
  environment: Readonly<Record<string, string | undefined>>,
  configuration: readonly (readonly [key: string, value: string])[] = [],
): LocateInGit {
  return async (file) => {
    const folder = await realpath(dirname(file)).catch(() => undefined)
    if (folder === undefined) return undefined
    const asked = await gitIn(folder, environment)(['rev-parse', '--show-toplevel', '--show-prefix'])
    if (asked.code !== 0) {
      if (asked.stderr.includes('not a git repository')) return undefined
      throw new Error(`git rev-parse in ${folder} ended with ${asked.code}: ${lastLine(asked.stderr)}`)
    }
    const [root = '', prefix = ''] = Buffer.from(asked.stdout).toString('utf8').split('\n')
    return { git: gitIn(root, environment, configuration), path: join(prefix, basename(file)).replaceAll('\\', '/') }
  }
}

/**
 * Lets git read a private repository whose checkout left no credentials behind (`persist-credentials: false`).
 * Where the checkout did leave them, git has its own: a second Authorization header would make GitHub refuse both.
 *
 * @returns Settings for `gitIn`; empty without a token or where the checkout has credentials.
 */
export async function fetchCredentials(
  git: RunGit,
  serverUrl: string,
  token: string | undefined,
): Promise<readonly (readonly [key: string, value: string])[]> {
  if (!token) return []
  const { code } = await git(['config', '--get-regexp', '^http\\..*\\.extraheader$'])
  if (code === 0) return []
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64')
  return [[`http.${serverUrl}/.extraheader`, `AUTHORIZATION: basic ${basic}`]]
}
