import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { inTemporaryFolder, root, runCli } from '../support/cli.js'
import { DataType, npz, onnxModel } from '../support/files.js'

const fashion = {
  candidate: join(root, 'fixtures/fashion/fashion-finetuned.onnx'),
  baseline: join(root, 'fixtures/fashion/fashion-hardened.onnx'),
  data: join(root, 'fixtures/fashion/fashion-test.npz'),
}

const image = { name: 'image', type: DataType.FLOAT, dims: ['N', 1, 28, 28] }
const toLogits = [
  { op: 'Flatten', inputs: ['pixels'], output: 'flat' },
  { op: 'Gemm', inputs: ['flat', 'weight'], output: 'logits' },
]
const rest = { weights: { weight: [784, 10] }, output: ['N', 10] }

const gray = new Float32Array(16 * 784).fill(0.5)
const labels = [...gray.keys()].slice(0, 16).map((index) => index % 10)

/** Files a user could have by mistake. */
const files: Readonly<Record<string, string | Uint8Array>> = {
  'notes.onnx': 'These are my notes about the model.\n',
  'empty.onnx': '',
  'pointer.onnx': `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 1234567\n`,
  'two-inputs.onnx': onnxModel({
    inputs: [image, { ...image, name: 'mask' }],
    nodes: [{ op: 'Mul', inputs: ['image', 'mask'], output: 'pixels' }, ...toLogits],
    ...rest,
  }),
  'integer-input.onnx': onnxModel({
    inputs: [{ ...image, name: 'tokens', type: DataType.INT64, dims: ['N', 784] }],
    nodes: [
      { op: 'Gather', inputs: ['embedding', 'tokens'], output: 'pixels' },
      { op: 'Flatten', inputs: ['pixels'], output: 'flat' },
      { op: 'Gemm', inputs: ['flat', 'weight'], output: 'logits' },
    ],
    ...rest,
    weights: { ...rest.weights, embedding: [100, 1] },
  }),
  'no-rule.onnx': onnxModel({
    inputs: [image],
    nodes: [{ op: 'Astonish', inputs: ['image'], output: 'pixels' }, ...toLogits],
    ...rest,
  }),
  'nan.npz': npz(
    gray.map((pixel, place) => (place === 5 * 784 + 3 ? Number.NaN : pixel)),
    [16, 1, 28, 28],
    labels,
  ),
  'labels.npz': npz(gray, [16, 1, 28, 28], [...labels.slice(1), 10]),
  'bright.npz': npz(
    gray.map((pixel) => pixel * 255),
    [16, 1, 28, 28],
    labels,
  ),
  'robustness.yml': 'epsilom: 0.1\n',
  'broken.json': '{"schema": "robustness-gate/results/1"}',
  'notes.npz': 'not a zip archive',
  'kept.onnx.dvc': 'outs:\n- path: kept.onnx\n',
  'kept.npz.dvc': 'outs:\n- path: kept.npz\n',
}

