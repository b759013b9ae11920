import { describe, expect, test } from '@jest/globals'
import { settleExpanded } from '../../src/autodiff/expand.js'
import { makeNode } from '../../src/onnx/attributes.js'
import { encodeModel } from '../../src/onnx/codec.js'
import type { Node, Tensor } from '../../src/onnx/graph.js'
import { runModel } from '../support/onnxruntime.js'
import { composed, floating, graphOf, numbersOf, reals } from './support.js'
import type { Case } from './support.js'

const scalars = (values: Readonly<Record<string, number>>): Readonly<Record<string, Tensor>> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, floating('float32', [], [value])]))
const root = { root: Math.SQRT2, one: 1, half: 0.5 }

/** x/√2 → Erf → +1, as exporters begin it. */
const begin: readonly Node[] = [
  makeNode('Div', ['x', 'root'], ['scaled']),
  makeNode('Erf', ['scaled'], ['erf']),
  makeNode('Add', ['erf', 'one'], ['shifted']),
]
const end = [makeNode('Mul', ['x', 'shifted'], ['product']), makeNode('Mul', ['product', 'half'], ['y'])]

async function operatorsOf(tested: Case): Promise<readonly string[]> {
  const samples = (first: number, rows: number) =>
    new Map([['x', reals('float32', [rows, ...tested.shape], 83 + first)]])
  const { graph } = await settleExpanded(graphOf(tested), undefined, samples, runModel)
  const x = samples(0, 1)
  const [before, after] = await Promise.all([graphOf(tested), graph].map((each) => runModel(encodeModel(each), x)))
  const y = numbersOf(before.get('y') as Tensor)
  // Erf to a few units in the last place of float32, times |x| ≤ 2.
  numbersOf(after.get('y') as Tensor).forEach((value, at) => expect(Math.abs(value - y[at])).toBeLessThan(1e-6))
  return graph.nodes.map(({ op }) => op)
}

describe('Gelu written out becomes one operator', () => {
  test.each([
    ['as PyTorch does', [...begin, ...end], root],
    [
      'with the half first',
      [...begin, makeNode('Mul', ['half', 'x'], ['h']), makeNode('Mul', ['h', 'shifted'], ['y'])],
      root,
    ],
    [
      'with 1/√2 as a factor',
      [makeNode('Mul', ['x', 'root'], ['scaled']), ...begin.slice(1), ...end],
      { ...root, root: Math.SQRT1_2 },
    ],
  ])('%s', async (name, nodes, values) => {
    expect(await operatorsOf(composed(name, [6], nodes, scalars(values)))).toEqual(['Gelu'])
  })

  test.each([
    ['another scale', [...begin, ...end], { ...root, root: 1.5 }],
    ['another factor', [...begin, ...end], { ...root, half: 0.4 }],
    [
      'a part that is read elsewhere',
      [...begin, end[0], makeNode('Mul', ['product', 'half'], ['z']), makeNode('Add', ['z', 'erf'], ['y'])],
      root,
    ],
    [
      'a product with another value',
      [...begin, makeNode('Exp', ['x'], ['e']), makeNode('Mul', ['e', 'shifted'], ['product']), end[1]],
      root,
    ],
  ])('%s is none', async (name, nodes, values) => {
    const operators = await operatorsOf(composed(name, [6], nodes, scalars(values)))
    expect(operators).toContain('Erf')
    expect(operators).not.toContain('Gelu')
  })
})
