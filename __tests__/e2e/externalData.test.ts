import { expect, test } from '@jest/globals'
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inTemporaryFolder, root, runCli } from '../support/cli.js'
import { splitWeights } from '../support/externalWeights.js'

const model = join(root, 'fixtures/fashion/fashion-hardened.onnx')
const attack = [
  ...['--data', join(root, 'fixtures/fashion/fashion-test.npz'), '--samples', '16'],
  ...['--suite', 'quick', '--epsilon', '0.1'],
]

test('weights in three files of a subfolder are found, whatever they are called', async () => {
  await inTemporaryFolder(async (cwd) => {
    await splitModel(join(cwd, 'models'))
    const evaluated = await runCli(['evaluate', '--model', 'models/split.onnx', ...attack, '--out', 'split'], { cwd })
    expect(evaluated).toMatchObject({ status: 0 })
    const whole = await runCli(['evaluate', '--model', model, ...attack, '--out', 'whole'], { cwd })
    expect(whole).toMatchObject({ status: 0 })
    const [split, expected] = await Promise.all(
      ['split', 'whole'].map(async (out) => JSON.parse(await readFile(join(cwd, out, 'results.json'), 'utf8'))),
    )
    expect(split.samples).toEqual(expected.samples)
    const inspected = await runCli(['inspect', 'models/split.onnx'], { cwd })
    expect(inspected).toMatchObject({ status: 0, stderr: '' })
    const gradient = await runCli(['gradient', 'models/split.onnx', '--out', 'gradient.onnx'], { cwd })
    expect(gradient).toMatchObject({ status: 0, stderr: '' })
    // Other weights are another model, though the file that was named is the same to the byte.
    await splitModel(join(cwd, 'before'))
    const part = join(cwd, 'models', PARTS[1])
    await writeFile(part, (await readFile(part)).fill(0, 0, 64))
    await runCli(['gate', '--candidate', 'models/split.onnx', '--baseline', 'before/split.onnx', ...attack], { cwd })
    const [candidate, baseline] = await Promise.all(
      ['results', 'baseline'].map(async (file) =>
        JSON.parse(await readFile(join(cwd, 'robustness-gate-results', `${file}.json`), 'utf8')),
      ),
    )
    expect(baseline.model.sha256).toBe(split.model.sha256)
    expect(candidate.model.sha256).not.toBe(baseline.model.sha256)
    expect(candidate.samples).not.toEqual(baseline.samples)
  })
})

test('weights outside the folder of the model, or behind a link, are not read', async () => {
  await inTemporaryFolder(async (cwd) => {
    await splitModel(join(cwd, 'models'))
    await rm(join(cwd, 'models', PARTS[2]))
    const missing = await runCli(['inspect', 'models/split.onnx'], { cwd })
    expect(missing.status).toBe(2)
    expect(missing.stderr).toContain(`models/${PARTS[2]}: no such file`)
    await writeFile(join(cwd, 'secret'), 'secret')
    await symlink(join(cwd, 'secret'), join(cwd, 'models', PARTS[2]))
    const linked = await runCli(['inspect', 'models/split.onnx'], { cwd })
    expect(linked.status).toBe(2)
    expect(linked.stderr).toContain('symbolic link')
    await splitModel(join(cwd, 'other'), '../secret')
    const outside = await runCli(['inspect', 'other/split.onnx'], { cwd })
    expect(outside.status).toBe(2)
    expect(outside.stderr).toContain("save it with weights inside the model's own folder")
  })
})

const PARTS = ['weights/first.bin', 'weights/deep/second', 'third-part.data']

async function splitModel(folder: string, lastPart = PARTS[2]): Promise<void> {
  const split = splitWeights(await readFile(model), [PARTS[0], `./${PARTS[1]}`, lastPart])
  await mkdir(join(folder, 'weights/deep'), { recursive: true })
  await writeFile(join(folder, 'split.onnx'), split.model)
  for (const [place, name] of PARTS.entries()) await writeFile(join(folder, name), split.parts[place])
}
