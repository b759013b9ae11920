import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { InferenceSession } from 'onnxruntime-node'
import { forOnnxruntime } from '../../src/autodiff/forOnnxruntime.js'
import { makeNode, operatorOf } from '../../src/onnx/attributes.js'
import { decodeModel, encodeModel } from '../../src/onnx/codec.js'
import type { ElementType, Graph, Node } from '../../src/onnx/graph.js'
import type { Observation } from '../../src/onnx/observe.js'
import { runModel } from '../support/onnxruntime.js'
import { composed, graphOf, numbersOf, smallIntegers } from './support.js'

type Dims = Readonly<Record<string, readonly number[]>>

const observed = (values: Dims, type: ElementType = 'float32'): Observation =>
  new Map(Object.entries(values).map(([name, dims]) => [name, { type, dims, batchAxis: 0 }]))

/** The graph, and what the pass makes of it: on whole numbers both give the same to the bit. */
async function rewritten(graph: Graph, values: Dims, type: 'float32' | 'float64' = 'float32'): Promise<Graph> {
  const after = forOnnxruntime(graph, observed(values, type))
  const feeds = new Map([['x', smallIntegers(type, [2, ...values.x.slice(1)], 19)]])
  const [expected, actual] = await Promise.all([graph, after].map((each) => runModel(encodeModel(each), feeds)))
  for (const [name, tensor] of expected) expect(numbersOf(actual.get(name) ?? tensor)).toEqual(numbersOf(tensor))
  expect([...actual.keys()]).toEqual([...expected.keys()])
  return after
}

const operators = ({ nodes }: Graph): readonly string[] => nodes.map(operatorOf)
const swapped = [0, 1, 3, 2]
const turn = (from: string, to: string, perm: readonly number[] = swapped): Node =>
  makeNode('Transpose', [from], [to], { perm })
const product = (left: string, right: string): Node => makeNode('MatMul', [left, right], ['y'])

/** Attacks on a transformer would copy queries, keys and values once more for each product of the backward pass. */
describe('a product with a matrix turned round reads it as it lies', () => {
  const shape = [3, 4, 5]
  const values = { x: [1, ...shape] }

  test.each([
    ['on the left', [turn('x', 't'), product('t', 'x')]],
    ['on the right', [turn('x', 't'), product('x', 't')]],
    ['turned twice', [turn('x', 't'), turn('t', 'u'), turn('u', 'v'), product('x', 'v')]],
  ])('%s', async (name, nodes) => {
    expect(operators(await rewritten(graphOf(composed(name, shape, nodes)), values))).toEqual([
      'com.microsoft.FusedMatMul',
    ])
  })

  test('a model that did not import onnxruntime’s domain does now', async () => {
    const graph = graphOf(composed('plain', shape, [turn('x', 't'), product('x', 't')]))
    const after = await rewritten({ ...graph, opsets: new Map([['', 24]]) }, values)
    expect(after.opsets).toEqual(
      new Map([
        ['', 24],
        ['com.microsoft', 1],
      ]),
    )
  })

  test('what else reads the turned matrix still gets it', async () => {
    const graph = graphOf(composed('shared', shape, [turn('x', 't'), product('x', 't')]))
    const after = await rewritten({ ...graph, outputs: [{ name: 'y' }, { name: 't' }] }, values)
    expect(operators(after)).toEqual(['Transpose', 'com.microsoft.FusedMatMul'])
  })

  test.each([
    ['other axes move', [turn('x', 't', [0, 2, 3, 1]), product('t', 'x')]],
    ['no axis is named', [makeNode('Transpose', ['x'], ['t']), product('t', 'x')]],
  ])('%s: nothing is changed', (name, nodes) => {
    const graph = graphOf(composed(name, shape, nodes))
    expect(operators(forOnnxruntime(graph, observed(values)))).toEqual(['Transpose', 'MatMul'])
  })

  test('a vector stays a vector: that operator would take it for a matrix', async () => {
    const vector = { v: smallIntegers('float32', [4], 23) }
    const graph = graphOf(composed('vector', shape, [turn('x', 't'), makeNode('MatMul', ['t', 'v'], ['y'])], vector))
    expect(operators(await rewritten(graph, values))).toEqual(['Transpose', 'MatMul'])
  })

  test('in double there is no such operator', async () => {
    const graph = graphOf(composed('double', shape, [turn('x', 't'), product('x', 't')], {}, 'float64'))
    expect(operators(await rewritten(graph, values, 'float64'))).toEqual(['Transpose', 'MatMul'])
  })
})

/** The operators that onnxruntime runs, at the level that attacks run at. */
async function optimised(graph: Graph): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'optimised-'))
  try {
    const optimizedModelFilePath = join(folder, 'model.onnx')
    const session = await InferenceSession.create(encodeModel(graph), {
      graphOptimizationLevel: 'all',
      optimizedModelFilePath,
      logSeverityLevel: 4,
    })
    await session.release()
    return operators(decodeModel(await readFile(optimizedModelFilePath), { name: 'optimised' }))
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Attacks on a transformer would take a tenth longer. */
describe('a bias behind a product stays apart from it', () => {
  const weights = smallIntegers('float32', [5, 6], 3)
  const bias = smallIntegers('float32', [6], 4)

  test.each([
    ['bias', 'h'],
    ['h', 'bias'],
  ])('%s + %s', async (...operands) => {
    const graph = graphOf({
      ...composed('linear', [4, 5], [makeNode('MatMul', ['x', 'w'], ['h']), makeNode('Add', operands, ['y'])], {
        w: weights,
        bias,
      }),
      batch: 2,
    })
    expect(await optimised(graph)).toContain('Gemm')
    const after = await rewritten(graph, { x: [2, 4, 5], h: [2, 4, 6], y: [2, 4, 6] })
    const kept = (await optimised(after)).filter((operator) => operator === 'MatMul' || operator === 'Add')
    expect(kept).toEqual(['MatMul', 'Add'])
  })
})
