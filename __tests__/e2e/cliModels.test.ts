import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { inTemporaryFolder, root, runCli } from '../support/cli.js'

/** `gate` with a config that lists several models, as people try it before they put it into a workflow. */

const fixture = (name: string) => join(root, 'fixtures/fashion', name)
const config = `
data: ${fixture('fashion-test.npz')}
baseline: ${fixture('fashion-hardened.onnx')}
epsilon: 0.1
samples: 16
suite: quick
models:
  - { name: gone, model: gone.onnx }
  - { name: tuned, model: ${fixture('fashion-finetuned.onnx')} }
  - { name: same, model: ${fixture('fashion-hardened.onnx')} }
`

test('each has a verdict, those after one that breaks, too; the exit status is the worst', async () => {
  await inTemporaryFolder(async (cwd) => {
    await writeFile(join(cwd, 'robustness.yml'), config)
    const { status, stdout, stderr } = await runCli(['gate', '--config', 'robustness.yml'], { cwd })
    expect(status).toBe(2)
    expect(stderr).toMatch(/^robustness-gate: gone: gone\.onnx: no such file/m)
    expect(stdout).toMatch(/^gone$[^]*^tuned$[^]*Regression[^]*^same$[^]*Pass/m)
    const out = join(cwd, 'robustness-gate-results')
    expect((await readdir(out)).sort()).toEqual(['same', 'tuned'])
    const comparison = JSON.parse(await readFile(join(out, 'tuned/comparison.json'), 'utf8')) as object
    expect(comparison).toMatchObject({ verdict: { outcome: 'regression' } })
    const check = await runCli(['gate', '--check', '--config', 'robustness.yml'], { cwd })
    expect(check.stdout.match(/^All in all: /gm)).toHaveLength(2)
  })
})

test('commands that take one model say so', async () => {
  await inTemporaryFolder(async (cwd) => {
    await writeFile(join(cwd, 'robustness.yml'), config)
    const { status, stderr } = await runCli(['evaluate', '--config', 'robustness.yml', '--model', 'a.onnx'], { cwd })
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringMatching(/lists models, and a flag names another/),
    })
  })
})
