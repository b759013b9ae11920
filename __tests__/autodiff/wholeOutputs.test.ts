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

test('a quantised Softmax at the end is looked behind', async () => {
  const softmax = makeNode('Softmax', ['logits'], ['p'])
  const to = integers([-1, 3])
  const ended = [gemm, softmax, quantise('p', 'q'), makeNode('Reshape', ['q', 'to'], ['y'])]
  const whole = { ...dense, s: scale(1 / 255), z: zero('uint8', 0), to }
  expect(await build(model(ended, whole, 'uint8'))).toMatchObject({ output: { kind: 'probabilities' } })
})

const product = [quantise('x', 'q'), makeNode('QLinearMatMul', ['q', 's', 'z', 'w', 'ws', 'wz', 'rs', 'rz'], ['r'])]
const weights = { w: wholes('int8', [4, 3], 3, 50), ws: scale(0.01), wz: zero('int8', 0) }
const ends = { s: scale(1 / 255), z: zero('int8', -128), rs: scale(1 / 64), rz: zero('int8', -3) }
const others = { c: wholes('int8', [3], 7, 20), cs: scale(1 / 32), cz: zero('int8', 4) }
const last = { os: scale(1 / 16), oz: zero('int8', 5) }
const ms = (op: string, inputs: readonly string[], attributes = {}): Node =>
  makeNode(op, inputs, ['y'], attributes, '', 'com.microsoft')

/**
 * In steps instead of units a model is as many times as sure, and its cross-entropy flat: the attacks of a user whose
 * classifier ends so would stand still, and the model would count as robust.
 */
test.each<[string, readonly Node[], number]>([
  ['QLinearMatMul', [makeNode('Identity', ['r'], ['y'])], 1 / 64],
  [
    'MaxPool, of what was quantised before',
    [
      makeNode('Unsqueeze', ['r', 'axis'], ['map']),
      makeNode('MaxPool', ['map'], ['pooled'], { kernel_shape: [1] }),
      makeNode('Squeeze', ['pooled', 'axis'], ['y']),
    ],
    1 / 64,
  ],
  [
    'QLinearConv',
    [
      makeNode('Unsqueeze', ['r', 'last'], ['map']),
      makeNode('QLinearConv', ['map', 'rs', 'rz', 'k', 'ks', 'kz', 'os', 'oz'], ['seen']),
      makeNode('Flatten', ['seen'], ['y']),
    ],
    1 / 16,
  ],
  ['QLinearAdd', [ms('QLinearAdd', ['r', 'rs', 'rz', 'c', 'cs', 'cz', 'os', 'oz'])], 1 / 16],
  ['QLinearMul', [ms('QLinearMul', ['r', 'rs', 'rz', 'c', 'cs', 'cz', 'os', 'oz'])], 1 / 16],
  ['QLinearLeakyRelu', [ms('QLinearLeakyRelu', ['r', 'rs', 'rz', 'os', 'oz'], { alpha: { float: 0.25 } })], 1 / 16],
  ['QLinearWhere', [ms('QLinearWhere', ['if', 'r', 'rs', 'rz', 'c', 'cs', 'cz', 'os', 'oz'])], 1 / 16],
  [
    'QLinearConcat',
    [
      makeNode('Slice', ['r', 'none', 'one', 'one'], ['front']),
      makeNode('Slice', ['r', 'one', 'three', 'one'], ['back']),
      ms('QLinearConcat', ['os', 'oz', 'front', 'rs', 'rz', 'back', 'rs', 'rz'], { axis: 1 }),
    ],
    1 / 16,
  ],
])(
  'a classifier that ends with %s has its logits in units, and slopes as steep as its weights',
  async (_, nodes, step) => {
    const more = {
      ...{ k: wholes('int8', [3, 3, 1], 9, 60), ks: scale(1 / 64), kz: zero('int8', 0) },
      ...{ axis: integers([1]), last: integers([2]), none: integers([0]), one: integers([1]), three: integers([3]) },
      if: { type: 'bool', dims: [3], data: Uint8Array.of(1, 1, 0) } as const,
    }
    const bytes = model([...product, ...nodes], { ...weights, ...ends, ...others, ...last, ...more }, 'int8')
    const surrogate = await build(bytes)
    expect(surrogate).toMatchObject({ classes: 3, output: { kind: 'logits' }, unknownSteps: false })
    const x = reals('float32', [1, 4], 57, 0.2, 0.8)
    const [said] = (await runModel(bytes, new Map([['x', x]]))).values()
    const { logits, value, gradient } = await ask(surrogate, x, 0, [0])
    expect(logits).toEqual(numbersOf(said).map((steps) => steps * step))
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0)
    expect(value[0]).toBeCloseTo(Math.log(total) - logits[0], 5)
    // The least slope that a difference of one in one weight of 50 (0.01) would make, at a loss that has not saturated.
    expect(Math.max(...gradient.map(Math.abs))).toBeGreaterThan(0.001)
  },
)

