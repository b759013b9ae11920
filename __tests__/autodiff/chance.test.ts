import { expect, test } from '@jest/globals'
import { gradientModelOf } from '../../src/autodiff/gradientModel.js'
import { inspectModel } from '../../src/autodiff/inspect.js'
import { modelRunner } from '../../src/engine/session.js'
import { makeNode } from '../../src/onnx/attributes.js'
import { encodeModel } from '../../src/onnx/codec.js'
import type { Node, Tensor } from '../../src/onnx/graph.js'
import { runModel } from '../support/onnxruntime.js'
import { floating, generator, numbersOf, reals } from './support.js'

const PIXELS = 64
const random = generator(11)
/** Two classes: z₀ = 0, z₁ = w · (noise applied to x). */
const WEIGHTS = Float32Array.from({ length: 2 * PIXELS }, (_, at) => (at % 2 === 0 ? 0 : random() - 0.5))

const model = (opset: number, noise: readonly Node[], constants: Readonly<Record<string, Tensor>> = {}): Uint8Array =>
  encodeModel({
    name: 'chance',
    opsets: new Map([['', opset]]),
    irVersion: 8,
    inputs: [{ name: 'x', type: 'float32', dims: ['n', PIXELS] }],
    outputs: [{ name: 'y', type: 'float32', dims: ['n', 2] }],
    nodes: [...noise, makeNode('MatMul', ['noisy', 'w'], ['y'])],
    constants: new Map([
      ...Object.entries(constants),
      ['w', { type: 'float32', dims: [PIXELS, 2], data: WEIGHTS }] as const,
    ]),
  })

/** z₁ and dz₁/dx of several runs, from the gradient of cross-entropy for class 0, which is softmax(z)₁ · dz₁/dx. */
async function draws(bytes: Uint8Array, x: Tensor, runs: number) {
  const gradient = await gradientModelOf({ name: 'chance.onnx', bytes, external: {} }, runModel)
  const run = modelRunner()
  const label: Tensor = { type: 'int64', dims: [1], data: BigInt64Array.of(0n) }
  const found: { z: number; slope: number[] }[] = []
  for (let at = 0; at < runs; at++) {
    const answers = await run(gradient, new Map([['x', x] as const, ['label', label] as const]))
    const [, z] = numbersOf(answers.get('logits') as Tensor)
    const share = 1 / (1 + Math.exp(-z))
    found.push({ z, slope: numbersOf(answers.get('gradient') as Tensor).map((value) => value / share) })
  }
  await run.close()
  return found
}

const trains = {
  ratio: { type: 'float32', dims: [], data: Float32Array.of(0.5) },
  training: { type: 'bool', dims: [], data: Uint8Array.of(1) },
} as const

/** An attack that differentiates one draw and looks at another climbs a hill that is not there. */
test('forward and backward see one draw: a product with noise is its slope times the image', async () => {
  const dropout = model(17, [makeNode('Dropout', ['x', 'ratio', 'training'], ['noisy'])], trains)
  // As PyTorch writes it when it exports a model that trains.
  const masked = model(12, [makeNode('Dropout', ['x', 'ratio', 'training'], ['noisy', 'mask'])], trains)
  const factor = model(17, [makeNode('RandomUniformLike', ['x'], ['u']), makeNode('Mul', ['x', 'u'], ['noisy'])])
  const x = reals('float32', [1, PIXELS], 5)
  for (const bytes of [dropout, masked, factor]) {
    const found = await draws(bytes, x, 3)
    // 64 products in float32, of some units: 1e-4 is a hundred roundings.
    for (const { z, slope } of found)
      expect(slope.reduce((sum, value, at) => sum + value * numbersOf(x)[at], 0)).toBeCloseTo(z, 4)
    expect(new Set(found.map(({ z }) => z)).size).toBe(3)
  }
})

test('the slope of Dropout is w / (1 − ratio) where it keeps, and 0 where it drops', async () => {
  const bytes = model(17, [makeNode('Dropout', ['x', 'ratio', 'training'], ['noisy'])], trains)
  const [{ slope }] = await draws(bytes, reals('float32', [1, PIXELS], 5), 1)
  const kept = slope.filter((value, at) => Math.abs(value - 2 * WEIGHTS[2 * at + 1]) < 1e-4)
  expect(kept.length).toBeGreaterThan(0)
  expect(kept.length + slope.filter((value) => value === 0).length).toBe(PIXELS)
})

test('through Bernoulli goes the slope of its probabilities, and inspect says that it stands in', async () => {
  const bytes = model(15, [makeNode('Bernoulli', ['x'], ['noisy'])])
  const x = floating('float32', [1, PIXELS], Array.from({ length: PIXELS }, random))
  const [{ slope }] = await draws(bytes, x, 1)
  slope.forEach((value, at) => expect(value).toBeCloseTo(WEIGHTS[2 * at + 1], 4))
  const { operators, attackable } = await inspectModel({ name: 'chance.onnx', bytes, external: {} })
  expect(operators).toContainEqual({ operator: 'Bernoulli', count: 1, gradient: 'straight-through' })
  expect(attackable).toBe('yes')
})
