import { describe, expect, test } from '@jest/globals'
import { attribute } from '../../src/onnx/attributes.js'
import { encodeModel } from '../../src/onnx/codec.js'
import type { Tensor } from '../../src/onnx/graph.js'
import { runModel } from '../support/onnxruntime.js'
import { QUANTISED } from './cases/index.js'
import { between, LINEAR, scale, whole, zero } from './cases/quantised.js'
import { FOUR_STEPS, LINEAR as BLOCKS } from './cases/quantisedLayers.js'
import { LINEAR as OPERATORS } from './cases/quantisedOperators.js'
import { ROUNDING } from './roundings.js'
import { differentiate, floating, numbersOf, reals, settledOf } from './support.js'
import type { Case } from './support.js'

/** What the surrogate computes in the case's place, for one image. */
async function surrogateOf(tested: Case): Promise<(x: Tensor) => Promise<readonly number[]>> {
  const { graph } = await settledOf(tested)
  const model = encodeModel(graph)
  return async (x) => numbersOf([...(await runModel(model, new Map([['x', x]]))).values()][0])
}

/**
 * Off the steps, far outside the ranges too, onnxruntime's integer kernels are the oracle. What they sum in int32 and the
 * surrogate in float32 is the same; where they multiply by a scale, one may round 6e−8 beside the other, which shows where a
 * value lies that near to half a step: of these values none does, so the answers are equal to the last bit of the output.
 */
describe('the surrogate rounds and clips as the quantised operator does', () => {
  test.each(
    [...LINEAR, ...BLOCKS, ...OPERATORS, ...[...QUANTISED, FOUR_STEPS].map(({ tested }) => tested)].map(
      (tested) => [tested.name, tested] as const,
    ),
  )('%s', async (_name, tested) => {
    const { forward } = await differentiate(tested)
    const surrogate = await surrogateOf(tested)
    for (const reach of [4, 30, 500]) {
      const x = reals('float32', [tested.batch ?? 1, ...tested.shape], 3, -reach, reach)
      const expected = numbersOf(await forward(x))
      const actual = await surrogate(x)
      const size = Math.max(...expected.map(Math.abs))
      expected.forEach((value, at) => expect(Math.abs(actual[at] - value)).toBeLessThanOrEqual(1e-6 * size))
    }
  })
})

/** Steps of 1 into steps of 2: every second value lies between two neighbours, and which is even the zero point decides. */
const halves = (name: string, inputs: readonly string[], attributes = {}): Case =>
  between(`com.microsoft.${name}`, {
    shape: [1, 16],
    from: [scale(1), zero('int8', 0)],
    to: [scale(2), zero('int8', 5)],
    inputs,
    constants: { c: whole('int8', [1], [name === 'QLinearAdd' ? 0 : 1]), cs: scale(1), cz: zero('int8', 0) },
    attributes,
  })

/** A surrogate that rounds the other way is one step beside the model, in every layer: averages of four often end in a half. */
test.each(
  [
    halves('QLinearAdd', ['q', 'qs', 'qz', 'c', 'cs', 'cz', 'rs', 'rz']),
    halves('QLinearMul', ['q', 'qs', 'qz', 'c', 'cs', 'cz', 'rs', 'rz']),
    halves('QLinearAveragePool', ['q', 'qs', 'qz', 'rs', 'rz'], { kernel_shape: [1] }),
    halves('QLinearLeakyRelu', ['q', 'qs', 'qz', 'rs', 'rz'], { alpha: { float: 1 } }),
    halves('QLinearConcat', ['rs', 'rz', 'q', 'qs', 'qz'], { axis: 1 }),
  ].map((tested) => [tested.name, tested] as const),
)('%s: halves fall to the neighbour that onnxruntime’s kernel takes', async (_name, tested) => {
  const x = floating('float32', [1, 1, 16], [-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7])
  const { forward } = await differentiate(tested)
  const surrogate = await surrogateOf(tested)
  expect(await surrogate(x)).toEqual(numbersOf(await forward(x)))
})

/**
 * At points on the steps quantisation changes nothing before the operator, and rounding behind it passes the gradient on:
 * what arrives is the real operator's gradient, in double where that has a kernel, but for the roundings of the longest
 * formula among them, Softmax's: five for the probabilities, a product, a sum of four, a product, a difference, and a product
 * with each of the two scales. Each is off by 2⁻²⁴ of the largest number.
 */
describe('the gradient is that of the real operator, rounding passed by', () => {
  const roundings = 5 + 1 + 3 + 1 + 1 + 2
  const cases = QUANTISED.map((one) => [one.tested.name, one] as const)
  test.each(cases)('%s', async (_name, { tested, twin, points }) => {
    const quantised = await differentiate(tested)
    const real = await differentiate(twin)
    for (const rows of tested.batch === undefined ? [1, 3] : [tested.batch]) {
      const x = points([rows, ...tested.shape])
      const same = floating(twin.type, x.dims, numbersOf(x))
      const u = reals('float32', (await quantised.forward(x)).dims, 29)
      const expected = numbersOf(await real.vjp(same, floating(twin.type, u.dims, numbersOf(u))))
      const actual = numbersOf(await quantised.vjp(x, u))
      const size = Math.max(1, ...expected.map(Math.abs))
      expected.forEach((slope, at) => expect(Math.abs(actual[at] - slope)).toBeLessThan(roundings * ROUNDING * size))
    }
  })
})

/** Who reads that a model rounds looks for a reason why its numbers are soft; where it does not round there is none. */
test.each([
  [undefined, []],
  [1, []],
  [4, ['com.microsoft.MatMulNBits']],
])('weights of four bits at accuracy_level %p: straight-through are %p', async (level, expected) => {
  const [plain] = BLOCKS.filter(({ name }) => name === 'com.microsoft.MatMulNBits, plain')
  const attributes = level === undefined ? [] : [['accuracy_level', attribute.int('accuracy_level', level)] as const]
  const nodes = plain.nodes.map((node) => ({ ...node, attributes: new Map([...node.attributes, ...attributes]) }))
  expect((await settledOf({ ...plain, nodes })).straightThrough).toEqual(expected)
})
