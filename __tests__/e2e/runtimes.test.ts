import { readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { exampleOf } from '../support/github/payloads.js'
import { installAction, runJob } from '../support/github/runner.js'
import type { InstalledAction, Outcome } from '../support/github/runner.js'
import { startRegistry } from '../runtime/registry.js'
import type { Registry } from '../runtime/registry.js'
import { pinnedPackage } from '../../src/runtime/pinnedPackage.js'
import { engineVersion } from '../../src/version.js'

/**
 * The built action on a machine that it brings no onnxruntime for: this one, with dist/bin taken away. A registry on this machine
 * cannot serve the very archive that is pinned, so where it has to be served another one is pinned in the copy that is run.
 */

const installed = join(process.cwd(), 'node_modules', 'onnxruntime-node')
const addon = join(installed, 'bin', 'napi-v6', process.platform, process.arch)

let action: InstalledAction
let machine: string
let workspace: string
beforeEach(async () => {
  action = await installAction()
  await rm(join(action.folder, 'dist', 'bin'), { recursive: true })
  machine = await mkdtemp(join(tmpdir(), 'machine-'))
  workspace = join(machine, 'workspace')
  for (const name of ['workspace', 'tools', 'temporary']) await mkdir(join(machine, name))
  await writeFile(join(workspace, 'model.onnx'), readFileSync('fixtures/fashion/fashion-hardened.onnx'))
  await writeFile(join(workspace, 'test.npz'), readFileSync('fixtures/fashion/fashion-test.npz'))
})
afterEach(async () => {
  await action.remove()
  await rm(machine, { recursive: true })
})

function run(inputs: Record<string, string> = {}, environment: Record<string, string> = {}): Promise<Outcome> {
  const common = {
    model: 'model.onnx',
    data: 'test.npz',
    baseline: 'none',
    epsilon: '0.1',
    samples: '16',
    suite: 'quick',
  }
  return runJob(action, {
    ...{ workspace, event: 'workflow_dispatch', payload: exampleOf('workflow_dispatch'), sha: 'a'.repeat(40) },
    ...{ apiUrl: 'http://127.0.0.1:9', token: '', inputs: { ...common, ...inputs } },
    environment: {
      ...{ RUNNER_TOOL_CACHE: join(machine, 'tools'), RUNNER_TEMP: join(machine, 'temporary') },
      ...environment,
    },
  })
}

test('what an earlier job has put into the tool cache is used, and npm is not asked', async () => {
  const folder = join(machine, 'tools', 'onnxruntime-node', engineVersion, process.arch)
  await cp(addon, folder, { recursive: true })
  await writeFile(`${folder}.complete`, '')
  const outcome = await run({}, { PATH: '' })
  expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'pass' } })
  expect(outcome.log).not.toContain('Fetching')
})

/** What npm ci has installed, as far as this machine needs it, at a registry. */
async function registryWithAddon(): Promise<Registry> {
  const names = (await readdir(addon)).map((name) => join(addon, name))
  const contents = await Promise.all(
    names.map(async (path) => [path.replace(installed + sep, ''), await readFile(path)] as const),
  )
  return startRegistry('onnxruntime-node', engineVersion, Object.fromEntries(contents))
}

/** As if package-lock.json named another archive. */
async function pin(integrity: string): Promise<void> {
  const bundle = join(action.folder, 'dist', 'main', 'index.js')
  const [before, after, ...more] = (await readFile(bundle, 'utf8')).split(pinnedPackage.integrity)
  expect({ after: typeof after, more }).toEqual({ after: 'string', more: [] })
  await writeFile(bundle, before + integrity + after)
}

