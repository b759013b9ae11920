import { describe, expect, test } from '@jest/globals'
import type { OutputKind } from '../../src/autodiff/logits.js'
import { loadModel } from '../../src/engine/load.js'
import { classScores, logitsOf } from '../../src/engine/outputs.js'
import { dataset, imagesOf, loadRequest } from './support/fixtures.js'

const difference = (row: Float32Array): number => row[0] - row[1]
const logitsOfOutput = (kind: OutputKind, values: readonly number[]): Float32Array =>
  logitsOf(classScores({ type: 'float32', dims: [1, values.length], data: Float32Array.from(values) }, kind), kind)

describe('an attack without gradients sees how far probabilities are from changing', () => {
  test('where their differences have long been rounded away', () => {
    // Softmax of (0, 40) and of (0, 41): 1 − p is 4e-18 and 2e-18, in float32 both p are 1. The logits' difference is −40.
    const [near, far] = [40, 41].map((z) => difference(logitsOfOutput('probabilities', [Math.exp(-z), 1])))
    // Float32 numbers of some 40 are 2⁻¹⁸ apart, and p is within 2⁻²⁴ of itself.
    expect(Math.abs(near + 40)).toBeLessThan(2 ** -18)
    expect(Math.abs(far + 41)).toBeLessThan(2 ** -18)
  })

  test('one probability is two classes', () => {
    // log(3/4 : 1/4) = log 3.
    expect(difference(logitsOfOutput('one-probability', [0.25]))).toBeCloseTo(Math.log(3), 6)
    expect(difference(logitsOfOutput('one-probability', [0]))).toBe(Infinity)
  })

  test('a class that is impossible is −∞, one that is not a number stays none', () => {
    expect([...logitsOfOutput('probabilities', [1, 0, NaN])]).toEqual([0, -Infinity, NaN])
  })

  test.each(['logits', 'log-probabilities'] as const)('%s stay what they are', (kind) => {
    expect([...logitsOfOutput(kind, [-1.5, 2, -Infinity])]).toEqual([-1.5, 2, -Infinity])
    expect([...logitsOfOutput('one-logit', [-1.5])]).toEqual([0, -1.5])
  })

  test('quantised probabilities whose numbers begin at −128 keep their order', () => {
    const data = Int8Array.of(-120, 100, -128)
    const scores = classScores({ type: 'int8', dims: [1, 3], data }, 'probabilities')
    expect([...logitsOf(scores, 'probabilities')]).toEqual([-120, 100, -128])
  })
})

const data = dataset('fashion/fashion-test.npz', 4)

test.each([
  'softmax-torchscript-12',
  'softmax-dynamo-18-fixed',
  'log-softmax-torchscript-13-fixed',
  'one-probability-torchscript-15',
  'one-logit-dynamo-18',
])('the original %s answers with margins of the logits that its last operator hid', async (name) => {
  const { engine } = await loadModel(loadRequest(`models/${name}.onnx`, data, { batch: 16 }))
  for (const { pixels } of imagesOf(data)) {
    const [original] = await engine.prediction.answer([{ kind: 'prediction', point: pixels }])
    const loss = { name: 'margin', label: 0 } as const
    const [surrogate] = await engine.gradient.answer([{ kind: 'gradient', point: pixels, loss }])
    surrogate.logits.forEach((logit, k) =>
      // Probabilities of some tenths, each with a relative error of some 2⁻²⁴.
      expect(original.logits[k] - original.logits[0]).toBeCloseTo(logit - surrogate.logits[0], 5),
    )
  }
})
