import { readFileSync } from 'node:fs'
import { expect, jest, test } from '@jest/globals'
import { AttributeProto_AttributeType as Type } from 'onnx-buf'
import type { AttributeProto } from 'onnx-buf'
import { operatorRows } from '../../src/autodiff/operatorTable.js'
import { gradientBuilder } from '../../src/autodiff/reverse.js'
import { RULES } from '../../src/autodiff/rules/index.js'
import { operatorOf } from '../../src/onnx/attributes.js'
import { encodeModel } from '../../src/onnx/codec.js'
import { dependents } from '../../src/onnx/dependence.js'
import type { Node, Tensor } from '../../src/onnx/graph.js'
import { runModel } from '../support/onnxruntime.js'
import { CASES } from './cases/index.js'
import { graphOf, reals, settledOf } from './support.js'
import type { Case } from './support.js'

/**
 * What the cases of cases/ try between them, by machine: a rule that is right for one image, one direction of broadcasting,
 * one value of an attribute may be wrong for the others.
 */

const json = (name: string): unknown => JSON.parse(readFileSync(`scripts/reference/${name}.json`, 'utf8'))
const versions = json('operatorVersions') as Readonly<Record<string, readonly number[]>>
type Attributes = Readonly<Record<string, Readonly<Record<string, unknown>>>>
const ATTRIBUTES = {
  ...(json('operatorAttributes') as Attributes),
  ...(json('contributedAttributes') as Attributes),
}

/** With a gradient; Bernoulli, which draws, has chance.test.ts. */
const operators = operatorRows(versions)
  .filter(({ gradient, operator }) => gradient !== 'none' && gradient !== 'missing' && operator !== 'Bernoulli')
  .map(({ operator }) => operator)

const nodesOf = new Map<string, (readonly [Node, Case])[]>()
for (const one of CASES)
  for (const node of one.nodes) nodesOf.set(operatorOf(node), [...(nodesOf.get(operatorOf(node)) ?? []), [node, one]])
const used = (operator: string): readonly (readonly [Node, Case])[] => nodesOf.get(operator) ?? []

test('every operator is tried on one image and on three', () => {
  const without = operators.flatMap((operator) => {
    const batches = used(operator).flatMap(([, { batch }]) => (batch === undefined ? [1, 3] : [batch]))
    return [1, 3].filter((batch) => !batches.includes(batch)).map((batch) => `${operator}, batch ${batch}`)
  })
  expect(without).toEqual([])
})

/** Attributes that no case gives, and why. */
const UNTRIED: Readonly<Record<string, string>> = {
  ...{ 'GRU.layout': 'onnxruntime runs none but 0', 'LSTM.layout': 'the same', 'RNN.layout': 'the same' },
  ...{
    'GroupNormalization.stash_type': 'onnxruntime knows none but float32',
    'RMSNormalization.stash_type': 'the same',
  },
  'LayerNormalization.stash_type': 'the same',
  ...{ 'Cast.round_mode': 'for float8 weights only', 'CastLike.round_mode': 'the same' },
  ...{ 'Cast.saturate': 'the same', 'CastLike.saturate': 'the same', 'QuantizeLinear.saturate': 'the same' },
  ...{ 'QuantizeLinear.precision': 'a type, which the scale tells', 'DequantizeLinear.output_dtype': 'the same' },
  ...{ 'MaxRoiPool.spatial_scale': 'regions.test.ts tries it', 'RoiAlign.spatial_scale': 'the same' },
  ...{ 'RoiAlign.coordinate_transformation_mode': 'the same', 'RoiAlign.mode': 'the same' },
  'Attention.softmax_precision': 'a type, which nothing but rounding tells',
  'Optional.type': 'of an optional that is empty, through which nothing flows',
  'ai.onnx.ml.LinearClassifier.classlabels_strings': 'names of classes, which no score tells',
  'com.microsoft.FusedGemm.activation_gamma': 'none of its activations with a gradient reads it',
  'com.microsoft.MatMulNBits.accuracy_level': 'quantised.test.ts tries it',
  'com.microsoft.MatMulNBits.weight_prepacked': 'for other processors',
  'com.microsoft.QAttention.mask_filter_value': 'read as that of Attention, which is tried with it',
  ...Object.fromEntries(
    ['Attention', 'QAttention'].flatMap((name) => [
      [`com.microsoft.${name}.do_rotary`, 'for other processors'],
      [`com.microsoft.${name}.past_present_share_buffer`, 'the same'],
    ]),
  ),
  'com.microsoft.Attention.rotary_embedding_dim': 'the same',
  'com.microsoft.RotaryEmbedding.is_packed_batching': 'the same',
}

