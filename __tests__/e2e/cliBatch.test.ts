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

const FASHION = 'fashion/fashion-test.npz'
const CIFAR = 'cifar/cifar10-test-100.npz'
const MNIST = 'mnist/mnist-test-100.npz'
const bright = ['--mean', '.485,.456,.406', '--std', '.225']
const nhwc = ['--input-layout', 'nhwc']

/** A model whose images must not meet can only be run so, and the documents promise the same answers. */
test.each([
  ['fashion/fashion-hardened.onnx', FASHION, [], '0.1'],
  ['fashion/fashion-standard.onnx', FASHION, [], '0.1'],
  ['fashion/fashion-finetuned.onnx', FASHION, [], '0.1'],
  ['cifar/cifar_base_kw.onnx', CIFAR, bright, '2/255'],
  ['cifar/cifar_deep_kw.onnx', CIFAR, bright, '2/255'],
  ['mnist/colt_mnist_0.1.onnx', MNIST, ['--mean', '0.1307', '--std', '0.3081'], '0.2'],
  ['mnist/cnn_max_mninst2.onnx', MNIST, nhwc, '0.1'],
  ['mnist/self-attention-mnist-pgd-medium-sim.onnx', MNIST, nhwc, '0.1'],
  ['mnist/cntk_mnist_8.onnx', MNIST, ['--range', '0,255'], '25.5'],
] as const)('--batch 1, %s: the results are those of the usual batch', async (model, images, flags, epsilon) => {
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
    const sameTime = { ...alone.cost, seconds: usual.cost.seconds }
    const expected = { ...alone, tool: { ...alone.tool, batch: 64 }, cost: sameTime }
    expect(usual).toEqual(expected)
    expect(JSON.stringify(usual)).toBe(JSON.stringify(expected))
  })
})
