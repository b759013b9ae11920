import { expect, test } from '@jest/globals'
import { inspectModel } from '../../src/autodiff/inspect.js'
import { makeNode } from '../../src/onnx/attributes.js'
import { drawn, noisyClassifier, PIXELS, WEIGHTS } from './noisyClassifier.js'
import { floating, generator, numbersOf, reals } from './support.js'

const trains = {
  ratio: { type: 'float32', dims: [], data: Float32Array.of(0.5) },
  training: { type: 'bool', dims: [], data: Uint8Array.of(1) },
} as const

/** An attack that differentiates one draw and looks at another climbs a hill that is not there. */
test('forward and backward see one draw: a product with noise is its slope times the image', async () => {
  const dropout = noisyClassifier(17, [makeNode('Dropout', ['x', 'ratio', 'training'], ['noisy'])], trains)
  // As PyTorch writes it when it exports a model that trains.
  const masked = noisyClassifier(12, [makeNode('Dropout', ['x', 'ratio', 'training'], ['noisy', 'mask'])], trains)
  const factor = noisyClassifier(17, [
    makeNode('RandomUniformLike', ['x'], ['u']),
    makeNode('Mul', ['x', 'u'], ['noisy']),
  ])
  const x = reals('float32', [1, PIXELS], 5)
  for (const bytes of [dropout, masked, factor]) {
    const found = await drawn(bytes, x, 3)
    // 64 products in float32, of some units: 1e-4 is a hundred roundings.
    for (const { z, slope } of found)
      expect(slope.reduce((sum, value, at) => sum + value * numbersOf(x)[at], 0)).toBeCloseTo(z, 4)
    expect(new Set(found.map(({ z }) => z)).size).toBe(3)
  }
})

test('the slope of Dropout is w / (1 − ratio) where it keeps, and 0 where it drops', async () => {
  const bytes = noisyClassifier(17, [makeNode('Dropout', ['x', 'ratio', 'training'], ['noisy'])], trains)
  const [{ slope }] = await drawn(bytes, reals('float32', [1, PIXELS], 5), 1)
  const kept = slope.filter((value, at) => Math.abs(value - 2 * WEIGHTS[2 * at + 1]) < 1e-4)
  expect(kept.length).toBeGreaterThan(0)
  expect(kept.length + slope.filter((value) => value === 0).length).toBe(PIXELS)
})

/** Its number is 0 with the probability that it is given: the standard's own function says so, and onnxruntime runs that. */
test('through Bernoulli goes the slope of what is left of its probabilities, and inspect says that it stands in', async () => {
  const bytes = noisyClassifier(15, [makeNode('Bernoulli', ['x'], ['noisy'])])
  const x = floating('float32', [1, PIXELS], Array.from({ length: PIXELS }, generator(7)))
  const [{ slope }] = await drawn(bytes, x, 1)
  slope.forEach((value, at) => expect(value).toBeCloseTo(-WEIGHTS[2 * at + 1], 4))
  const { operators, attackable } = await inspectModel({ name: 'chance.onnx', bytes, external: {} })
  expect(operators).toContainEqual({ operator: 'Bernoulli', count: 1, gradient: 'straight-through' })
  expect(attackable).toBe('yes')
})