test('every attribute of every operator, of the standard and of onnxruntime, is given something else than its default', () => {
  const untried = operators.flatMap((operator) =>
    Object.entries(ATTRIBUTES[operator] ?? {}).flatMap(([name, fallback]) => {
      const values = used(operator).flatMap(([node]) => [
        ...[node.attributes.get(name)].filter((one) => one !== undefined),
      ])
      return values.some((one) => plain(one) !== rounded(fallback)) ? [] : [`${operator}.${name}`]
    }),
  )
  expect(untried.toSorted()).toEqual(Object.keys(UNTRIED).toSorted())
})

/** Operators that count axes, and the input that names them where no attribute does. */
const AXES: Readonly<Record<string, number>> = {
  ...{ CumSum: 1, Pad: 3, Slice: 3, Squeeze: 1, Unsqueeze: 1 },
  ...Object.fromEntries(operators.filter((operator) => operator.startsWith('Reduce')).map((operator) => [operator, 1])),
}
/** Operators whose axes onnxruntime wants counted from the front. */
const FROM_FRONT = ['MeanVarianceNormalization']

test('every operator that counts axes is tried with one that is counted from the back', () => {
  const counting = operators.filter((operator) => {
    const names = Object.keys(ATTRIBUTES[operator] ?? {})
    return operator in AXES || names.includes('axis') || names.includes('axes')
  })
  const without = counting.filter((operator) =>
    used(operator).every(([node, { constants }]) => {
      const { axis, axes } = Object.fromEntries(node.attributes)
      const named = constants[operator in AXES ? (node.inputs[AXES[operator]] ?? '') : '']
      return [axis?.i ?? 0, ...(axes?.ints ?? []), ...(named ? whole(named) : [])].every((one) => one >= 0n)
    }),
  )
  expect(without).toEqual(FROM_FRONT)
})

test('windows are tried with pads that differ at both ends, and with strides over odd sizes', () => {
  const withAttribute = (name: string): readonly string[] =>
    operators.filter((operator) => name in (ATTRIBUTES[operator] ?? {}))
  const evenly = (pads: readonly bigint[]): boolean =>
    pads.slice(0, pads.length / 2).join() === pads.slice(pads.length / 2).join()
  const symmetric = withAttribute('pads').filter((operator) =>
    used(operator).every(([node]) => evenly(node.attributes.get('pads')?.ints ?? [])),
  )
  const even = withAttribute('strides').filter((operator) =>
    used(operator).every(
      ([node, { shape }]) =>
        !node.attributes.get('strides')?.ints.some((stride) => stride > 1n) ||
        shape.slice(1).every((size) => size % 2 === 0),
    ),
  )
  expect({ symmetric, even }).toEqual({ symmetric: [], even: [] })
})

/** Operators that broadcast, and the inputs that they do it with. */
const BROADCASTING: Readonly<Record<string, readonly number[]>> = {
  ...{ Add: [0, 1], Sub: [0, 1], Mul: [0, 1], Div: [0, 1], Pow: [0, 1], Mod: [0, 1] },
  ...{ Max: [0, 1], Min: [0, 1], Sum: [0, 1], Mean: [0, 1], Where: [1, 2] },
  ...{ MatMul: [0, 1], MatMulInteger: [0, 1], QLinearMatMul: [0, 3], 'com.microsoft.FusedMatMul': [0, 1] },
  ...{ 'com.microsoft.TransposeMatMul': [0, 1], 'com.microsoft.MatMulIntegerToFloat': [0, 1] },
  ...{ 'com.microsoft.QLinearAdd': [0, 3], 'com.microsoft.QLinearMul': [0, 3], 'com.microsoft.QLinearWhere': [1, 4] },
}
/** In a product of matrices the axes in front are broadcast. */
const PRODUCTS = new Set([
  ...['MatMul', 'MatMulInteger', 'QLinearMatMul'],
  ...['FusedMatMul', 'TransposeMatMul', 'MatMulIntegerToFloat', 'DynamicQuantizeMatMul'].map(
    (name) => `com.microsoft.${name}`,
  ),
])
const repeatable = (operator: string, dims: readonly number[]): string =>
  (PRODUCTS.has(operator) ? dims.slice(0, -2) : dims).join()

/** Operators of which one input is repeated to the size of the others, never the other way round, and which. */
const REPEATING: Readonly<Record<string, number>> = {
  ...{ PRelu: 1, Gemm: 2, Expand: 0, LayerNormalization: 1, RMSNormalization: 1, SimplifiedLayerNormalization: 1 },
  ...{ 'com.microsoft.BiasGelu': 1, 'com.microsoft.FastGelu': 1, 'com.microsoft.DynamicQuantizeMatMul': 0 },
}

