import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { readNpz } from '../../src/data/npz.js'
import { GraphBuilder } from '../../src/onnx/builder.js'
import { decodeModel, encodeModel } from '../../src/onnx/codec.js'
import { renameReads } from '../../src/onnx/subgraphs.js'
import { ResultsSchema } from '../../src/evaluation/results.js'
import { version } from '../../src/version.js'
import { smallestResults } from '../support/github/results.js'
import { childrenOf, inTemporaryFolder, root, runCli, startCli } from '../support/cli.js'

const hardened = join(root, 'fixtures/fashion/fashion-hardened.onnx')
const finetuned = join(root, 'fixtures/fashion/fashion-finetuned.onnx')
const data = ['--data', join(root, 'fixtures/fashion/fashion-test.npz')]
const attack = [...data, '--samples', '64', '--suite', 'quick', '--epsilon', '0.1']

async function json(path: string) {
  return JSON.parse(await readFile(path, 'utf8'))
}

describe('gate', () => {
  test('a weaker model is blocked: exit status 1, its files, the numbers on stdout', async () => {
    await inTemporaryFolder(async (cwd) => {
      const run = await runCli(
        ['gate', '--candidate', finetuned, '--baseline', hardened, ...attack, '--out', 'deep/results'],
        { cwd },
      )
      expect({ status: run.status, stderr: run.stderr }).toMatchObject({ status: 1 })
      expect((await readdir(join(cwd, 'deep/results'))).sort()).toEqual([
        'baseline.json',
        'comparison.json',
        'junit.xml',
        'report.md',
        'results.json',
        'robustness.sarif',
      ])
      const out = join(cwd, 'deep/results')
      const [candidate, baseline] = [
        ResultsSchema.parse(await json(join(out, 'results.json'))),
        ResultsSchema.parse(await json(join(out, 'baseline.json'))),
      ]
      // PyTorch's PGD-20 on 1,000 images: 3.6 % and 72.8 %; four standard errors of 64 images are 22 points.
      expect(candidate.summary.threats['linf-0.1'].robustAccuracy).toBeLessThan(0.26)
      expect(baseline.summary.threats['linf-0.1'].robustAccuracy).toBeGreaterThan(0.5)
      expect(candidate.tool.version).toBe(version)
      expect(await json(join(out, 'comparison.json'))).toMatchObject({
        schema: 'robustness-gate/comparison/1',
        verdict: { outcome: 'regression', baseline: 'present', fails: true },
      })
      expect(await readFile(join(out, 'report.md'), 'utf8')).toContain('Regression')
      expect(run.stdout).toMatch(/regression/i)
      expect(run.stderr).toMatch(/^candidate: 64\/64 images, \d+ misclassified, /m)
      expect(run.stderr).toMatch(/^baseline: 64\/64 images, \d+ misclassified, /m)
    })
  })

  test('an unchanged model passes, and what an earlier run left is not taken for a part of this one', async () => {
    await inTemporaryFolder(async (cwd) => {
      const gate = ['gate', '--candidate', hardened, ...attack]
      const unchanged = await runCli([...gate, '--baseline', hardened], { cwd })
      expect(unchanged.status).toBe(0)
      const out = join(cwd, 'robustness-gate-results')
      expect(await json(join(out, 'comparison.json'))).toMatchObject({ verdict: { outcome: 'pass' } })

      const results = await runCli([...gate, '--baseline', join(out, 'baseline.json')], { cwd })
      expect(results.status).toBe(0)
      expect(results.stderr).not.toContain('baseline')

      const alone = await runCli([...gate, '--baseline', 'none', '--min-robust-accuracy', '99%'], { cwd })
      expect(alone.status).toBe(1)
      expect(existsSync(join(out, 'baseline.json'))).toBe(false)
      expect(await json(join(out, 'comparison.json'))).toMatchObject({
        verdict: { outcome: 'regression', baseline: 'none' },
      })
    })
  })

  test('a config file decides what no option does', async () => {
    await inTemporaryFolder(async (cwd) => {
      await writeFile(
        join(cwd, 'robustness.yml'),
        `epsilon: 0.5
samples: 16
suite: { attacks: [{name: pgd, id: short, steps: 2, step-size: 0.05, loss: dlr}] }
minRobustAccuracy: 100%
failOn: never
`,
      )
      const options = ['--config', 'robustness.yml', '--candidate', hardened, '--baseline', 'none', ...data]
      const run = await runCli(['gate', ...options, '--epsilon', '0.1', '--out', '.'], { cwd })
      expect(run).toMatchObject({ status: 0, stdout: expect.stringContaining('Regression') })
      const results = ResultsSchema.parse(await json(join(cwd, 'results.json')))
      expect(results).toMatchObject({
        suite: {
          name: 'custom',
          version: 1,
          attacks: [{ id: 'short', name: 'pgd', steps: 2, stepSize: 0.05, loss: 'dlr' }],
        },
        threats: [{ id: 'linf-0.1', norm: 'linf', epsilon: 0.1, bounds: [0, 1] }],
        data: { name: 'fashion-test.npz', samples: 16 },
      })
    })
  })

  test('results of another seed are refused, not compared', async () => {
    await inTemporaryFolder(async (cwd) => {
      await runCli(['evaluate', '--model', hardened, ...attack, '--seed', '1', '--out', '.'], { cwd })
      const run = await runCli(['gate', '--candidate', hardened, '--baseline', 'results.json', ...attack], { cwd })
      expect(run.status).toBe(2)
      expect(run.stderr).toMatch(/^robustness-gate: .*cannot be compared: they differ in seed/m)
      expect(run.stderr).not.toContain('candidate: ') // said before anything is attacked
    })
  })

  test('a process that dies is an error, never a regression: exit status 3 and a report that says so', async () => {
    await inTemporaryFolder(async (cwd) => {
      const cli = startCli(['gate', '--candidate', finetuned, '--baseline', hardened, ...data, '--epsilon', '0.1'], {
        cwd,
      })
      const { status, stdout, stderr } = await killingChildren(cli)
      expect({ status, stderr }).toMatchObject({ status: 3 })
      expect(stderr).toMatch(/^robustness-gate: .*SIGKILL/m)
      expect(stdout).not.toMatch(/regression/i)
      const out = join(cwd, 'robustness-gate-results')
      expect(await json(join(out, 'comparison.json'))).toMatchObject({ verdict: { outcome: 'error', fails: true } })
      expect(await readFile(join(out, 'report.md'), 'utf8')).toContain('SIGKILL')
    })
  })

  test.each(['SIGINT', 'SIGTERM'] as const)('%s ends it and leaves no process behind', async (signal) => {
    await inTemporaryFolder(async (cwd) => {
      const cli = startCli(['gate', '--candidate', finetuned, '--baseline', hardened, ...data], { cwd })
      const children = await firstChildren(cli.process.pid ?? 0)
      cli.process.kill(signal)
      expect(await cli.finished).toMatchObject({ signal })
      for (const pid of children) await gone(pid)
    })
  })
})

