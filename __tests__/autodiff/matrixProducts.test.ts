import { expect, test } from '@jest/globals'
import { gradientModelOf } from '../../src/autodiff/gradientModel.js'
import { makeNode } from '../../src/onnx/attributes.js'
import { encodeModel } from '../../src/onnx/codec.js'
import { runModel, runModelWith } from '../support/onnxruntime.js'
import { composed, differentiate, floating, inner, integers, numbersOf, settledOf, smallIntegers } from './support.js'

/** x of 4 × 3 turned round, times [1, 2, 3, 4]: one logit for each of the 3 columns. */
const turned = [
  makeNode('Transpose', ['x'], ['t'], { perm: [0, 2, 1] }),
  makeNode('MatMul', ['t', 'v'], ['y'], {}, 'product'),
]
const v = floating('float32', [4], [1, 2, 3, 4])

/** onnxruntime 1.30 optimises Transpose(x)·v to x·v: 9 of these 12 pixels would have another weight. */
test('whoever opens the written gradient with all optimisations gets the logits and the gradient by hand', async () => {
  const bytes = encodeModel({
    name: 'turned',
    opsets: new Map([['', 17]]),
    irVersion: 8,
    inputs: [{ name: 'x', type: 'float32', dims: ['n', 4, 3] }],
    outputs: [{ name: 'y' }],
    nodes: turned,
    constants: new Map([['v', v]]),
  })
  const written = await gradientModelOf({ name: 'turned.onnx', bytes, external: {} }, runModel)
  const feeds = new Map([
    ['x', floating('float32', [1, 4, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1])],
    ['label', integers([2])],
  ])
  const results = await runModelWith('all')(written, feeds)
  const of = (name: string): readonly number[] => Array.from(results.get(name)?.data as Float32Array)
  expect(of('logits')).toEqual([1, 2, 7])
  // softmax − onehot of each column, times the weight of the row; all below 4: half a unit in the last place is 1.2e−7.
  const total = Math.exp(1) + Math.exp(2) + Math.exp(7)
  const slopes = [Math.exp(1) / total, Math.exp(2) / total, Math.exp(7) / total - 1]
  of('gradient').forEach((slope, at) => expect(slope).toBeCloseTo((Math.floor(at / 3) + 1) * slopes[at % 3], 6))
})

/** <u, f(x)> = <uᵀ·∂f, x> to the bit, for f is linear in each operand and all numbers are whole. */
test.each([
  ['a row from the left', [4, 3], [makeNode('MatMul', ['v', 'x'], ['y'])]],
  ['a column from the right', [3, 4], [makeNode('MatMul', ['x', 'v'], ['y'])]],
  [
    'a row whose products lie side by side for all images',
    [4],
    [makeNode('Transpose', ['x'], ['t'], { perm: [1, 0] }), makeNode('MatMul', ['v', 't'], ['y'])],
  ],
] as const)('%s', async (name, shape, nodes) => {
  const tested = composed(name, shape, nodes, { v })
  const { forward, vjp } = await differentiate(tested)
  const x = smallIntegers('float32', [3, ...shape], 5)
  const y = await forward(x)
  const u = smallIntegers('float32', y.dims, 6)
  expect(inner(await vjp(x, u), x)).toBe(inner(u, y))
  const { graph, observation } = await settledOf(tested)
  const product = graph.nodes.find(({ op }) => op === 'MatMul')
  const ranks = product?.inputs.map((input) => (observation.get(input) ?? graph.constants.get(input))?.dims.length)
  ranks?.forEach((rank) => expect(rank).toBeGreaterThan(1))
})

test('two vectors of an image, the batch fixed at it', async () => {
  const nodes = [
    makeNode('Squeeze', ['x', 'first'], ['a']),
    makeNode('MatMul', ['a', 'v'], ['s']),
    makeNode('Mul', ['s', 'x'], ['y']),
  ]
  const { vjp } = await differentiate({
    ...composed('both', [4], nodes, { v, first: integers([0]) }),
    batch: 1,
  })
  // y = (v·x) x: uᵀ·∂y = (u·x) v + (v·x) u; with x = (1, 1, 0, 0), u = (0, 1, 1, 0) that is v + 3 u.
  const gradient = await vjp(floating('float32', [1, 4], [1, 1, 0, 0]), floating('float32', [1, 4], [0, 1, 1, 0]))
  expect(numbersOf(gradient)).toEqual([1, 5, 6, 4])
})
