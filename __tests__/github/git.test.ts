import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { gitIn } from '../../src/github/git.js'
import { ensureCommit } from '../../src/github/history.js'
import { fetchCredentials, locateInGit } from '../../src/github/workspace.js'
import { serveGit } from '../support/github/gitServer.js'
import { git, gitEnvironment, hostRepository } from '../support/github/repository.js'
import type { HostedRepository } from '../support/github/repository.js'

const basic = (token: string) => `basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`

describe('what git gets to see', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'git-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  /** A `git` that tells how it was called. */
  async function tellingGit(settings: readonly (readonly [string, string])[]): Promise<string> {
    await writeFile(join(folder, 'git'), '#!/bin/sh\necho "$@"\necho ---\nenv\n')
    await chmod(join(folder, 'git'), 0o755)
    const environment = {
      PATH: `${folder}${delimiter}${process.env.PATH}`,
      ...{ GITHUB_TOKEN: 'ghs_secret', 'INPUT_GITHUB-TOKEN': 'ghs_secret', AWS_SECRET_ACCESS_KEY: 'aws_secret' },
    }
    const { stdout } = await gitIn(folder, environment, settings)(['fetch', 'origin'])
    return Buffer.from(stdout).toString()
  }

  test('no secret of the job', async () => {
    expect(await tellingGit([])).not.toContain('secret')
  })

  test('credentials travel in the environment, never on the command line that every process can read', async () => {
    const [command, environment] = (await tellingGit([['http.https://github.com/.extraheader', 'credential']])).split(
      '---',
    )
    expect(command.trim()).toBe('fetch origin')
    expect(environment).toContain('GIT_CONFIG_COUNT=1')
    expect(environment).toContain('GIT_CONFIG_KEY_0=http.https://github.com/.extraheader')
    expect(environment).toContain('GIT_CONFIG_VALUE_0=credential')
  })

  test('a checkout of another user: one line that says how to allow it', async () => {
    await writeFile(
      join(folder, 'git'),
      '#!/bin/sh\necho "fatal: detected dubious ownership in repository" >&2\nexit 128\n',
    )
    await chmod(join(folder, 'git'), 0o755)
    const environment = { PATH: `${folder}${delimiter}${process.env.PATH}` }
    await expect(gitIn(folder, environment)(['rev-parse'])).rejects.toThrow(
      `git refuses ${folder}, which another user owns: run "git config --global --add safe.directory ${folder}" in a step before the gate`,
    )
  })

  test('a git that does not come to an end is stopped: one line that says which and what to do', async () => {
    await writeFile(join(folder, 'git'), '#!/bin/sh\nsleep 600 &\nwait\n')
    await chmod(join(folder, 'git'), 0o755)
    const environment = { PATH: `${folder}${delimiter}${process.env.PATH}` }
    await expect(gitIn(folder, environment, [], 0.1)(['fetch', 'origin', 'main'])).rejects.toThrow(
      /^"git fetch origin main" did not end within 0.1 s and was stopped: .* fetch-depth: 0/,
    )
  })

  test('no git on the machine: advice', async () => {
    await expect(gitIn(folder, { PATH: folder })(['version'])).rejects.toThrow('install git on the runner')
  })
})

describe('a private repository', () => {
  let hosted: HostedRepository
  let server: Awaited<ReturnType<typeof serveGit>>
  let workspace: string
  let base: string
  beforeEach(async () => {
    hosted = await hostRepository()
    base = await hosted.commit('main', { 'a.onnx': 'old' })
    workspace = await hosted.checkout(await hosted.commit('feature', { 'a.onnx': 'new' }, base), 1)
    server = await serveGit(hosted.folder, basic('ghs_token'))
    await git(workspace, 'remote', 'set-url', 'origin', `${server.url}/origin/.git`)
  })
  afterEach(async () => {
    await server.close()
    await hosted.remove()
  })

  async function fetchBase(token: string): Promise<string> {
    const locate = locateInGit(gitEnvironment, fetchCredentials(server.url, token))
    const file = await locate(join(workspace, 'a.onnx'))
    if (file === undefined) throw new Error('the workspace is no checkout')
    return ensureCommit(file.git, base)
  }

  test('the base commit is fetched with the token when the checkout left no credentials', async () => {
    expect(await fetchBase('ghs_token')).toBe(base)
  })

  test('credentials of the checkout are used alone', async () => {
    await git(workspace, 'config', `http.${server.url}/.extraheader`, `AUTHORIZATION: ${basic('ghs_token')}`)
    expect(await fetchBase('another token')).toBe(base)
  })

  test('without any: one line, and git does not wait for a password', async () => {
    await expect(fetchBase('')).rejects.toThrow(
      /^commit \S+ is not in the clone and could not be fetched: git was refused \([^\n]+\): [^\n]+$/,
    )
  })
})
