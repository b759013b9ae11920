import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { baseFinder } from '../../src/github/base.js'
import { findBaseline } from '../../src/github/findBaseline.js'
import type { Event } from '../../src/github/context.js'
import { keptByDvc } from '../../src/github/dvc.js'
import { gitIn } from '../../src/github/git.js'
import { readInputs } from '../../src/github/inputs.js'
import { readConfig, readRequest } from '../../src/github/request.js'
import { filesOf } from '../../src/github/tree.js'
import { locateInGit } from '../../src/github/workspace.js'
import { gitEnvironment, hostRepository } from '../support/github/repository.js'
import type { HostedRepository } from '../support/github/repository.js'

let hosted: HostedRepository
beforeEach(async () => {
  hosted = await hostRepository()
})
afterEach(() => hosted.remove())

const pointer = (md5: string) => `outs:\n- md5: ${md5.repeat(32)}\n  size: 3\n  hash: md5\n  path: a.onnx\n`

/** A pull request that changes what DVC keeps, and therefore only the pointer. */
async function pullRequest() {
  const before = { 'models/a.onnx.dvc': pointer('a'), 'models/.gitignore': '/a.onnx\n', 'test.npz.dvc': pointer('b') }
  const base = await hosted.commit('main', before)
  const head = await hosted.commit('feature', { 'models/a.onnx.dvc': pointer('c') }, base)
  const workspace = await hosted.checkout(await hosted.merge(2, base, head), 1)
  const event: Event = { kind: 'pull_request', number: 2, headSha: head, baseRef: 'main', baseSha: base, fork: false }
  return { workspace, event, base }
}

async function request(
  { workspace, event }: Awaited<ReturnType<typeof pullRequest>>,
  settings: Record<string, string>,
) {
  const openRemote = () => Promise.reject(new Error('fetched'))
  const place = { workspace, event, findBase: baseFinder(event), locate: locateInGit(gitEnvironment), openRemote }
  const inputs = { ...readInputs(() => ''), settings }
  return readRequest(await readConfig(inputs, place), inputs, place)
}

test.each([
  [
    'models/a.onnx',
    'model models/a.onnx: is kept by DVC and not here; run `dvc pull models/a.onnx.dvc` before the gate',
  ],
  [
    'models/a.onnx.dvc',
    'model models/a.onnx: is kept by DVC and not here; run `dvc pull models/a.onnx.dvc` before the gate, and give model: models/a.onnx',
  ],
])('a model that DVC keeps (%s) is not missing: the command that brings it is named', async (model, message) => {
  await expect(request(await pullRequest(), { model, data: 'test.npz' })).rejects.toThrow(new Error(message))
})

test('so are data', async () => {
  const pull = await pullRequest()
  await writeFile(join(pull.workspace, 'models/a.onnx'), 'new')
  await expect(request(pull, { model: 'models/a.onnx', data: 'test.npz' })).rejects.toThrow(
    'data test.npz: is kept by DVC and not here; run `dvc pull test.npz.dvc`',
  )
})

describe('whatever a gate reads may be kept by DVC', () => {
  const images = 'data/t10k-images-idx3-ubyte'
  const labels = 'data/t10k-labels-idx1-ubyte'
  const all = {
    'models/a.onnx': 'new',
    [images]: '\0\0\b\x03',
    [labels]: 'y',
    'names.txt': 'shirt\n',
    'own-labels': 'y',
  }
  const everything = { model: 'models/a.onnx', data: images, classNames: 'names.txt' }

  test.each([
    ['labels beside the images', labels, {}, `labels ${labels}`],
    ['labels of another name', 'own-labels', { labels: 'own-labels' }, 'labels own-labels'],
    ['names of the classes', 'names.txt', {}, 'class-names names.txt'],
  ])('%s', async (_, path, settings, named) => {
    const pull = await pullRequest()
    await put(pull.workspace, { ...all, [path]: null, [`${path}.dvc`]: pointer('d') })
    await expect(request(pull, { ...everything, ...settings })).rejects.toThrow(
      `${named}: is kept by DVC and not here; run \`dvc pull ${path}.dvc\` before the gate`,
    )
  })

  test('a committed baseline, which is broken then', async () => {
    const pull = await pullRequest()
    await put(pull.workspace, { ...all, 'old.onnx.dvc': pointer('d') })
    const { baseline } = await request(pull, { ...everything, baseline: 'path:old.onnx' })
    expect(baseline).toMatchObject({
      kind: 'broken',
      reason: expect.stringContaining('baseline old.onnx: is kept by DVC and not here; run `dvc pull old.onnx.dvc`'),
    })
  })
})