/** A layer in front that adds nothing but an infinite slope times zero: every gradient is NaN, every output as before. */
async function withNaNGradients(path: string): Promise<Uint8Array> {
  const model = decodeModel(await readFile(path))
  const [input] = model.inputs
  const b = new GraphBuilder({ ...model, nodes: [] }, 'mask')
  const nothing = b.add('Relu', [b.add('Sub', [input.name, b.scalar(10)])])
  const masked = b.add('Add', [input.name, b.add('Log', [b.add('Exp', [b.add('Sqrt', [nothing])])])])
  const nodes = model.nodes.map((node) => renameReads(node, (name) => (name === input.name ? masked : name)))
  return encodeModel({ ...b.build(model, { outputs: model.outputs }), nodes: [...b.nodes, ...nodes] })
}

test('a model that hides behind NaN gradients is not passed as a robust one', async () => {
  await inTemporaryFolder(async (cwd) => {
    await writeFile(join(cwd, 'masked.onnx'), await withNaNGradients(finetuned))
    const gate = ['gate', '--candidate', 'masked.onnx', '--baseline', hardened, ...attack, '--fail-on', 'inconclusive']
    const run = await runCli(gate, { cwd })
    expect({ status: run.status, stderr: run.stderr }).toMatchObject({ status: 1 })
    expect(run.stdout).toMatch(/inconclusive/i)
    const { verdict, flags } = await json(join(cwd, 'robustness-gate-results/comparison.json'))
    expect(verdict).toMatchObject({ outcome: 'inconclusive', reasons: [{ code: 'masked-gradients' }] })
    expect(flags).toContainEqual(expect.objectContaining({ model: 'candidate', code: 'masked-gradients' }))
  })
})

