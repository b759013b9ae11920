import { expect } from '@jest/globals'
import type { FunctionProto } from 'onnx-buf'
import { makeNode } from '../../src/onnx/attributes.js'
import type { AttributeValues } from '../../src/onnx/attributes.js'
import { canonicalise } from '../../src/onnx/canonical.js'
import { decodeModel, encodeModel } from '../../src/onnx/codec.js'
import { CANONICAL_OPSET } from '../../src/onnx/graph.js'
import type { ElementType, Graph, Node, Tensor, ValueInfo } from '../../src/onnx/graph.js'
import { runModel } from '../support/onnxruntime.js'

export interface Recipe {
  readonly opset: number
  readonly inputs: Readonly<Record<string, Tensor>>
  readonly nodes: readonly Node[]
  /** Names; types are left to onnxruntime's inference. */
  readonly outputs: readonly string[]
  readonly constants?: Readonly<Record<string, Tensor>>
  readonly functions?: readonly FunctionProto[]
  readonly domains?: Readonly<Record<string, number>>
  readonly irVersion?: number
}

/** A model of one operator: `x` is its input, `more` are constants. */
export interface Single {
  readonly opset: number
  readonly op: string
  readonly x?: Tensor
  readonly attributes?: AttributeValues
  /** Further inputs: constants. */
  readonly more?: readonly Tensor[]
  readonly outputs?: number
}

export function single({ opset, op, x = floats(2, 3, 4), attributes, more = [], outputs = 1 }: Single): Recipe {
  const names = more.map((_, at) => `c${at}`)
  const results = Array.from({ length: outputs }, (_, at) => `y${at}`)
  return {
    opset,
    inputs: { x },
    constants: Object.fromEntries(more.map((value, at) => [names[at], value])),
    // Named, as exporters name them: what is written out in several nodes must not give one name to two.
    nodes: [makeNode(op, ['x', ...names], results, attributes, 'tested')],
    outputs: results,
  }
}

/** A model as an exporter of that opset would have written it. Every input has a free shape of its rank. */
export function assemble({
  opset,
  inputs,
  nodes,
  outputs,
  constants = {},
  functions = [],
  domains = {},
  irVersion = 8,
}: Recipe): Graph {
  return {
    name: 'test',
    opsets: new Map([['', opset], ...Object.entries(domains)]),
    irVersion,
    inputs: Object.entries(inputs).map(([name, { type, dims }]) => ({ name, type, dims: dims.map(() => undefined) })),
    outputs: outputs.map((name): ValueInfo => ({ name })),
    nodes,
    constants: new Map(Object.entries(constants)),
    functions,
  }
}

/** Runs a model as it is and canonicalised, and expects the same numbers: to the bit, or to `digits` after the point. */
export async function expectSameOutputs(recipe: Recipe, digits?: number): Promise<Graph> {
  const canonical = canonicalise(decodeModel(encodeModel(assemble(recipe))))
  await expectSameRun(canonical, recipe, digits)
  return canonical
}

/** Runs a canonical graph and the model it should equal. */
export async function expectSameRun(canonical: Graph, reference: Recipe, digits?: number): Promise<void> {
  expect(canonical.opsets.get('')).toBe(CANONICAL_OPSET)
  const feeds = new Map(Object.entries(reference.inputs))
  const before = await runModel(encodeModel(assemble(reference)), feeds)
  const after = await runModel(encodeModel(canonical), feeds)
  expect([...after.keys()]).toEqual(reference.outputs)
  for (const name of reference.outputs) expectTensor(after.get(name), before.get(name), digits)
}

export function expectTensor(actual: Tensor | undefined, expected: Tensor | undefined, digits?: number): void {
  expect(actual?.type).toBe(expected?.type)
  expect(actual?.dims).toEqual(expected?.dims)
  if (digits === undefined) expect(actual?.data).toEqual(expected?.data)
  else {
    const wanted = Array.from(expected?.data ?? [], Number)
    Array.from(actual?.data ?? [], Number).forEach((value, at) => expect(value).toBeCloseTo(wanted[at], digits))
  }
}

/** float32 of a shape, numbers that look like nothing in particular: of both signs, no two neighbours alike. */
export function floats(...dims: readonly number[]): Tensor {
  const data = Float32Array.from({ length: size(dims) }, (_, at) => Math.sin(12.9898 * (at + 1)) * 2)
  return { type: 'float32', dims, data }
}

export function vector(...values: readonly number[]): Tensor {
  return { type: 'float32', dims: [values.length], data: Float32Array.from(values) }
}

export function float64(tensor: Tensor): Tensor {
  return { type: 'float64', dims: tensor.dims, data: Float64Array.from(tensor.data as Float32Array) }
}

export function ints(...values: readonly number[]): Tensor {
  return { type: 'int64', dims: [values.length], data: BigInt64Array.from(values, BigInt) }
}

export function tensor(type: ElementType, dims: readonly number[], data: Tensor['data']): Tensor {
  return { type, dims, data }
}

export function operators(graph: Graph): readonly string[] {
  return graph.nodes.map((node) => node.op)
}

function size(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1)
}