test.each(Object.entries(BROADCASTING))(
  '%s is tried with x in each place, repeated and not',
  async (operator, places) => {
    const tried = new Set<string>()
    for (const [node, one] of used(operator)) {
      const dims = await dimsOf(node, one)
      const front = (name: string): string => repeatable(operator, dims(name))
      const whole = front(node.outputs[0])
      const repeated = (at: number): boolean => front(node.inputs[at] ?? '') !== whole
      const active = dependents(graphOf(one).nodes, ['x'])
      for (const at of places.filter((place) => active.has(node.inputs[place] ?? ''))) {
        if (repeated(at)) tried.add(`x at ${at} repeated`)
        else if (places.some((other) => repeated(other))) tried.add(`x at ${at}, the other one repeated`)
      }
    }
    const wanted = places.flatMap((at) => [`x at ${at} repeated`, `x at ${at}, the other one repeated`])
    expect([...tried].toSorted()).toEqual(wanted.toSorted())
  },
)

test.each(Object.entries(REPEATING))('%s is tried with x at %i, repeated', async (operator, place) => {
  const repeated = await Promise.all(
    used(operator).map(async ([node, one]) => {
      const dims = await dimsOf(node, one)
      const isActive = dependents(graphOf(one).nodes, ['x']).has(node.inputs[place] ?? '')
      const [from, to] = [node.inputs[place], node.outputs[0]].map((name) => repeatable(operator, dims(name)))
      return isActive && from !== to
    }),
  )
  expect(repeated).toContain(true)
})

/** A rule that sums over repeated axes and that nobody lists here is one that is tried in no direction. */
test('every rule that undoes broadcasting is listed', async () => {
  const undoing = new Set<string>()
  // One case for each set of inputs that the image reaches: more would see no more.
  const few = new Map<string, Case>()
  for (const one of CASES) {
    const active = dependents(graphOf(one).nodes, ['x'])
    for (const node of one.nodes.filter((node) => RULES.has(operatorOf(node)))) {
      const reached = node.inputs.map((name) => active.has(name))
      few.set([operatorOf(node), ...reached].join(), one)
    }
  }
  for (const one of new Set(few.values())) {
    const { graph, observation } = await settledOf(one)
    const b = gradientBuilder(graph, observation)
    for (const node of graph.nodes.filter(({ inputs }) => inputs.some(b.isActive))) {
      const undo = jest.spyOn(b, 'unbroadcast')
      // Any value of the right size will do for its gradient.
      RULES.get(operatorOf(node))?.(node, [node.outputs[0]], b)
      if (undo.mock.calls.length > 0) undoing.add(operatorOf(node))
      undo.mockRestore()
    }
  }
  const listed = new Set([...Object.keys(BROADCASTING), ...Object.keys(REPEATING)])
  expect([...undoing].filter((operator) => !listed.has(operator))).toEqual([])
  // Had the machine seen nothing, it would have nothing to say.
  expect([...undoing]).toEqual(expect.arrayContaining(['Add', 'PRelu', 'Gemm', 'LayerNormalization']))
})

/** Sizes of what a node of a case reads and writes. */
async function dimsOf(node: Node, one: Case): Promise<(name: string) => readonly number[]> {
  const graph = graphOf(one)
  const made = graph.nodes.flatMap(({ outputs }) => outputs)
  const names = [...new Set([...node.inputs, node.outputs[0]])].filter((name) => made.includes(name))
  const feeds = new Map([['x', reals(one.type, [one.batch ?? 3, ...one.shape], 7)]])
  const seen = await runModel(encodeModel({ ...graph, outputs: names.map((name) => ({ name })) }), feeds, names)
  return (name) => (seen.get(name) ?? feeds.get(name) ?? graph.constants.get(name))?.dims ?? []
}

function whole({ data }: Tensor): readonly bigint[] {
  return data instanceof BigInt64Array ? [...data] : []
}

/** An attribute's value in words that can be compared with the standard's. */
function plain(proto: AttributeProto): string {
  const { type, i, f, s, ints, floats } = proto
  if (type === Type.INT) return rounded(Number(i))
  if (type === Type.FLOAT) return rounded(f)
  if (type === Type.STRING) return rounded(new TextDecoder().decode(s))
  if (type === Type.INTS) return rounded(ints.map(Number))
  return type === Type.FLOATS ? rounded(floats) : Type[type]
}

function rounded(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'number' ? Math.fround(inner) : inner))
}
