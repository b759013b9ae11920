import { buildSurrogate } from '../../src/autodiff/surrogate.js'
import type { Surrogate, SurrogateOptions } from '../../src/autodiff/surrogate.js'
import { makeNode } from '../../src/onnx/attributes.js'
import { encodeModel } from '../../src/onnx/codec.js'
import type { Graph, Node, Tensor } from '../../src/onnx/graph.js'
import { mnist } from './asking.js'
import { reals } from './support.js'

/** Weights and biases of a Gemm of four pixels. */
export const dense = (out: number): Readonly<Record<string, Tensor>> => ({
  w: reals('float32', [4, out], 51),
  c: reals('float32', [out], 53),
})
export const four = { ...mnist, shape: [4], layout: 'flat' } as const

/** A classifier of four pixels, its output `y`. */
export function model(
  nodes: readonly Node[],
  constants: Readonly<Record<string, Tensor>>,
  changes: Partial<Graph> = {},
): Uint8Array {
  return encodeModel({
    name: 'small',
    opsets: new Map([['', 17]]),
    irVersion: 8,
    inputs: [{ name: 'x', type: 'float32', dims: ['n', 4] }],
    outputs: [{ name: 'y' }],
    nodes,
    constants: new Map(Object.entries(constants)),
    ...changes,
  })
}

/** Distances to fixed points: an operator of onnxruntime's own that has no rule. */
export function withDistances(): Uint8Array {
  const distances = makeNode('CDist', ['z', 'far'], ['y'], { metric: 'euclidean' }, 'distance', 'com.microsoft')
  const opsets = new Map(Object.entries({ '': 17, 'com.microsoft': 1 }))
  return model([gemm('z'), distances], { ...dense(3), far: reals('float32', [3, 3], 73) }, { opsets })
}

export const build = (bytes: Uint8Array, options: SurrogateOptions = four): Promise<Surrogate> =>
  buildSurrogate({ name: 'small.onnx', bytes, external: {} }, options)

export const gemm = (output: string): Node => makeNode('Gemm', ['x', 'w', 'c'], [output])
