import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { inTemporaryFolder, root, runCli } from '../support/cli.js'

/** Every way an attack may ask: one gradient, several at once, none, and the original alone. */
const SUITE = `
suite:
  attacks:
    - { name: pgd, steps: 5 }
    - { name: apgd-t, steps: 5, targets: 2 }
    - { name: fab, steps: 3 }
    - { name: fab-t, steps: 3 }
    - { name: square, queries: 20 }
    - { name: noise, points: 20 }
`

/** A model whose images must not meet can only be run so, and the documents promise the same answers. */
test.each([
  ['free batch', 'fashion/fashion-hardened.onnx', 'fashion/fashion-test.npz', [], '0.1'],
  ['batch fixed at 1', 'mnist/cntk_mnist_8.onnx', 'mnist/mnist-test-100.npz', ['--range', '0,255'], '25.5'],
] as const)('--batch 1, %s: the results are those of the usual batch', async (_, model, images, flags, epsilon) => {
  await inTemporaryFolder(async (cwd) => {
    const data = ['--data', join(root, 'fixtures', images), '--samples', '10', ...flags, '--epsilon', epsilon]
    await writeFile(join(cwd, 'suite.yml'), SUITE)
    const run = async (batch: readonly string[], out: string) => {
      const evaluate = ['evaluate', '--model', join(root, 'fixtures', model), ...data, '--config', 'suite.yml']
      const { status, stderr } = await runCli([...evaluate, ...batch, '--out', out], { cwd })
      expect({ status, stderr }).toMatchObject({ status: 0 })
      return JSON.parse(await readFile(join(cwd, out, 'results.json'), 'utf8'))
    }
    const alone = await run(['--batch', '1'], 'alone')
    const usual = await run([], 'usual')
    expect(alone.tool.batch).toBe(1)
    expect(usual.tool.batch).toBe(64)
    expect({ ...alone, tool: usual.tool, cost: usual.cost }).toEqual(usual)
  })
})
