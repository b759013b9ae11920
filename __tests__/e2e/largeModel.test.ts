import { expect, test } from '@jest/globals'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeNpz } from '../../src/data/npz.js'
import { makeNode } from '../../src/onnx/attributes.js'
import { encodeModel } from '../../src/onnx/codec.js'
import type { Tensor } from '../../src/onnx/graph.js'
import { inTemporaryFolder, runCli } from '../support/cli.js'
import { splitWeights } from '../support/externalWeights.js'

const PIXELS = 784
const WIDTH = 4700

/** Which pixel the second layer's unit passes on: 7 and 4700 share no factor, so every unit of the first is read once. */
const first = (unit: number): number => unit % PIXELS
const second = (unit: number): number => first((7 * unit + 3) % WIDTH)
/** ±2⁻⁸, alike for all units of a pixel, so that none takes away what another gives. */
const weight = (unit: number): number => (second(unit) % 3 === 0 ? -1 : 1) / 256

const matrix = (rows: number, columns: number, entries: (row: number) => readonly (readonly [number, number])[]) => {
  const data = new Float32Array(rows * columns)
  for (let row = 0; row < rows; row++) for (const [column, value] of entries(row)) data[row * columns + column] = value
  return { type: 'float32', dims: [rows, columns], data } satisfies Tensor
}
const units = Array.from({ length: WIDTH }, (_, unit) => unit)
/** What all that comes to: the score is w·x where no pixel is negative. */
const slopes = units.reduce((sums, unit) => {
  sums[second(unit)] += weight(unit)
  return sums
}, new Float64Array(PIXELS))
const atGray = slopes.reduce((sum, slope) => sum + slope / 2, 0)

/** An MLP of 104 MB whose first score is w·(x − ½), the second 0 and eight far below. */
const large = (): Uint8Array =>
  encodeModel({
    name: 'large',
    opsets: new Map([['', 17]]),
    irVersion: 8,
    inputs: [{ name: 'image', type: 'float32', dims: ['batch', 1, 28, 28] }],
    outputs: [{ name: 'scores', type: 'float32', dims: ['batch', 10] }],
    nodes: [
      makeNode('Flatten', ['image'], ['x']),
      makeNode('Gemm', ['x', 'w1'], ['z1'], { transB: 1 }),
      makeNode('Relu', ['z1'], ['h1']),
      makeNode('Gemm', ['h1', 'w2'], ['z2'], { transB: 1 }),
      makeNode('Relu', ['z2'], ['h2']),
      makeNode('Gemm', ['h2', 'w3', 'b3'], ['scores'], { transB: 1 }),
    ],
    constants: new Map<string, Tensor>([
      ['w1', matrix(WIDTH, PIXELS, (unit) => [[first(unit), 1]])],
      ['w2', matrix(WIDTH, WIDTH, (unit) => [[(7 * unit + 3) % WIDTH, 1]])],
      ['w3', matrix(10, WIDTH, (row) => (row === 0 ? units.map((unit) => [unit, weight(unit)]) : []))],
      ['b3', { type: 'float32', dims: [10], data: Float32Array.of(-atGray, 0, ...new Float32Array(8).fill(-100)) }],
    ]),
  })

/**
 * Images x = ½ + t·sign(w): their score is t·‖w‖₁, and FGSM moves it by exactly ε·‖w‖₁, against t. With 0.045 that breaks them
 * only where the signs of the gradient are right for 95 % of ‖w‖₁ or more.
 */
const MARGINS = [0.02, -0.02, 0.045, -0.045]
const EPSILON = 0.05

test('a model of over 100 MB is attacked by its gradient, in one file and with its weights beside it', async () => {
  await inTemporaryFolder(async (cwd) => {
    const bytes = large()
    expect(bytes.byteLength).toBeGreaterThan(100e6)
    const { model, parts } = splitWeights(bytes, ['large.onnx.data'])
    await mkdir(join(cwd, 'split'))
    await writeFile(join(cwd, 'large.onnx'), bytes)
    await writeFile(join(cwd, 'split/large.onnx'), model)
    await writeFile(join(cwd, 'split/large.onnx.data'), parts[0])
    const x = Float32Array.from({ length: MARGINS.length * PIXELS }, (_, at) =>
      Math.fround(0.5 + MARGINS[Math.floor(at / PIXELS)] * Math.sign(slopes[at % PIXELS])),
    )
    const y = BigInt64Array.from(MARGINS, (margin) => (margin > 0 ? 0n : 1n))
    const archive = writeNpz({
      x: { type: 'f4', shape: [MARGINS.length, 1, 28, 28], data: x },
      y: { type: 'i8', shape: [MARGINS.length], data: y },
    })
    await writeFile(join(cwd, 'images.npz'), archive)
    await writeFile(join(cwd, 'gate.yml'), 'suite:\n  attacks:\n    - { name: fgsm }\n')
    for (const path of ['large.onnx', 'split/large.onnx']) {
      const options = ['--data', 'images.npz', '--config', 'gate.yml', '--epsilon', String(EPSILON), '--out', 'out']
      expect(await runCli(['evaluate', '--model', path, ...options], { cwd })).toMatchObject({ status: 0 })
      const results = JSON.parse(await readFile(join(cwd, 'out/results.json'), 'utf8'))
      // One gradient for each image; by random search there would be none, and the flag `no-gradient-rule`.
      expect(results).toMatchObject({ cost: { gradients: MARGINS.length }, flags: [] })
      expect(results.summary).toMatchObject({ clean: { accuracy: 1 }, threats: { 'linf-0.05': { robustAccuracy: 0 } } })
    }
  })
})