describe('what DVC keeps without a pointer of its own', () => {
  const lock = (path: string) =>
    `schema: '2.0'\nstages:\n  train:\n    cmd: python train.py\n    outs:\n    - path: ${path}\n      hash: md5\n      md5: ${'a'.repeat(32)}\n      size: 3\n`

  test.each([
    ['in a folder', { 'models.dvc': pointer('c') }, 'models.dvc'],
    ['made by a pipeline', { 'dvc.lock': lock('models/a.onnx') }, 'models/a.onnx'],
    ['made by a pipeline of its folder', { 'models/dvc.lock': lock('a.onnx') }, 'models/a.onnx'],
    ['in a folder that a pipeline makes', { 'dvc.lock': lock('models') }, 'models/a.onnx'],
  ])('%s: it is not missing, and no first adoption', async (_, files, target) => {
    const base = await hosted.commit('main', { 'README.md': '.', ...files })
    const head = await hosted.commit('feature', { 'README.md': 'Words.' }, base)
    const workspace = await hosted.checkout(await hosted.merge(2, base, head), 1)
    const event: Event = { kind: 'pull_request', number: 2, headSha: head, baseRef: 'main', baseSha: base, fork: false }
    await expect(request({ workspace, event, base }, { model: 'models/a.onnx', data: 'x.npz' })).rejects.toThrow(
      `model models/a.onnx: is kept by DVC and not here; run \`dvc pull ${target}\` before the gate`,
    )
    const asked = { spec: 'auto', model: join(workspace, 'models/a.onnx'), workspace, guarded: true }
    expect(await findBaseline(asked, baseFinder(event), locateInGit(gitEnvironment))).toMatchObject({
      kind: 'broken',
      reason: expect.stringContaining(`\`dvc get . models/a.onnx --rev ${base} --out baseline.onnx\``),
    })
  })

  test.each([
    ['a pipeline with a folder to work in', { 'dvc.yaml': 'wdir: models\n', 'dvc.lock': lock('a.onnx') }],
    ['a pipeline of another folder', { 'train/dvc.lock': lock('../models/a.onnx') }],
    ['a pointer of another name', { 'models/m.dvc': pointer('c') }],
  ])('%s is not recognised, and passes for no first adoption either', async (_, files) => {
    const base = await hosted.commit('main', { '.gitignore': '*.onnx\n', ...files })
    const head = await hosted.commit('feature', { 'README.md': 'Words.' }, base)
    const workspace = await hosted.checkout(await hosted.merge(2, base, head), 1)
    await put(workspace, { 'models/a.onnx': 'pulled' })
    const event: Event = { kind: 'pull_request', number: 2, headSha: head, baseRef: 'main', baseSha: base, fork: false }
    const asked = { spec: 'auto', model: join(workspace, 'models/a.onnx'), workspace, guarded: true }
    expect(await findBaseline(asked, baseFinder(event), locateInGit(gitEnvironment))).toMatchObject({
      ...{ kind: 'broken', reason: expect.stringContaining('git holds no models/a.onnx in this commit either') },
    })
  })

  test.each([
    ['empty lines', '\n'.repeat(1e6)],
    ['spaces', `    - path: a${' '.repeat(1e6)}b\n`],
    ['aliases', `a: &a [x]\nb: [${'*a,'.repeat(3e5)}*a]\n`],
    ['brackets', `${'['.repeat(1e6)}\n`],
  ])('%s, a megabyte of them in a lock, hang nobody, and what it names is found', async (_, hostile) => {
    const base = await hosted.commit('main', { 'dvc.lock': `${hostile}${lock('models/a.onnx')}` })
    const files = filesOf(gitIn(join(hosted.folder, 'origin'), gitEnvironment), base)
    expect(await keptByDvc('models/a.onnx', base, files)).toContain('is kept by DVC')
  })

  test('another file of the same folder or pipeline does not make a new model one that DVC keeps', async () => {
    const base = await hosted.commit('main', { 'models/b.onnx.dvc': pointer('c'), 'dvc.lock': lock('models/b.onnx') })
    const head = await hosted.commit('feature', { 'models/a.onnx': 'new' }, base)
    const workspace = await hosted.checkout(await hosted.merge(2, base, head), 1)
    const event: Event = { kind: 'pull_request', number: 2, headSha: head, baseRef: 'main', baseSha: base, fork: false }
    const asked = { spec: 'auto', model: join(workspace, 'models/a.onnx'), workspace, guarded: true }
    expect(await findBaseline(asked, baseFinder(event), locateInGit(gitEnvironment))).toMatchObject({ kind: 'missing' })
  })
})

async function put(folder: string, files: Readonly<Record<string, string | null>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true })
    if (content === null) await rm(join(folder, name), { force: true })
    else await writeFile(join(folder, name), content)
  }
}

test('a change to a model that DVC keeps is no first adoption, which would pass: auto says how to get the old one', async () => {
  const { workspace, event, base } = await pullRequest()
  const asked = { spec: 'auto', model: join(workspace, 'models/a.onnx'), workspace, guarded: true }
  expect(await findBaseline(asked, baseFinder(event), locateInGit(gitEnvironment))).toEqual({
    kind: 'broken',
    reason: `models/a.onnx at ${base.slice(0, 10)} is kept by DVC: fetch it in a step before the gate with \`dvc get . models/a.onnx --rev ${base} --out baseline.onnx\`, and give baseline: path:baseline.onnx.`,
  })
})