test('the pinned archive is fetched with npm, once for all jobs of the machine, and a model is attacked with it', async () => {
  const registry = await registryWithAddon()
  try {
    await pin(registry.pinned.integrity)
    const first = await run({}, { PATH: process.env.PATH ?? '', ...registry.environment })
    expect(first).toMatchObject({ status: 0, outputs: { verdict: 'pass' }, warnings: [] })
    expect(first.log).toContain(`Fetching onnxruntime-node ${engineVersion} for ${process.platform} ${process.arch}`)
    const results = JSON.parse(readFileSync(first.outputs.results, 'utf8')) as { samples: unknown[] }
    expect(results).toMatchObject({ tool: { engine: `onnxruntime ${engineVersion}` } })
    expect(results.samples).toHaveLength(16)
    const kept = join(machine, 'tools', 'onnxruntime-node', engineVersion, process.arch)
    expect((await readdir(kept)).sort()).toEqual((await readdir(addon)).sort())
    const asked = registry.requests.filter((path) => path === '/archive.tgz')
    const second = await run({}, { PATH: '' })
    expect(second).toMatchObject({ status: 0, outputs: first.outputs })
    expect(registry.requests.filter((path) => path === '/archive.tgz')).toEqual(asked)
  } finally {
    await registry.close()
  }
})

test('another archive than the pinned one is refused with one sentence, and nothing of it is kept', async () => {
  const library = { [join('bin', 'napi-v6', process.platform, process.arch, 'onnxruntime_binding.node')]: 'another' }
  const registry = await startRegistry('onnxruntime-node', engineVersion, library)
  try {
    const outcome = await run({}, { PATH: process.env.PATH ?? '', ...registry.environment })
    expect(registry.requests).toContain('/archive.tgz')
    expect(outcome).toMatchObject({ status: 2, outputs: { verdict: 'error' } })
    expect(outcome.errors).toEqual([expect.stringMatching(/what npm fetched is not the package that was tested/)])
    expect(await readdir(join(machine, 'tools'))).toEqual([])
  } finally {
    await registry.close()
  }
})

describe('the input onnxruntime', () => {
  test('names a package that somebody has installed: no registry is needed', async () => {
    const outcome = await run({ onnxruntime: installed }, { PATH: '' })
    expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'pass' } })
    const results = JSON.parse(readFileSync(outcome.outputs.results, 'utf8')) as object
    expect(results).toMatchObject({ tool: { engine: `onnxruntime ${engineVersion}` } })
  })

  test('without one and without npm, the job says in one sentence what to do', async () => {
    const outcome = await run({}, { PATH: '' })
    expect(outcome).toMatchObject({ status: 2, outputs: { verdict: 'error' } })
    expect(outcome.errors).toEqual([
      expect.stringMatching(
        /could not be fetched with npm \(there is no npm on this machine\); give .* the input onnxruntime/,
      ),
    ])
  })
})

describe('execution-provider: cuda', () => {
  test('on a machine without onnxruntime’s libraries for it ends with status 2 and what to install', async () => {
    const outcome = await run({ 'execution-provider': 'cuda', onnxruntime: installed })
    expect(outcome).toMatchObject({ status: 2, outputs: { verdict: 'error' } })
    expect(outcome.errors).toEqual([
      expect.stringMatching(
        /^execution-provider cuda: .* --onnxruntime-node-install=cuda12`, and give the input onnxruntime its folder$/,
      ),
    ])
  })

  test('with libraries that cannot be loaded, as without a driver, ends with status 2 and what it needs', async () => {
    const own = join(machine, 'onnxruntime-node')
    await cp(join(installed, 'package.json'), join(own, 'package.json'))
    const folder = join(own, 'bin', 'napi-v6', process.platform, process.arch)
    await cp(addon, folder, { recursive: true })
    await writeFile(join(folder, 'libonnxruntime_providers_cuda.so'), 'no library')
    const outcome = await run({ 'execution-provider': 'cuda', onnxruntime: own })
    expect(outcome).toMatchObject({ status: 2, outputs: { verdict: 'error' } })
    expect(outcome.errors).toEqual([
      expect.stringMatching(
        /^execution-provider cuda: onnxruntime cannot use it on this machine .*it needs an NVIDIA driver, CUDA 12/,
      ),
    ])
  })

  test('is one of two', async () => {
    const outcome = await run({ 'execution-provider': 'tpu' })
    expect(outcome.errors).toEqual([expect.stringMatching(/^input execution-provider: "tpu" is none of cpu, cuda/)])
  })
})
