import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { findAddon, requireCuda } from '../../src/runtime/findAddon.js'
import type { AddonPlaces } from '../../src/runtime/findAddon.js'
import { pinnedPackage } from '../../src/runtime/pinnedPackage.js'
import { engineVersion } from '../../src/version.js'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'addon-'))
})
afterEach(() => rm(root, { recursive: true }))

const arm = { platform: 'linux', arch: 'arm64', musl: false }
const inPackage = (...rest: string[]) => join('bin', 'napi-v6', 'linux', 'arm64', ...rest)

async function put(path: string, content = ''): Promise<string> {
  await mkdir(join(root, path, '..'), { recursive: true })
  await writeFile(join(root, path), content)
  return join(root, path)
}

function found(places: Partial<AddonPlaces> = {}): Promise<string> {
  const own = ['dist', 'installed'].map((name) => join(root, name))
  return findAddon(pinnedPackage, { machine: arm, own, installed: '', ...places })
}

test('what the program brings along is used and nothing fetched: the usual runner works offline', async () => {
  const addon = await put(join('dist', inPackage('onnxruntime_binding.node')))
  const fetch = () => Promise.reject(new Error('fetched'))
  expect(await found({ fetch })).toBe(addon)
})

test('in a clone what npm ci has installed is used', async () => {
  const addon = await put(join('installed', inPackage('onnxruntime_binding.node')))
  expect(await found()).toBe(addon)
})

test('elsewhere it is fetched, and where nothing can be kept people are told what to do', async () => {
  expect(await found({ fetch: () => Promise.resolve('/tools') })).toBe('/tools/onnxruntime_binding.node')
  await expect(found()).rejects.toThrow(/^onnxruntime for linux arm64 is not here: run `npm ci`/)
})

test.each([
  ['macOS on Intel', { platform: 'darwin', arch: 'x64', musl: false }, 'darwin x64'],
  ['FreeBSD', { platform: 'freebsd', arch: 'x64', musl: false }, 'freebsd x64'],
  ['32 bits', { platform: 'linux', arch: 'arm', musl: false }, 'linux arm'],
  ['Alpine', { platform: 'linux', arch: 'x64', musl: true }, 'Linux without glibc (Alpine)'],
])('%s is told in one sentence that it cannot run, and which can', async (_, machine, name) => {
  await expect(found({ machine, fetch: () => Promise.resolve('/tools') })).rejects.toThrow(
    `onnxruntime ${engineVersion} has no build for ${name}; run the gate on Linux with glibc (x64, arm64), macOS on Apple silicon or Windows`,
  )
})

test.each(['linux x64', 'linux arm64', 'darwin arm64', 'win32 x64', 'win32 arm64'])(
  'the pinned package has an addon for %s: nobody is sent to fetch what is not in it',
  async (name) => {
    const [platform, arch] = name.split(' ')
    const machine = { platform, arch, musl: false }
    const addon = await found({ machine, own: [join('node_modules', 'onnxruntime-node')] })
    expect(addon).toMatch(new RegExp(`napi-v6.${platform}.${arch}.onnxruntime_binding\\.node$`))
  },
)

describe('the input onnxruntime', () => {
  test('goes before everything else', async () => {
    await put(join('dist', inPackage('onnxruntime_binding.node')))
    const addon = await put(join('own', inPackage('onnxruntime_binding.node')))
    await put('own/package.json', JSON.stringify(pinnedPackage))
    expect(await found({ installed: join(root, 'own') })).toBe(addon)
  })

  test.each([
    ['a folder that is no such package', '{}', 'is no folder of an installed onnxruntime-node'],
    ['what is no JSON', '', 'is no folder of an installed onnxruntime-node'],
    ['another version', '{"name": "onnxruntime-node", "version": "1.20.0"}', 'holds onnxruntime-node 1.20.0'],
    ['another machine’s', JSON.stringify(pinnedPackage), 'has no addon for linux arm64'],
  ])('refuses %s: other versions give other results', async (_, text, message) => {
    await put('own/package.json', text)
    await expect(found({ installed: join(root, 'own') })).rejects.toThrow(message)
  })
})

test('CUDA needs libraries that the package lacks, and the message says how to get them', async () => {
  const addon = await put('own/onnxruntime_binding.node')
  await expect(requireCuda(addon, pinnedPackage)).rejects.toThrow(
    `npm install onnxruntime-node@${engineVersion} --onnxruntime-node-install=cuda12`,
  )
  await put('own/libonnxruntime_providers_cuda.so')
  await expect(requireCuda(addon, pinnedPackage)).resolves.toBeUndefined()
})

test('what is fetched is what package-lock.json names, so that every machine runs the tested version', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version: string; readonly integrity: string }>>
  }
  const { version, integrity } = packages['node_modules/onnxruntime-node']
  expect(pinnedPackage).toEqual({ name: 'onnxruntime-node', version, integrity })
  expect(engineVersion).toBe(version)
})
