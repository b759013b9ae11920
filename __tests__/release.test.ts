import { execFile } from 'node:child_process'
import { chmod, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { git, gitEnvironment, hostRepository } from './support/github/repository.js'
import type { HostedRepository } from './support/github/repository.js'

/** `vX` is what other people's workflows run: it must be neither missed nor moved to anything but the newest release. */

/** The command line of GitHub, as far as it is asked for releases. */
const gh = `#!/bin/sh
case "$1 $2" in
  'release view') grep -qx "$3" "$RELEASES" ;;
  'release create') test ! -e "$RELEASES.broken" && echo "$3" >> "$RELEASES" ;;
esac
`

let hosted: HostedRepository
let releases: string
beforeEach(async () => {
  hosted = await hostRepository()
  releases = join(hosted.folder, 'releases')
  await writeFile(releases, '')
  await writeFile(join(hosted.folder, 'gh'), gh)
  await chmod(join(hosted.folder, 'gh'), 0o755)
})
afterEach(() => hosted.remove())

const saying = (version: string) => ({ 'package.json': JSON.stringify({ version }) })

/** Runs the script as a job does that has checked out a commit with everything. */
async function release(command: 'check' | 'publish', version: string, commit: string) {
  const cwd = await hosted.checkout(commit, 0)
  await git(cwd, 'fetch', '--quiet', '--tags', 'origin')
  const PATH = [hosted.folder, ...gitEnvironment.PATH.split(':')].join(':')
  const env = { ...gitEnvironment, PATH, RELEASES: releases }
  return promisify(execFile)(resolve('scripts/release.sh'), [command, version], { cwd, env }).then(
    ({ stdout }) => ({ status: 0, said: stdout.trim() }),
    (error: { readonly code: number; readonly stderr: string }) => ({ status: error.code, said: error.stderr.trim() }),
  )
}

const at = (tag: string) => hosted.git('rev-parse', `refs/tags/${tag}`)
const released = async () => (await readFile(releases, 'utf8')).trim().split('\n')

describe('refused before anything is tagged', () => {
  test('a commit that was never merged', async () => {
    const main = await hosted.commit('main', saying('1.0.0'))
    expect(await release('check', 'v1.0.0', main)).toEqual({ status: 0, said: '1.0.0' })
    const other = await hosted.commit('feature', { 'README.md': 'x' }, 'main')
    expect(await release('check', '1.0.0', other)).toMatchObject({
      status: 1,
      said: expect.stringContaining('not on main'),
    })
  })

  test('a version that is not package.json’s, and what is none', async () => {
    const main = await hosted.commit('main', saying('1.0.0'))
    expect(await release('check', '1.0.1', main)).toMatchObject({ status: 1, said: expect.stringContaining('1.0.0') })
    for (const version of ['1.0', 'v01.0.0', '1.0.0-rc.1', 'main', '$(id)'])
      expect(await release('check', version, main)).toMatchObject({
        status: 1,
        said: expect.stringContaining('is no X.Y.Z'),
      })
  })

  test('a version that another commit has; the same commit’s is a release that is run again', async () => {
    const first = await hosted.commit('main', saying('1.0.0'))
    await release('publish', '1.0.0', first)
    const second = await hosted.commit('main', { 'README.md': 'x' })
    expect(await release('check', '1.0.0', first)).toMatchObject({ status: 0 })
    expect(await release('check', '1.0.0', second)).toMatchObject({ status: 1 })
    expect(await release('publish', '1.0.0', second)).toMatchObject({ status: 1 })
    expect(await at('v1.0.0')).toBe(first)
  })
})

test('a release is tagged and made, and vX is moved from the one before', async () => {
  const first = await hosted.commit('main', saying('1.9.0'))
  expect(await release('publish', '1.9.0', first)).toEqual({ status: 0, said: 'v1 is v1.9.0' })
  const second = await hosted.commit('main', saying('1.10.0'))
  expect(await release('publish', '1.10.0', second)).toEqual({ status: 0, said: 'v1 is v1.10.0' })
  expect(await Promise.all(['v1.9.0', 'v1.10.0', 'v1'].map(at))).toEqual([first, second, second])
  expect(await released()).toEqual(['v1.9.0', 'v1.10.0'])
})

test('a patch of an older version, or of an older line, moves no workflow back', async () => {
  const patch = await hosted.commit('main', saying('1.0.1'))
  const minor = await hosted.commit('main', saying('1.1.0'))
  const major = await hosted.commit('main', saying('10.0.0'))
  await release('publish', '1.1.0', minor)
  await release('publish', '10.0.0', major)
  expect(await release('publish', '1.0.1', patch)).toMatchObject({ status: 0 })
  expect(await Promise.all(['v1.0.1', 'v1', 'v10'].map(at))).toEqual([patch, minor, major])
  expect(await released()).toContain('v1.0.1')
})

test('run again after it broke half way: the rest is done, and vX is moved', async () => {
  const commit = await hosted.commit('main', saying('1.0.0'))
  await writeFile(`${releases}.broken`, '')
  expect(await release('publish', '1.0.0', commit)).toMatchObject({ status: 1 })
  await rm(`${releases}.broken`)
  const again = () => release('publish', '1.0.0', commit)
  expect([await again(), await again()]).toEqual(Array(2).fill({ status: 0, said: 'v1 is v1.0.0' }))
  expect(await at('v1')).toBe(commit)
  expect(await released()).toEqual(['v1.0.0'])
})