test('a product of whole numbers has the slopes of its weights', async () => {
  const nodes = [...product, makeNode('Identity', ['r'], ['y'])]
  const surrogate = await build(model(nodes, { ...weights, ...ends }, 'int8'))
  const x = reals('float32', [1, 4], 57, 0.2, 0.8)
  const { logits, gradient } = await ask(surrogate, x, 0, [0])
  const powers = logits.map((logit) => Math.exp(logit))
  const total = powers.reduce((sum, power) => sum + power, 0)
  // d cross-entropy / d logits = softmax − onehot; rounding passes it on, and a weight is 0.01 of its number.
  const slopes = powers.map((power, place) => power / total - (place === 0 ? 1 : 0))
  gradient.forEach((slope, pixel) => {
    const expected = slopes.reduce((sum, by, place) => sum + by * 0.01 * numbersOf(weights.w)[3 * pixel + place], 0)
    expect(slope).toBeCloseTo(expected, 5)
  })
})

const dynamic = makeNode('DynamicQuantizeLinear', ['x'], ['q', 'qs', 'qz'])
const sums = [dynamic, makeNode('MatMulInteger', ['q', 'w', 'qz'], ['sums'])]
const asReals = [...sums, makeNode('Cast', ['sums'], ['reals'], { to: 1 })]
const SUM = 1 / 255 / 127
/** Of up to a tenth of what four products of 255 and 127 sum to. */
const bias = { bias: reals('float32', [3], 59, -9000, 9000), whole: wholes('int32', [3], 61, 9000) }

