import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { inTemporaryFolder, root, runCli } from '../support/cli.js'

const hardened = join(root, 'fixtures/fashion/fashion-hardened.onnx')
const finetuned = join(root, 'fixtures/fashion/fashion-finetuned.onnx')
const data = ['--data', join(root, 'fixtures/fashion/fashion-test.npz')]

test('--check says what a gate would run and how long that takes, and leaves nothing behind', async () => {
  await inTemporaryFolder(async (cwd) => {
    const run = await runCli(
      [
        'gate',
        '--check',
        '--candidate',
        finetuned,
        '--baseline',
        hardened,
        ...data,
        '--samples',
        '64',
        '--epsilon',
        '0.1',
      ],
      { cwd },
    )
    expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: '' })
    expect(run.stdout).toMatch(/^Data: .*fashion-test\.npz, 64 images of 1 × 28 × 28, pixels in 0 … 1$/m)
    expect(run.stdout).toMatch(/^Suite: standard@1 \(fgsm, pgd, pgd-margin\), seed 0$/m)
    expect(run.stdout).toMatch(/^Threats: Linf ε = 0\.1$/m)
    // By PyTorch they are right on 88.9 % and 83.6 % of 1,000 images; of 64 a good half.
    expect(run.stdout).toMatch(/^Candidate: .*, 10 classes; right on [56]\d of the first 64 images/m)
    expect(run.stdout).toMatch(/^Baseline: .*, 10 classes; right on [456]\d of the first 64 images/m)
    expect(run.stdout).toMatch(/^All in all: at most about \d+(\.\d)? (s|min|h)$/m)
    expect(await readdir(cwd)).toEqual([])
  })
})

const everyAttack = {
  threats: [
    { norm: 'linf', epsilon: 1e-5 },
    { norm: 'l1', epsilon: 1e-5 },
  ],
  suite: {
    attacks: [
      { name: 'fgsm' },
      { name: 'pgd', steps: 3, restarts: 2 },
      ...['bim', 'mi-fgsm', 'apgd', 'apgd-t', 'fab-t', 'deepfool'].map((name) => ({ name, steps: 3 })),
      { name: 'square', queries: 10 },
      { name: 'noise', points: 10 },
    ],
  },
}

test('an evaluation never asks for more gradients than was said, and hardly fewer where nothing breaks', async () => {
  await inTemporaryFolder(async (cwd) => {
    await writeFile(join(cwd, 'config.json'), JSON.stringify(everyAttack))
    const evaluate = ['evaluate', '--model', hardened, ...data, '--samples', '16', '--config', 'config.json']
    const check = await runCli([...evaluate, '--check'], { cwd })
    const most = Number(/At most ([\d,]+) gradients/.exec(check.stdout)?.[1].replaceAll(',', ''))
    expect((await runCli(evaluate, { cwd })).status).toBe(0)
    const { cost, summary } = JSON.parse(await readFile(join(cwd, 'robustness-gate-results/results.json'), 'utf8'))
    expect(cost.gradients).toBeLessThanOrEqual(most)
    // An image on which the model is wrong costs nothing; the searches for the least distance end early.
    expect(cost.gradients).toBeGreaterThan((most * summary.clean.correct) / 16 / 3)
  })
})

describe('what would keep a run from starting is told in one line, with exit status 2', () => {
  test.each([
    ['a model that is none', ['--candidate', 'package.json', '--baseline', 'none', ...data]],
    ['data that are not there', ['--candidate', hardened, '--baseline', 'none', '--data', 'none.npz']],
    ['a setting that does not exist', ['--candidate', hardened, '--baseline', 'none', ...data, '--epsilon', 'much']],
  ])('%s', async (_, flags) => {
    const run = await runCli(['gate', '--check', ...flags])
    expect({ status: run.status, stdout: run.stdout }).toEqual({ status: 2, stdout: '' })
    expect(run.stderr).toMatch(/^robustness-gate: .+\n$/)
  })
})

test('a baseline that the gate refuses is refused in the same words, before anything is attacked', async () => {
  await inTemporaryFolder(async (cwd) => {
    const settings = [...data, '--samples', '16', '--epsilon', '0.1', '--suite', 'quick']
    await runCli(['evaluate', '--model', hardened, ...settings, '--seed', '7', '--out', 'seven'], { cwd })
    for (const baseline of ['seven/results.json', join(root, 'package.json')]) {
      const gate = ['gate', '--candidate', finetuned, '--baseline', baseline, ...settings]
      const [refused, checked] = [await runCli(gate, { cwd }), await runCli([...gate, '--check'], { cwd })]
      expect(refused).toMatchObject({ status: 2, stderr: expect.stringMatching(/^robustness-gate: .+\n$/) })
      expect(checked).toEqual(refused)
    }
  })
})
