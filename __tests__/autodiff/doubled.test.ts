import { expect, test } from '@jest/globals'
import { attribute, intAttribute } from '../../src/onnx/attributes.js'
import { encodeModel } from '../../src/onnx/codec.js'
import type { Graph, Node, Tensor } from '../../src/onnx/graph.js'
import { runModel } from '../support/onnxruntime.js'
import { DOUBLED } from './cases/index.js'
import { ROUNDING } from './roundings.js'
import { differentiate, floating, graphOf, inner, numbersOf, reals, settledOf } from './support.js'
import type { Doubled } from './support.js'

const FLOAT = 1
const DOUBLE = 11

/** A graph with everything that is float32 made float64. */
function inDouble(graph: Graph): Graph {
  const tensor = (value: Tensor): Tensor =>
    value.type === 'float32' ? floating('float64', value.dims, numbersOf(value)) : value
  const node = (one: Node): Node =>
    one.op === 'Cast' && intAttribute(one, 'to') === FLOAT
      ? { ...one, attributes: new Map([['to', attribute.int('to', DOUBLE)]]) }
      : one
  return {
    ...graph,
    inputs: graph.inputs.map((input) => ({ ...input, type: 'float64' })),
    outputs: graph.outputs.map(({ name }) => ({ name })),
    nodes: graph.nodes.map(node),
    constants: new Map(Array.from(graph.constants, ([name, value]) => [name, tensor(value)])),
  }
}

async function reference({ tested, twin }: Doubled): Promise<(x: Tensor) => Promise<Tensor>> {
  const graph = twin ? graphOf(twin) : inDouble((await settledOf(tested)).graph)
  const model = encodeModel(graph)
  return async (x) => [...(await runModel(model, new Map([['x', x]]))).values()][0]
}

/**
 * Recurrent cells, attention and interpolation: sums of up to ten terms ten operators deep, a hundred roundings of 2⁻²⁴ of the
 * largest number in play, if every one went the same way. A wrong term shows in the first digits.
 */
const TOLERANCE = 100 * ROUNDING

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  const scale = Math.max(1, ...expected.map(Math.abs))
  const worst = actual.reduce((most, value, at) => Math.max(most, Math.abs(value - expected[at])), 0)
  expect(actual.length).toBe(expected.length)
  expect(worst / scale).toBeLessThan(TOLERANCE)
}

test.each(DOUBLED.map((doubled) => [doubled.tested.name, doubled] as const))('%s', async (_name, doubled) => {
  const { tested } = doubled
  const { forward, vjp } = await differentiate(tested)
  const inFull = await reference(doubled)
  for (const rows of tested.batch === undefined ? [1, 3] : [tested.batch]) {
    const x = reals('float32', [rows, ...tested.shape], 23)
    const values = numbersOf(x)
    const y = await forward(x)
    expectClose(numbersOf(y), numbersOf(await inFull(floating('float64', x.dims, values))))
    const u = reals('float32', y.dims, 29)
    const differences: number[] = []
    for (let at = 0; at < values.length; at++) {
      const shifted = async (h: number): Promise<number> => {
        const moved = values.map((value, place) => value + (place === at ? h : 0))
        return inner(await inFull(floating('float64', x.dims, moved)), u)
      }
      differences.push(((await shifted(1e-5)) - (await shifted(-1e-5))) / 2e-5)
    }
    expectClose(numbersOf(await vjp(x, u)), differences)
  }
})
