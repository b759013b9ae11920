import { expect, test } from '@jest/globals'
import { gradientModelOf } from '../../src/autodiff/gradientModel.js'
import { buildSurrogate } from '../../src/autodiff/surrogate.js'
import type { Surrogate } from '../../src/autodiff/surrogate.js'
import { UsageError } from '../../src/errors.js'
import { makeNode } from '../../src/onnx/attributes.js'
import { encodeModel } from '../../src/onnx/codec.js'
import type { ElementType, Node, Tensor } from '../../src/onnx/graph.js'
import { runModel } from '../support/onnxruntime.js'
import { ask, mnist } from './asking.js'
import { scale, wholes, zero } from './cases/quantised.js'
import { integers, numbersOf, reals } from './support.js'

/** Classifiers of phones and microcontrollers end with the whole numbers themselves: no DequantizeLinear follows. */
const four = { ...mnist, shape: [4], layout: 'flat' } as const

function model(nodes: readonly Node[], constants: Readonly<Record<string, Tensor>>, type: ElementType): Uint8Array {
  return encodeModel({
    name: 'whole',
    opsets: new Map([['', 17]]),
    irVersion: 8,
    inputs: [{ name: 'x', type: 'float32', dims: ['n', 4] }],
    outputs: [{ name: 'y', type, dims: ['n', 3] }],
    nodes,
    constants: new Map(Object.entries({ s: scale(1 / 16), z: zero('uint8', 100), ...constants })),
  })
}

const dense = { w: reals('float32', [4, 3], 51), c: reals('float32', [3], 53) }
const gemm = makeNode('Gemm', ['x', 'w', 'c'], ['logits'])
const quantise = (from: string, to: string): Node => makeNode('QuantizeLinear', [from, 's', 'z'], [to])

const build = (bytes: Uint8Array): Promise<Surrogate> =>
  buildSurrogate({ name: 'whole.onnx', bytes, external: {} }, four)

test('logits quantised to uint8 are attacked in the units of the real ones, and have their gradient', async () => {
  const bytes = model([gemm, quantise('logits', 'y')], dense, 'uint8')
  const surrogate = await build(bytes)
  expect(surrogate).toMatchObject({ classes: 3, output: { kind: 'logits' }, straightThrough: ['QuantizeLinear'] })
  const x = reals('float32', [1, 4], 57, 0, 1)
  const { logits, gradient } = await ask(surrogate, x, 0, [0])
  const [said] = (await runModel(bytes, new Map([['x', x]]))).values()
  expect(logits).toEqual(numbersOf(said).map((steps) => steps / 16))
  // d cross-entropy / d logits = softmax − onehot, times the weights of each pixel.
  const largest = Math.max(...logits)
  const powers = logits.map((logit) => Math.exp(logit - largest))
  const total = powers.reduce((sum, power) => sum + power, 0)
  const slopes = powers.map((power, place) => power / total - (place === 0 ? 1 : 0))
  gradient.forEach((slope, pixel) => {
    const expected = slopes.reduce((sum, by, place) => sum + by * numbersOf(dense.w)[3 * pixel + place], 0)
    expect(slope).toBeCloseTo(expected, 4)
  })
})

test('a quantised Softmax at the end is looked behind, a product of whole numbers is the output as it is', async () => {
  const softmax = makeNode('Softmax', ['logits'], ['p'])
  const to = integers([-1, 3])
  const ended = [gemm, softmax, quantise('p', 'q'), makeNode('Reshape', ['q', 'to'], ['y'])]
  const whole = { ...dense, s: scale(1 / 255), z: zero('uint8', 0), to }
  expect(await build(model(ended, whole, 'uint8'))).toMatchObject({ output: { kind: 'probabilities' } })

  const product = [quantise('x', 'q'), makeNode('QLinearMatMul', ['q', 's', 'z', 'w', 'ws', 'wz', 'rs', 'rz'], ['y'])]
  const weights = { w: wholes('int8', [4, 3], 3, 50), ws: scale(0.01), wz: zero('int8', 0) }
  const ends = { s: scale(1 / 255), z: zero('uint8', 0), rs: scale(0.02), rz: zero('int8', -3) }
  const bytes = model(product, { ...weights, ...ends, z: zero('int8', -128), rz: zero('int8', -3) }, 'int8')
  expect(await build(bytes)).toMatchObject({ classes: 3, output: { kind: 'logits' } })
})

test('one quantised number does not say where one class ends: refused with what to do', async () => {
  const one = { w: reals('float32', [4, 1], 51), c: reals('float32', [1], 53) }
  const bytes = model([gemm, quantise('logits', 'y')], one, 'uint8')
  const advice = /one number of type uint8.*export the model with a DequantizeLinear at its end/
  await expect(build(bytes)).rejects.toThrow(advice)
  await expect(build(bytes)).rejects.toThrow(UsageError)
  await expect(gradientModelOf({ name: 'whole.onnx', bytes, external: {} }, runModel)).rejects.toThrow(advice)
})
