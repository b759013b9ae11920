import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { parseConfig } from '../../src/config/parse.js'
import type { Dataset } from '../../src/data/types.js'
import { evaluate } from '../../src/evaluation/evaluate.js'
import type { Results } from '../../src/evaluation/results.js'
import { decodeModel } from '../../src/onnx/codec.js'
import { generator } from '../autodiff/support.js'
import { effectsOf, realChildren } from '../evaluation/support.js'
import { runModelWith } from '../support/onnxruntime.js'

const worker = fileURLToPath(new URL('../../.build/engine/worker.js', import.meta.url))
const SAMPLES = 16
const FEATURES = 1960
const FEW = 3

/** Noise about a level, both of them at random: what the model says of it is its label. */
async function noises(bytes: Uint8Array): Promise<Dataset> {
  const random = generator(7)
  const pixels = new Float32Array(SAMPLES * FEATURES)
  for (let row = 0; row < SAMPLES; row++) {
    const [level, spread] = [4 * random() - 2, 4 * random()]
    for (let at = 0; at < FEATURES; at++)
      pixels[row * FEATURES + at] = Math.min(Math.max(level + spread * (random() - 0.5), -5), 5)
  }
  const [input] = decodeModel(bytes).inputs
  const run = runModelWith('all')
  const labels = new Int32Array(SAMPLES)
  for (let row = 0; row < SAMPLES; row++) {
    const data = pixels.slice(row * FEATURES, (row + 1) * FEATURES)
    const [said] = (await run(bytes, new Map([[input.name, { type: 'float32', dims: [1, FEATURES], data }]]))).values()
    const scores = Array.from(said.data as Float32Array)
    labels[row] = scores.indexOf(Math.max(...scores))
  }
  return {
    name: 'noises',
    sha256: '00'.repeat(32),
    samples: SAMPLES,
    shape: [FEATURES],
    layout: 'flat',
    range: [-5, 5],
    pixels,
    labels,
  }
}

function firstOf(data: Dataset, samples: number): Dataset {
  const { pixels, labels } = data
  return { ...data, samples, pixels: pixels.slice(0, samples * FEATURES), labels: labels.slice(0, samples) }
}

/** All of them in the usual batch, or the first few one at a time. */
async function attacked(file: string, alone?: number): Promise<Results> {
  const bytes = await readFile(fileURLToPath(new URL(`../../fixtures/kws/${file}`, import.meta.url)))
  const { startChild } = realChildren(worker)
  const flags = { epsilon: '0.5', range: '-5,5', ...(alone !== undefined && { batch: '1' }) }
  const { threats, suite, seed, preprocessing, limits } = parseConfig({ flags })
  const all = await noises(bytes)
  const dataset = alone === undefined ? all : firstOf(all, alone)
  const model = { name: file, bytes, external: {} }
  const request = { model, dataset, preprocessing, threats, suite, seed, limits, toolVersion: 'test' }
  return evaluate(request, effectsOf(startChild))
}

/** Half of the noises fall or more; without a gradient through the steps none would (every derivative is 0). */
describe('a model in whole numbers is attacked through its float surrogate', () => {
  test.each([
    ['micro_kws_m_qdq.onnx', /QuantizeLinear/],
    ['micro_kws_m_static_qoperator.onnx', /QLinearConv/],
  ])('%s, and one image at a time it is the same to the bit', async (file, operators) => {
    const usual = await attacked(file)
    const { summary, flags } = usual
    expect(summary.clean.correct).toBe(SAMPLES)
    expect(summary.threats['linf-0.5'].robustAccuracy).toBeLessThanOrEqual(0.5)
    expect(flags).toEqual([{ code: 'straight-through', message: expect.stringMatching(operators) }])
    const alone = await attacked(file, FEW)
    expect([alone.tool.batch, usual.tool.batch]).toEqual([1, 64])
    expect(alone.samples).toEqual(usual.samples.slice(0, FEW))
  })
})
