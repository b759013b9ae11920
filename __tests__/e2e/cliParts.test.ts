import { copyFile, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { readNpz } from '../../src/data/npz.js'
import type { Results } from '../../src/evaluation/results.js'
import { inTemporaryFolder, root, runCli } from '../support/cli.js'

const hardened = join(root, 'fixtures/fashion/fashion-hardened.onnx')
const finetuned = join(root, 'fixtures/fashion/fashion-finetuned.onnx')
const data = ['--data', join(root, 'fixtures/fashion/fashion-test.npz'), '--samples', '40']
const attack = ['evaluate', '--model', finetuned, ...data, '--suite', 'quick', '--epsilon', '0.02,0.1']

const saved = ['adversarial-linf-0.02.npz', 'adversarial-linf-0.1.npz']

const parts = ['shard-1/results.json', 'shard-2/results.json']

const results = async (path: string): Promise<Results> => JSON.parse(await readFile(path, 'utf8'))

test('the jobs of a matrix evaluate a shard each, and merge makes of them what one job would have made', async () => {
  await inTemporaryFolder(async (cwd) => {
    for (const index of [1, 2]) {
      const { status, stdout } = await runCli(
        [...attack, '--shard', `${index}/2`, '--save-adversarial', '--out', `shard-${index}`],
        { cwd },
      )
      expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringContaining('robustness-gate merge') })
      expect(await readdir(join(cwd, `shard-${index}`))).toEqual([...saved, 'results.json'])
    }
    const merged = await runCli(['merge', ...parts, '--out', 'merged'], { cwd })
    expect(merged).toMatchObject({ status: 0, stderr: '' })
    expect((await readdir(join(cwd, 'merged'))).sort()).toEqual([...saved, 'report.md', 'results.json'])
    expect(await runCli([...attack, '--save-adversarial', '--out', 'whole'], { cwd })).toMatchObject({ status: 0 })
    for (const file of saved)
      expect(await readFile(join(cwd, 'merged', file))).toEqual(await readFile(join(cwd, 'whole', file)))
    const [one, other] = [
      await results(join(cwd, 'merged/results.json')),
      await results(join(cwd, 'whole/results.json')),
    ]
    expect({ ...one, cost: { ...one.cost, seconds: 0 } }).toEqual({ ...other, cost: { ...other.cost, seconds: 0 } })
    // Two ε make a curve, and the report shows it.
    expect(merged.stdout).toMatch(/Accuracy within ε, Linf\n +ε = 0 +ε = 0\.02 +ε = 0\.1 /)
    expect(await readFile(join(cwd, 'merged/report.md'), 'utf8')).toContain('**Accuracy within ε, Linf**')

    const shard = 'shard-2/results.json'
    for (const command of [
      ['compare', 'merged/results.json', shard],
      ['gate', '--candidate', hardened, '--baseline', shard, ...data],
      ['report', shard],
    ]) {
      const { status, stderr } = await runCli(command, { cwd })
      expect({ command, status, stderr }).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(/^robustness-gate: shard-2\/results\.json: holds shard 2\/2 of the images only/),
      })
    }
    // Examples of another shard are none of this one's.
    await copyFile(join(cwd, 'shard-1', saved[0]), join(cwd, 'shard-2', saved[0]))
    expect(await runCli(['merge', ...parts, '--out', 'mixed'], { cwd })).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`shard-2/${saved[0]}: is not what a shard writes`),
    })
    // What is evaluated anew without them leaves none that would pass for its own.
    expect(await runCli([...attack, '--shard', '2/2', '--out', 'shard-2'], { cwd })).toMatchObject({ status: 0 })
    // Nor does what the merge before them left, in the same folder.
    expect(await runCli(['merge', ...parts, '--out', 'merged'], { cwd })).toMatchObject({
      status: 0,
      stderr: expect.stringContaining(`only 1 of 2 shards have ${saved[0]}, so it is not joined`),
    })
    expect((await readdir(join(cwd, 'merged'))).sort()).toEqual(['report.md', 'results.json'])
    expect(await runCli(['merge', 'shard-1/results.json'], { cwd })).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/this is missing: 2\/2/),
    })
    expect(await runCli([...attack, '--shard', '3/2'], { cwd })).toMatchObject({ status: 2 })
  })
})