describe('the other commands', () => {
  test('--save-adversarial writes what fools the model, inside the ball: the model itself, run again, is fooled', async () => {
    await inTemporaryFolder(async (cwd) => {
      const run = await runCli(['evaluate', '--model', finetuned, ...attack, '--save-adversarial'], { cwd })
      expect({ status: run.status, stderr: run.stderr }).toMatchObject({ status: 0 })
      const out = join(cwd, 'robustness-gate-results')
      const { samples } = ResultsSchema.parse(await json(join(out, 'results.json')))
      const broken = samples.filter(
        ({ label, predicted, threats }) => label === predicted && !threats['linf-0.1'].robust,
      )
      const archive = await readFile(join(out, 'adversarial-linf-0.1.npz'))
      const { x, index, label, predicted } = readNpz(archive, 'witnesses', ['x', 'index', 'label', 'predicted'])
      expect(Array.from(index.data, Number)).toEqual(broken.map(({ index: of }) => of))
      const clean = readNpz(await readFile(data[1]), 'data', ['x']).x.data as Uint8Array
      const session = await InferenceSession.create(finetuned)
      const { logits } = await session.run({ image: new Tensor('float32', x.data as Float32Array, x.shape) })
      for (const [row, of] of Array.from(index.data, Number).entries()) {
        const scores = Array.from(logits.data.slice(row * 10, row * 10 + 10) as Float32Array)
        expect(scores.indexOf(Math.max(...scores))).toBe(Number(predicted.data[row]))
        expect(Number(predicted.data[row])).not.toBe(Number(label.data[row]))
        for (let at = 0; at < 784; at++) {
          const pixel = Number(x.data[row * 784 + at])
          expect(Math.abs(pixel - Math.fround(clean[of * 784 + at] / 255))).toBeLessThanOrEqual(0.1)
          expect(pixel >= 0 && pixel <= 1).toBe(true)
        }
      }
    })
  })

  test('evaluate, compare and report work from files', async () => {
    await inTemporaryFolder(async (cwd) => {
      for (const [name, model] of Object.entries({ hardened, finetuned }))
        expect(await runCli(['evaluate', '--model', model, ...attack, '--out', name], { cwd })).toMatchObject({
          status: 0,
        })
      const files = ['hardened/results.json', 'finetuned/results.json'] as const

      const worse = await runCli(['compare', ...files, '--out', 'compared'], { cwd })
      expect(worse).toMatchObject({ status: 1, stderr: '' })
      expect(await readdir(join(cwd, 'compared'))).toEqual(['comparison.json', 'report.md'])

      // As clean accuracy rose, the reverse is a fall of it; 64 images cannot prove it, and cleanBudget allows some.
      const better = await runCli(['compare', files[1], files[0], '--max-clean-drop', '100'], { cwd })
      expect(better).toMatchObject({ status: 0, stderr: '' })

      const report = await runCli(['report', files[0], '--out', 'report'], { cwd })
      expect(report).toMatchObject({ status: 0, stderr: '' })
      expect(await readFile(join(cwd, 'report/report.md'), 'utf8')).toContain('fashion-hardened.onnx')
    })
  })

  test('inspect tells inputs, outputs and operators', async () => {
    const { status, stdout, stderr } = await runCli(['inspect', hardened])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^input +image +float32 +\[\w+, 1, 28, 28\]$/m)
    expect(stdout).toMatch(/^output +logits +float32 +\[\w+, 10\]$/m)
    expect(stdout).toMatch(/^Conv +2 +yes$/m)
    expect(stdout).toContain('the gate can attack this model')
  })

  test('gradient writes a model', async () => {
    await inTemporaryFolder(async (cwd) => {
      const made = await runCli(['gradient', hardened, '--out', 'deep/grad.onnx'], { cwd })
      expect(made).toMatchObject({ status: 0, stderr: '' })
      const { status, stdout } = await runCli(['inspect', 'deep/grad.onnx'], { cwd })
      expect(status).toBe(0)
      expect(stdout).toMatch(/^input +label +int64 /m)
      expect(stdout).toMatch(/^output +loss +/m)
      expect(stdout).toMatch(/^output +gradient +/m)
    })
  })

  test('--help and --version go to stdout with exit status 0', async () => {
    expect(await runCli(['--version'])).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' })
    for (const command of ['gate', 'evaluate', 'merge', 'compare', 'replay', 'gradient', 'inspect', 'report']) {
      const { status, stdout, stderr } = await runCli([command, '--help'])
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(stdout).toContain(`\nExample:\n  robustness-gate ${command} `)
    }
  })
})

test('a reader that hangs up (`| head`) changes no verdict', async () => {
  await inTemporaryFolder(async (cwd) => {
    await writeFile(join(cwd, 'results.json'), smallestResults)
    const cli = startCli(['compare', 'results.json', 'results.json', '--out', 'out'], { cwd })
    cli.process.stdout?.destroy()
    expect(await cli.finished).toMatchObject({ status: 0, stderr: '' })
  })
})

test('no command: the help, and exit status 2', async () => {
  const { status, stdout, stderr } = await runCli([])
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toMatch(/^Usage: robustness-gate .*\n/)
  expect(stderr).not.toContain('outputHelp')
})

type Cli = ReturnType<typeof startCli>

/** Kills every process the command line starts, as a machine without memory does. */
async function killingChildren({ process: cli, finished }: Cli) {
  let over = false
  const ended = finished.finally(() => (over = true))
  while (!over) {
    for (const pid of await childrenOf(cli.pid ?? 0)) kill(pid)
    await delay(5)
  }
  return ended
}

async function firstChildren(pid: number): Promise<readonly number[]> {
  for (;;) {
    const children = await childrenOf(pid)
    if (children.length > 0) return children
    await delay(5)
  }
}

/** Ends when there is no such process; the test's own limit is the end of patience. */
async function gone(pid: number): Promise<void> {
  while (existsSync(`/proc/${pid}`)) await delay(5)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself in between.
  }
}