/** In sums of up to 130,000 all classes but one would have no probability, and cross-entropy no slope. */
test.each<[string, readonly Node[], ElementType, number]>([
  ['MatMulInteger', [dynamic, makeNode('MatMulInteger', ['q', 'w', 'qz'], ['y'])], 'int32', 1 / 255 / 127],
  [
    'MatMulInteger, as float32',
    [dynamic, makeNode('MatMulInteger', ['q', 'w', 'qz'], ['sums']), makeNode('Cast', ['sums'], ['y'], { to: 1 })],
    'float32',
    1 / 255 / 127,
  ],
  ['MatMulInteger, with a bias of whole numbers', [...sums, makeNode('Add', ['sums', 'whole'], ['y'])], 'int32', SUM],
  ['MatMulInteger, with a bias', [...asReals, makeNode('Add', ['reals', 'bias'], ['y'])], 'float32', SUM],
  ['MatMulInteger, with a bias in front', [...asReals, makeNode('Add', ['bias', 'reals'], ['y'])], 'float32', SUM],
  ['MatMulInteger, less a bias', [...asReals, makeNode('Sub', ['reals', 'bias'], ['y'])], 'float32', SUM],
  ['MatMulInteger, doubled', [...asReals, makeNode('Mul', ['reals', 'two'], ['y'])], 'float32', SUM / 2],
  ['MatMulInteger, halved', [...asReals, makeNode('Div', ['reals', 'two'], ['y'])], 'float32', SUM * 2],
  [
    'ConvInteger, of pixels quantised in steps of 1/64',
    [
      quantise('x', 'q'),
      makeNode('Unsqueeze', ['q', 'last'], ['map']),
      makeNode('ConvInteger', ['map', 'k', 'z'], ['seen']),
      makeNode('Flatten', ['seen'], ['y']),
    ],
    'int32',
    1 / 64 / 127,
  ],
])('%s at the end: factors are taken for fractions', async (_, nodes, type, step) => {
  const convolved = { k: wholes('int8', [3, 4, 1], 3, 127), last: integers([2]) }
  const own = { w: wholes('int8', [4, 3], 3, 127), ...convolved, ...bias, two: scale(2) }
  const bytes = model(nodes, { ...own, s: scale(1 / 64) }, type)
  const surrogate = await build(bytes)
  expect(surrogate.unknownSteps).toBe(true)
  const x = reals('float32', [1, 4], 57, 0.2, 0.8)
  const [said] = (await runModel(bytes, new Map([['x', x]]))).values()
  const { logits, value, gradient } = await ask(surrogate, x, 0, [0])
  // Below 4 half a unit in the last place of float32 is 1.2e−7.
  numbersOf(said).forEach((sum, at) => expect(logits[at]).toBeCloseTo(sum * step, 6))
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0)
  expect(value[0]).toBeCloseTo(Math.log(total) - logits[0], 5)
  // A weight is a fraction of its 127: the least difference of two that differ makes 1/127 of what softmax leaves, 0.1.
  expect(Math.max(...gradient.map(Math.abs))).toBeGreaterThan(0.1 / 127)
})

test('a scale that the image sets tells no unit: that it is unknown is said, and that of real logits is not', async () => {
  const computed = [gemm, makeNode('DynamicQuantizeLinear', ['logits'], ['y', 'scale', 'zero'])]
  expect(await build(model(computed, dense, 'uint8'))).toMatchObject({ unknownSteps: true })
  const real = [makeNode('Gemm', ['x', 'w', 'c'], ['y'])]
  expect(await build(model(real, dense, 'float32'))).toMatchObject({ unknownSteps: false })
})

test.each(['Mul', 'Div'])(
  'sums that the model multiplies by a scale of its own (%s) are real logits, unguessed',
  async (op) => {
    const nodes = [...asReals, makeNode(op, ['reals', 'scale'], ['scaled']), makeNode('Add', ['scaled', 'c'], ['y'])]
    const own = { ...dense, w: wholes('int8', [4, 3], 3, 127), scale: scale(op === 'Mul' ? 2 ** -14 : 2 ** 14) }
    const bytes = model(nodes, own, 'float32')
    const surrogate = await build(bytes)
    expect(surrogate.unknownSteps).toBe(false)
    const x = reals('float32', [1, 4], 57, 0.2, 0.8)
    const [said] = (await runModel(bytes, new Map([['x', x]]))).values()
    expect((await ask(surrogate, x, 0, [0])).logits).toEqual(numbersOf(said))
  },
)

test('one quantised number does not say where one class ends: refused with what to do', async () => {
  const one = { w: reals('float32', [4, 1], 51), c: reals('float32', [1], 53) }
  const bytes = model([gemm, quantise('logits', 'y')], one, 'uint8')
  const advice = /one number of type uint8.*export the model with a DequantizeLinear at its end/
  await expect(build(bytes)).rejects.toThrow(advice)
  await expect(build(bytes)).rejects.toThrow(UsageError)
  await expect(gradientModelOf({ name: 'whole.onnx', bytes, external: {} }, runModel)).rejects.toThrow(advice)
})
