import { expect, test } from '@jest/globals'
import { makeNode } from '../../src/onnx/attributes.js'
import type { Node, Tensor } from '../../src/onnx/graph.js'
import { errorBound, ROUNDING } from './roundings.js'
import { composed, floating, graphOf } from './support.js'

// A bound that is too small blames a rule that is right; one that is too large lets a wrong one pass.

const bound = async (
  nodes: readonly Node[],
  x: readonly number[],
  constants: Readonly<Record<string, Tensor>> = {},
): Promise<readonly number[]> =>
  errorBound(
    graphOf(composed('', [x.length], nodes, constants)),
    new Map([['x', floating('float32', [1, x.length], x)]]),
    'y',
  )

const number = (value: number): Tensor => floating('float32', [], [value])

test('what cancels leaves the roundings of the large number: (x + 4096) − 4096', async () => {
  const nodes = [makeNode('Add', ['x', 'c'], ['s'], {}, 'up'), makeNode('Sub', ['s', 'c'], ['y'], {}, 'down')]
  const constants = { c: number(4096) }
  // 1 + 4096 and 1, each by half a unit.
  expect(await bound(nodes, [1], constants)).toEqual([(4097 + 1) * ROUNDING])
})

test('a slope makes errors larger: 1 / (x − 1 + 1/1024), near 1', async () => {
  const nodes = [makeNode('Sub', ['x', 'c'], ['d'], {}, 'down'), makeNode('Div', ['one', 'd'], ['y'], {}, 'over')]
  const constants = { c: number(1023 / 1024), one: number(1) }
  // The difference is 1/1024, off by 2⁻³⁴; 1/d is 1024 and its slope there 2²⁰; the quotient is rounded, too.
  expect(await bound(nodes, [1], constants)).toEqual([2 ** -34 * 2 ** 20 + 1024 * ROUNDING])
})

test('a constant that float32 has to round is off by that, for each number it meets', async () => {
  const nodes = [makeNode('Mul', ['x', 'c'], ['y'], {}, 'times')]
  const tenth = Math.fround(0.1)
  const constants = { c: floating('float32', [2], [0.1, 0.5]) }
  expect(await bound(nodes, [4, 4], constants)).toEqual([
    4 * (tenth * ROUNDING) + Math.fround(4 * tenth) * ROUNDING,
    2 * ROUNDING,
  ])
})

test.each(['ReduceSum', 'MatMul', 'Cast'])(
  'of %s, which does not work element by element in float32, it knows nothing',
  async (op) => {
    await expect(bound([makeNode(op, ['x', 'x'], ['y'], {}, 'tested')], [1])).rejects.toThrow(op)
  },
)
