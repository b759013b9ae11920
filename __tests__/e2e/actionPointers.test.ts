import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { pullRequestScene } from '../support/github/pullRequestScene.js'
import type { PullRequestScene } from '../support/github/pullRequestScene.js'
import type { Content } from '../support/github/repository.js'
import { installAction } from '../support/github/runner.js'
import type { InstalledAction } from '../support/github/runner.js'

/** Models and data that a commit has only a pointer to, on the built action. */

const hardened = readFileSync('fixtures/fashion/fashion-hardened.onnx')
const finetuned = readFileSync('fixtures/fashion/fashion-finetuned.onnx')
const model = 'models/classifier.onnx'
const data: Content = { 'data/test.npz': readFileSync('fixtures/fashion/fashion-test.npz') }
const inputs = { model, data: 'data/test.npz', epsilon: '0.1', samples: '16', suite: 'quick', decision: 'observed' }

let action: InstalledAction
beforeAll(async () => {
  action = await installAction()
})
afterAll(() => action.remove())

let scene: PullRequestScene
beforeEach(async () => {
  scene = await pullRequestScene(action)
})
afterEach(() => scene.close())

describe('Git LFS', () => {
  const oid = createHash('sha256').update(hardened).digest('hex')
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${hardened.length}\n`

  test('a baseline that the base commit has a pointer to is fetched by git-lfs, and compared', async () => {
    // Stands in for git-lfs: `smudge` turns a pointer into the object of that name.
    const bin = join(scene.hosted.folder, 'bin')
    await mkdir(bin)
    await writeFile(join(bin, oid), hardened)
    const program = `#!/bin/sh\n[ "$1" = smudge ] || exit 2\ncat "${bin}/$(sed -n 's/^oid sha256://p')"\n`
    await writeFile(join(bin, 'git-lfs'), program)
    await chmod(join(bin, 'git-lfs'), 0o755)
    const pull = await scene.open({ ...data, [model]: pointer }, { [model]: finetuned })
    const outcome = await scene.run(pull, inputs, { PATH: `${bin}:${process.env.PATH}` })
    expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'regression' }, warnings: [] })
    expect(outcome.summary).toContain(oid)
  })

  test.each([
    ['model', { ...data, [model]: pointer }],
    ['data', { [model]: finetuned, 'data/test.npz': pointer }],
  ])('a %s that the checkout left as a pointer is told, with what to set', async (_, changes) => {
    const outcome = await scene.run(await scene.open({ 'README.md': '.' }, changes), inputs)
    expect(outcome).toMatchObject({ status: 2, outputs: { verdict: 'error' } })
    expect(outcome.errors).toEqual([expect.stringMatching(/is a Git LFS pointer, .*`lfs: true` on actions\/checkout/)])
  })
})

describe('DVC', () => {
  const outs = (path: string) => `outs:\n- md5: ${'a'.repeat(32)}\n  size: 3\n  hash: md5\n  path: ${path}\n`

  test.each([
    ['model', { ...data, [`${model}.dvc`]: outs('classifier.onnx') }, {}, `model ${model}`, `${model}.dvc`],
    ['data', { [model]: finetuned, 'data.dvc': outs('data') }, {}, 'data data/test.npz', 'data.dvc'],
    [
      'labels',
      { ...data, [model]: finetuned, 'labels.dvc': outs('labels') },
      { labels: 'labels' },
      'labels labels',
      'labels.dvc',
    ],
  ])('%s that nobody has pulled are told in one line, with the command', async (_, changes, given, named, target) => {
    const outcome = await scene.run(await scene.open({ 'README.md': '.' }, changes), { ...inputs, ...given })
    expect(outcome).toMatchObject({ status: 2, outputs: { verdict: 'error' } })
    expect(outcome.errors).toEqual([
      `${named}: is kept by DVC and not here; run \`dvc pull ${target}\` before the gate`,
    ])
  })

  test('a baseline that DVC keeps is no first adoption, which would pass: the report has the command that gets it', async () => {
    const before = { ...data, 'dvc.lock': `stages:\n  train:\n    outs:\n    - path: ${model}\n` }
    // The candidate is in git from now on.
    const pull = await scene.open(before, { [model]: finetuned })
    const outcome = await scene.run(pull, inputs)
    expect(outcome).toMatchObject({ status: 1, outputs: { verdict: 'inconclusive' } })
    expect(outcome.summary).toContain('the baseline is broken')
    expect(outcome.summary).toMatch(new RegExp(`dvc get . ${model} --rev [^ ]+ --out baseline.onnx`))
  })
})
