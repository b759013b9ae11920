import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { baseFinder } from '../../src/github/base.js'
import { findBaseline } from '../../src/github/findBaseline.js'
import type { Event } from '../../src/github/context.js'
import { readInputs } from '../../src/github/inputs.js'
import { readConfig, readRequest } from '../../src/github/request.js'
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
    'model models/a.onnx: is kept by DVC and not here; run `dvc pull models/a.onnx.dvc` in a step before the gate',
  ],
  [
    'models/a.onnx.dvc',
    'model models/a.onnx: is kept by DVC and not here; run `dvc pull models/a.onnx.dvc` in a step before the gate, and give model: models/a.onnx',
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

test('a change to a model that DVC keeps is no first adoption, which would pass: auto says how to get the old one', async () => {
  const { workspace, event, base } = await pullRequest()
  const asked = { spec: 'auto', model: join(workspace, 'models/a.onnx'), workspace, guarded: true }
  expect(await findBaseline(asked, baseFinder(event), locateInGit(gitEnvironment))).toEqual({
    kind: 'broken',
    reason: `models/a.onnx at ${base.slice(0, 10)} is kept by DVC: fetch it in a step before the gate with \`dvc get . models/a.onnx --rev ${base} --out baseline.onnx\`, and give baseline: path:baseline.onnx.`,
  })
})