/** Arguments that stand in for the good ones, and what the one line must name: what was wrong, and where. */
const mistakes: readonly (readonly [string, Readonly<Record<string, string>>, readonly RegExp[]])[] = [
  ['a missing model', { candidate: 'gone.onnx' }, [/gone\.onnx: no such file/]],
  ['a missing baseline', { baseline: 'gone.onnx' }, [/gone\.onnx: no such file/]],
  ['missing data', { data: 'gone.npz' }, [/gone\.npz: no such file/]],
  ['a missing config', { config: 'gone.yml' }, [/gone\.yml: no such file/]],
  ['a text file for a model', { candidate: 'notes.onnx' }, [/notes\.onnx/, /not an ONNX/i]],
  ['an empty file for a model', { candidate: 'empty.onnx' }, [/empty\.onnx/, /is empty/]],
  ['a Git LFS pointer', { candidate: 'pointer.onnx' }, [/pointer\.onnx/, /Git LFS pointer/, /git lfs pull/]],
  ['a model that DVC keeps', { candidate: 'kept.onnx' }, [/model kept\.onnx: .*`dvc pull kept\.onnx\.dvc`/]],
  ['a pointer of DVC’s', { candidate: 'kept.onnx.dvc' }, [/`dvc pull kept\.onnx\.dvc` .*give model: kept\.onnx/]],
  ['a baseline that DVC keeps', { baseline: 'kept.onnx' }, [/baseline kept\.onnx: .*`dvc pull kept\.onnx\.dvc`/]],
  ['data that DVC keeps', { data: 'kept.npz' }, [/data kept\.npz: .*`dvc pull kept\.npz\.dvc`/]],
  ['a folder for a model', { candidate: 'folder' }, [/folder/, /give the path of the \.onnx file/]],
  ['a text file for data', { data: 'notes.npz' }, [/notes\.npz/, /zip|archive/i]],
  ['data of another shape', { data: join(root, 'fixtures/cifar/cifar10-test-100.npz') }, [/3, ?32, ?32|3×32×32/, /28/]],
  ['labels outside the classes', { data: 'labels.npz' }, [/labels\.npz/, /label 10/, /10 classes/]],
  ['NaN in the data', { data: 'nan.npz' }, [/nan\.npz/, /NaN/, /image 5/]],
  ['pixels outside the range', { data: 'bright.npz' }, [/bright\.npz/, /127\.5/, /range/]],
  ['fewer images than asked for', { samples: '501' }, [/500/, /501/]],
  ['an unknown suite', { suite: 'strong' }, [/^robustness-gate: --suite: unknown suite "strong"; the suites are /]],
  ['an epsilon of 0', { epsilon: '0' }, [/--epsilon: "0" is not above 0/]],
  ['a negative epsilon', { epsilon: '-0.1' }, [/--epsilon: "-0\.1" is not above 0/]],
  ['text for epsilon', { epsilon: 'small' }, [/--epsilon: "small" is not a number/]],
  [
    'an unknown key',
    { config: 'robustness.yml' },
    [/config robustness\.yml: unknown key "epsilom"; did you mean "epsilon"/],
  ],
  ['a model with two inputs', { candidate: 'two-inputs.onnx' }, [/two-inputs\.onnx/, /image/, /mask/]],
  ['an integer input', { candidate: 'integer-input.onnx' }, [/integer-input\.onnx/, /int64/]],
  ['an operator that nobody knows', { candidate: 'no-rule.onnx' }, [/no-rule\.onnx/, /operator Astonish/]],
  ['a folder that nobody can make', { out: '/proc/x' }, [/\/proc\/x: cannot be written/]],
  ['results that are none', { baseline: 'broken.json' }, [/broken\.json/]],
]

test.each(mistakes)('%s: one line, exit status 2, no stack trace', async (_, mistake, expected) => {
  await inTemporaryFolder(async (cwd) => {
    await mkdir(join(cwd, 'folder'))
    for (const [name, content] of Object.entries(files)) await writeFile(join(cwd, name), content)
    const args = Object.entries({ ...fashion, suite: 'quick', samples: '16', epsilon: '0.1', ...mistake })
    const { status, stdout, stderr } = await runCli(['gate', ...args.map(([name, value]) => `--${name}=${value}`)], {
      cwd,
    })
    expect({ status, stdout, lines: stderr.split('\n').length - 1 }).toEqual({ status: 2, stdout: '', lines: 1 })
    expect(stderr).toMatch(/^robustness-gate: /)
    for (const pattern of expected) expect(stderr).toMatch(pattern)
    expect(stderr).not.toMatch(/\bat .*:\d+:\d+|Error:/)
  })
})

test('what commander refuses is one line, too', async () => {
  const refused = [
    [['gate', '--epsilom', '1'], /^robustness-gate: unknown option '--epsilom' \(Did you mean --epsilon\?\)/],
    [['gat'], /^robustness-gate: unknown command 'gat' \(Did you mean gate\?\)/],
    [['inspect'], /^robustness-gate: missing required argument 'model\.onnx'/],
    [['gradient', fashion.candidate], /^robustness-gate: required option '--out <FILE>' not specified/],
    [['gate', '--candidate', fashion.candidate], /^robustness-gate: --baseline is missing; /],
    [['evaluate'], /^robustness-gate: --model is missing; /],
  ] as const
  for (const [args, message] of refused) {
    const { status, stdout, stderr } = await runCli(args)
    expect({ args, status, stdout, lines: stderr.split('\n').length - 1 }).toEqual({
      args,
      status: 2,
      stdout: '',
      lines: 1,
    })
    expect(stderr).toMatch(message)
  }
})
