import { describe, expect, test } from '@jest/globals'
import { makeNode } from '../../src/onnx/attributes.js'
import { encodeModel } from '../../src/onnx/codec.js'
import { dependents, dependentOutputsOfLoop } from '../../src/onnx/dependence.js'
import { foldConstants } from '../../src/onnx/fold.js'
import { settle } from '../../src/onnx/settle.js'
import type { Graph, Node, Tensor } from '../../src/onnx/graph.js'
import { body, scalar, truth } from '../autodiff/cases/bodies.js'
import { runModel } from '../support/onnxruntime.js'

const floats = (...values: readonly number[]): Tensor => ({
  type: 'float32',
  dims: values.length === 1 ? [] : [values.length],
  data: Float32Array.from(values),
})
const CONSTANTS = new Map([
  ['yes', truth(true)],
  ['three', scalar(3)],
  ['half', floats(0.5)],
  ['w', floats(1, 2, 3, 4)],
])

const normal = makeNode('RandomNormal', [], ['drawn'], { shape: [4] })
const trained = makeNode('Dropout', ['w', 'half', 'yes'], ['drawn'])
const still = makeNode('Neg', ['w'], ['drawn'])
const branches = (node: Node) => ({
  then_branch: body([], ['drawn'], [node]),
  else_branch: body([], ['same'], [makeNode('Identity', ['w'], ['same'])]),
})
const chosen = (node: Node) => makeNode('If', ['yes'], ['made'], branches(node))
/** It hands `drawn` on as its first result, and beside it what no draw touches. */
const looped = (node: Node) =>
  makeNode('Loop', ['three', 'yes', 'w', 'w'], ['made', 'halved'], {
    body: body(
      ['i', 'go', 'first', 'second'],
      ['goesOn', 'drawn', 'less'],
      [makeNode('Identity', ['go'], ['goesOn']), node, makeNode('Mul', ['second', 'half'], ['less'])],
    ),
  })
const nested = (node: Node) =>
  makeNode('Scan', ['w'], ['made'], {
    body: body(['row'], ['out'], [chosen(node), makeNode('Add', ['row', 'made'], ['out'])]),
    num_scan_inputs: 1,
  })

const NODES: readonly (readonly [string, (node: Node) => Node])[] = [
  ['a branch', chosen],
  ['a Loop', looped],
  ['a branch within a Scan', nested],
]

const graph = (node: Node): Graph => ({
  name: 'folded',
  opsets: new Map([['', 17]]),
  irVersion: 8,
  inputs: [{ name: 'x', type: 'float32', dims: ['n', 4] }],
  outputs: [{ name: 'y' }],
  nodes: [node, makeNode('ReduceSum', ['made'], ['sum'], { keepdims: 0 }), makeNode('Add', ['x', 'sum'], ['y'])],
  constants: CONSTANTS,
})

/** One draw for good is another model: it would be attacked where the true one is not. */
describe.each(NODES)('what is drawn in %s is no constant', (_, around) => {
  const operatorsOf = async (node: Node) => {
    const { nodes, ...whole } = graph(around(node))
    const x: Tensor = { type: 'float32', dims: [1, 4], data: new Float32Array(4) }
    const model = encodeModel({
      ...whole,
      nodes,
      outputs: nodes.flatMap(({ outputs }) => outputs.map((name) => ({ name }))),
    })
    const values = await runModel(model, new Map([['x', x]]))
    return foldConstants({ ...whole, nodes }, [values]).nodes.map(({ op }) => op)
  }

  test.each([
    ['by a random operator', normal],
    ['by a Dropout that trains', trained],
  ])('%s', async (_kind, node) => {
    expect(await operatorsOf(node)).toEqual([around(node).op, 'ReduceSum', 'Add'])
  })

  test('where nothing is drawn it is', async () => {
    expect(await operatorsOf(still)).toEqual(['Add'])
  })
})

test('of a Loop only those outputs are drawn that a draw reaches', () => {
  expect([...dependents([looped(normal)], [])]).toEqual(['made'])
})

test('a Loop that chance ends runs nobody knows how often', () => {
  const loop = makeNode('Loop', ['', 'yes', 'w'], ['made'], {
    body: body(
      ['i', 'go', 'carried'],
      ['goesOn', 'next'],
      [
        makeNode('RandomUniform', [], ['u'], { shape: [] }),
        makeNode('Less', ['u', 'half'], ['goesOn']),
        makeNode('Neg', ['carried'], ['next']),
      ],
    ),
  })
  expect(dependentOutputsOfLoop(loop, () => false).has(0)).toBe(true)
})

/** Else the batch of a model that draws beside what it makes of its images is not freed, and each image is run alone. */
test('who asks for the images alone is told of no draw, in bodies neither', () => {
  const both = makeNode('If', ['yes'], ['made', 'turned'], {
    then_branch: body([], ['drawn', 'opposite'], [normal, makeNode('Neg', ['x'], ['opposite'])]),
    else_branch: body([], ['drawn', 'opposite'], [still, makeNode('Neg', ['x'], ['opposite'])]),
  })
  const never = () => false
  expect([...dependents([both, looped(normal)], ['x'], never, never)]).toEqual(['x', 'turned'])
})

/** As the functions of PyTorch's exporter write numbers. Taken for one, each image is run alone. */
test('what is cast to the type of an image is no image', async () => {
  const cast = makeNode('CastLike', ['half', 'x'], ['factor'])
  const product = makeNode('Mul', ['x', 'factor'], ['y'])
  expect([...dependents([cast, product], ['x'])]).toEqual(['x', 'y'])
  const { nodes, batch } = await settle({ ...graph(cast), nodes: [cast, product] }, undefined, images, runModel).then(
    (settled) => ({ ...settled.graph, batch: settled.batch }),
  )
  expect(batch).toBe('free')
  expect(nodes.map(({ op }) => op)).toEqual(['Mul'])
})

function images(first: number, count: number): ReadonlyMap<string, Tensor> {
  const data = Float32Array.from({ length: 4 * count }, (_, at) => (4 * first + at) / 7)
  return new Map([['x', { type: 'float32', dims: [count, 4], data }]])
}
