import { describe, expect, test } from '@jest/globals'
import { makeNode } from '../../src/onnx/attributes.js'
import type { Node } from '../../src/onnx/graph.js'
import { composed, differentiate, inner, integers, settledOf, smallIntegers } from './support.js'
import type { Case } from './support.js'

const gather = (index: string, to: string, axis = 1): Node => makeNode('Gather', ['x', index], [to], { axis })
const slice = (from: string, until: string, to: string): Node => makeNode('Slice', ['x', from, until, 'axis'], [to])
/** Each part weighs differently: a gradient in the wrong place shows. */
const weighed = (parts: readonly string[]): readonly Node[] => [
  ...parts.map((part, at) => makeNode('Mul', [part, `w${at}`], [`${part}${at}`])),
  makeNode(
    'Sum',
    parts.map((part, at) => `${part}${at}`),
    ['y'],
  ),
]
const index = (value: number) => integers([value], [])
const weights = (...values: readonly number[]) =>
  Object.fromEntries(
    values.map((value, at) => [`w${at}`, { type: 'float32', dims: [], data: Float32Array.of(value) }] as const),
  )

/** The operators that are differentiated; <u, f(x)> = <uᵀ·∂f, x> to the bit, for f is linear and all numbers are whole. */
async function operatorsOf(tested: Case): Promise<readonly string[]> {
  const { graph } = await settledOf(tested)
  const { forward, vjp } = await differentiate(tested)
  const x = smallIntegers('float32', [2, ...tested.shape], 5)
  const y = await forward(x)
  const u = smallIntegers('float32', y.dims, 6)
  expect(inner(u, y)).toBe(inner(await vjp(x, u), x))
  return graph.nodes.map(({ op }) => op).filter((op) => op !== 'Mul' && op !== 'Sum')
}

const cut = { zero: index(0), one: index(1), two: index(2), minus1: index(-1), ...weights(1, 2, 3) }
const bounds = { b0: integers([0]), b2: integers([2]), b4: integers([4]), far: integers([99]), minus2: integers([-2]) }
const along = { ...bounds, axis: integers([1]), ...weights(1, 2, 3) }

/** Queries, keys and values are cut from one tensor: each would be padded with zeros to all three, and these be added. */
describe('what is taken apart piece by piece is put together in one go', () => {
  const three = [gather('zero', 'a'), gather('one', 'b'), gather('two', 'c')]
  test.each([
    ['Gathers', [3, 4], three, 3],
    ['in another order', [3, 4], [gather('two', 'c'), gather('zero', 'a'), gather('one', 'b')], 3],
    ['the last counted from the end', [3, 4], [three[0], three[1], gather('minus1', 'c')], 3],
    ['along the last axis', [4, 3], three.map((node, at) => gather(node.inputs[1], 'abc'[at], -1)), 3],
  ])('%s', async (name, shape, nodes, count) => {
    const operators = await operatorsOf(composed(name, shape, [...nodes, ...weighed(['a', 'b', 'c'])], cut))
    expect(operators).toEqual(['Split', ...Array.from({ length: count }, () => 'Squeeze')])
  })

  test.each([
    ['Slices', [slice('b0', 'b2', 'a'), slice('b2', 'b4', 'b')]],
    ['with bounds from and beyond the end', [slice('minus2', 'far', 'b'), slice('b0', 'minus2', 'a')]],
  ])('%s', async (name, nodes) => {
    expect(await operatorsOf(composed(name, [4, 3], [...nodes, ...weighed(['a', 'b'])], along))).toEqual(['Split'])
  })
})

describe('pieces stay as they are where', () => {
  test.each([
    ['one is missing', [3, 4], [gather('zero', 'a'), gather('two', 'b')], cut],
    ['one is taken twice', [2, 4], [gather('zero', 'a'), gather('zero', 'b'), gather('one', 'c')], cut],
    ['they lie along two axes', [2, 2], [gather('zero', 'a'), gather('one', 'b', 2)], cut],
    ['they overlap', [3, 4], [slice('b0', 'b2', 'a'), slice('minus2', 'far', 'b')], along],
  ])('%s', async (name, shape, nodes, constants) => {
    const parts = nodes.map(({ outputs }) => outputs[0])
    expect(await operatorsOf(composed(name, shape, [...nodes, ...weighed(parts)], constants))).not.toContain('Split')
  })
})
