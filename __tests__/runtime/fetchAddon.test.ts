import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import * as toolCache from '@actions/tool-cache'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { fetchAddon } from '../../src/runtime/fetchAddon.js'
import type { FetchEffects, PinnedPackage } from '../../src/runtime/fetchAddon.js'
import { npmClient } from '../../src/runtime/npm.js'
import { startRegistry } from './registry.js'
import type { Registry } from './registry.js'

/** The machine's real npm client and the toolkit's real tool cache, with a registry of our own. */

const files = {
  'bin/napi-v6/linux/arm64/onnxruntime_binding.node': 'the addon',
  'bin/napi-v6/linux/arm64/libonnxruntime.so.1': 'the library',
  'bin/napi-v6/win32/x64/onnxruntime_binding.node': 'another',
}

let registry: Registry
let machine: string
const before = { cache: process.env.RUNNER_TOOL_CACHE, temporary: process.env.RUNNER_TEMP }
beforeEach(async () => {
  registry = await startRegistry('onnxruntime-node', '1.30.0', files)
  machine = await mkdtemp(join(tmpdir(), 'machine-'))
  for (const name of ['tools', 'temporary', 'path']) await mkdir(join(machine, name))
  process.env.RUNNER_TOOL_CACHE = join(machine, 'tools')
  process.env.RUNNER_TEMP = join(machine, 'temporary')
})
afterEach(async () => {
  process.env.RUNNER_TOOL_CACHE = before.cache
  process.env.RUNNER_TEMP = before.temporary
  await registry.close()
  await rm(machine, { recursive: true })
})

function fetched(pinned: PinnedPackage, environment: Record<string, string> = {}): Promise<string> {
  const told: string[] = []
  const effects: FetchEffects = {
    platform: 'linux',
    arch: 'arm64',
    npm: npmClient({ ...process.env, ...registry.environment, ...environment }, 'linux'),
    tools: () => Promise.resolve(toolCache),
    temporary: join(machine, 'temporary'),
    info: (message) => told.push(message),
  }
  return fetchAddon(pinned, effects)
}

/** Names of all that is left on the machine beside what is in the tool cache. */
const leftovers = () => readdir(join(machine, 'temporary'))

test('the package comes from the registry that npm’s user has set, and only this machine’s addon is kept, once for all jobs', async () => {
  const folder = await fetched(registry.pinned)
  expect(folder).toBe(join(machine, 'tools', 'onnxruntime-node', '1.30.0', 'arm64'))
  expect((await readdir(folder)).sort()).toEqual(['libonnxruntime.so.1', 'onnxruntime_binding.node'])
  expect(await readFile(join(folder, 'onnxruntime_binding.node'), 'utf8')).toBe('the addon')
  expect(registry.requests).toContain('/archive.tgz')
  expect(await leftovers()).toEqual([])
  const { length } = registry.requests
  expect(await fetched(registry.pinned)).toBe(folder)
  expect(registry.requests).toHaveLength(length)
})

test('another archive than the lock file’s is not unpacked: a registry cannot put its own code on the runner', async () => {
  const pinned = { ...registry.pinned, integrity: `sha512-${'A'.repeat(86)}==` }
  await expect(fetched(pinned)).rejects.toThrow(
    /^onnxruntime-node 1\.30\.0: what npm fetched is not the package that was tested .*check npm’s registry$/,
  )
  expect(await readdir(join(machine, 'tools'))).toEqual([])
  expect(await leftovers()).toEqual([])
})

test('a version that the registry has not is told with npm’s own words and a way out', async () => {
  await expect(fetched({ ...registry.pinned, version: '1.31.0' })).rejects.toThrow(
    /^onnxruntime-node 1\.31\.0 could not be fetched with npm \(.*1\.31\.0.*\); give npm a registry that has it, or the input onnxruntime /,
  )
  expect(await leftovers()).toEqual([])
})

test('a machine without npm is told so', async () => {
  await expect(fetched(registry.pinned, { PATH: join(machine, 'path') })).rejects.toThrow(
    /there is no npm on this machine/,
  )
})

test('on Windows, where only a shell starts npm, the package is fetched, too, and the shell’s words are told when it is missing', async () => {
  const environment = { ...process.env, ...registry.environment }
  await expect(npmClient(environment, 'win32')(['--version'], machine)).resolves.toBeUndefined()
  const nothing = { PATH: join(machine, 'path') }
  await expect(npmClient(nothing, 'win32')(['--version'], machine)).rejects.toThrow(/npm.*not found/)
})

test('npm gets no input of the action and no token of the runner, and is not run in the workspace', async () => {
  const npm = join(machine, 'path', 'npm')
  await writeFile(npm, `#!/bin/sh\nenv > ${join(machine, 'environment')}\npwd > ${join(machine, 'folder')}\nexit 1\n`)
  await chmod(npm, 0o755)
  const secrets = { 'INPUT_GITHUB-TOKEN': 'ghs_1', 'INPUT_DATA-TOKEN': 'secret_2', ACTIONS_RUNTIME_TOKEN: 'runtime_3' }
  const path = [join(machine, 'path'), process.env.PATH].join(delimiter)
  await expect(fetched(registry.pinned, { PATH: path, ...secrets })).rejects.toThrow(/status 1/)
  const seen = await readFile(join(machine, 'environment'), 'utf8')
  expect(seen).toMatch(/^npm_config_userconfig=/m)
  expect(seen).not.toMatch(/ghs_1|secret_2|runtime_3/)
  expect(await readFile(join(machine, 'folder'), 'utf8')).toMatch(join(machine, 'temporary'))
})