test('quantised: the saved adversarial examples are pictures of 8 bits, inside the ball, that fool the model', async () => {
  await inTemporaryFolder(async (cwd) => {
    // Rounding to the nearest level could leave the ball: 0.1 is 25.5 levels, and 2.03 in L2 is no level at all.
    await writeFile(
      join(cwd, 'robustness.yml'),
      `quantised: true
threats: [{ norm: linf, epsilon: 0.1 }, { norm: l2, epsilon: 2.03 }]
suite: { attacks: [{ name: pgd, steps: 10 }, { name: fab, steps: 10 }] }
`,
    )
    const evaluate = ['evaluate', '--model', finetuned, ...data, '--config', 'robustness.yml', '--save-adversarial']
    expect(await runCli([...evaluate, '--out', 'out'], { cwd })).toMatchObject({ status: 0 })
    const { suite, samples } = await results(join(cwd, 'out/results.json'))
    expect(suite.quantised).toBe(true)
    const clean = readNpz(await readFile(data[1]), 'data', ['x']).x.data
    const session = await InferenceSession.create(finetuned)
    for (const [threat, epsilon] of [
      ['linf-0.1', 0.1],
      ['l2-2.03', 2.03],
    ] as const) {
      const archive = await readFile(join(cwd, `out/adversarial-${threat}.npz`))
      const { x, index, label } = readNpz(archive, 'witnesses', ['x', 'index', 'label'])
      const indices = Array.from(index.data, Number)
      const broken = samples.filter((one) => one.label === one.predicted && !one.threats[threat].robust)
      expect(indices).toEqual(broken.map((one) => one.index))
      expect(indices.length).toBeGreaterThan(20)
      const pixels = x.data as Float32Array
      // As uint8 images are decoded: exactly the float32 nearest to v/255.
      const bytes = pixels.map((pixel) => Math.round(pixel * 255))
      expect(pixels).toEqual(bytes.map((byte) => byte / 255))
      for (const [row, of] of indices.entries()) {
        let [greatest, sum] = [0, 0]
        for (let at = 0; at < 784; at++) {
          const change = Math.abs(pixels[row * 784 + at] - Math.fround(Number(clean[of * 784 + at]) / 255))
          greatest = Math.max(greatest, change)
          sum += change * change
        }
        expect(threat === 'linf-0.1' ? greatest : Math.sqrt(sum)).toBeLessThanOrEqual(epsilon)
      }
      const { logits } = await session.run({ image: new Tensor('float32', pixels, x.shape) })
      for (const row of indices.keys()) {
        const scores = Array.from(logits.data.slice(row * 10, row * 10 + 10) as Float32Array)
        expect(scores.indexOf(Math.max(...scores))).not.toBe(Number(label.data[row]))
      }
    }

    const plain = ['evaluate', '--model', finetuned, ...data, '--config', 'robustness.yml', '--quantised', 'false']
    expect(await runCli([...plain, '--out', 'plain'], { cwd })).toMatchObject({ status: 0 })
    expect(await runCli(['compare', 'plain/results.json', 'out/results.json'], { cwd })).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/cannot be compared: they differ in quantised \(true and false\)/),
    })
  })
})

describe('replay', () => {
  test('tells what saved adversarial examples still do: all to their own model, fewer to a hardened one', async () => {
    await inTemporaryFolder(async (cwd) => {
      const evaluate = ['evaluate', '--model', finetuned, ...data, '--suite', 'quick', '--epsilon', '0.1']
      expect(await runCli([...evaluate, '--save-adversarial', '--out', 'out'], { cwd })).toMatchObject({ status: 0 })
      const archive = ['replay', 'out/adversarial-linf-0.1.npz', ...data]
      const counts = async (model: string, epsilon: string): Promise<readonly number[]> => {
        const { status, stdout } = await runCli([...archive, '--model', model, '--epsilon', epsilon], { cwd })
        expect(status).toBe(0)
        return [...stdout.matchAll(/^ +(\d+) {2}/gm)].map(([, number]) => Number(number))
      }
      const [fooling, not, outside, wrong] = await counts(finetuned, '0.1')
      expect(fooling).toBeGreaterThan(20)
      expect([not, outside, wrong]).toEqual([0, 0, 0])
      const [hard, held, , anyway] = await counts(hardened, '0.1')
      expect(hard + held + anyway).toBe(fooling)
      expect(held).toBeGreaterThan(hard)
      // Every witness of PGD at 0.1 moves some pixel by more than 0.01.
      expect((await counts(finetuned, '0.01'))[2]).toBe(fooling)
    })
  })

  test('an archive of something else is the user’s mistake, told in a line', async () => {
    const replay = ['replay', data[1], ...data, '--model', hardened, '--epsilon', '0.1']
    const { status, stderr } = await runCli(replay)
    expect(status).toBe(2)
    expect(stderr).toMatch(/^robustness-gate: fashion-test\.npz: has no array "index", only x, y; .*\n$/)
    expect(await runCli([...replay.slice(0, -1), '0.1,0.2'])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/was made within one ε/),
    })
  })
})
