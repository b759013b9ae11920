import { settleExpanded } from '../../src/autodiff/expand.js'
import type { Expanded } from '../../src/autodiff/expand.js'
import { gradientBuilder, reverse } from '../../src/autodiff/reverse.js'
import { makeNode } from '../../src/onnx/attributes.js'
import type { AttributeValues } from '../../src/onnx/attributes.js'
import { canonicalise } from '../../src/onnx/canonical.js'
import { encodeModel } from '../../src/onnx/codec.js'
import { CANONICAL_OPSET } from '../../src/onnx/graph.js'
import type { ElementType, Graph, Node, Tensor } from '../../src/onnx/graph.js'
import type { Samples } from '../../src/onnx/settle.js'
import { runModel } from '../support/onnxruntime.js'
import { errorBound } from './roundings.js'

export type Floating = 'float32' | 'float64'

/** One operator (or a few) from `x` to `y`, as a rule's test wants it. */
export interface Case {
  readonly name: string
  /** Size of one image. */
  readonly shape: readonly number[]
  readonly nodes: readonly Node[]
  readonly constants: Readonly<Record<string, Tensor>>
  readonly type: Floating
  /** An export with the batch fixed at this number. */
  readonly batch?: number
  /** What it is written for; left out: the canonical opset. */
  readonly opset?: number
}

/** A case of several nodes, for inputs that several paths reach. */
export function composed(
  name: string,
  shape: readonly number[],
  nodes: Case['nodes'],
  constants: Case['constants'] = {},
  type: Floating = 'float32',
): Case {
  return { name, shape, nodes, constants, type }
}

/** A case of one node whose inputs are `x` and constants; a plain array of numbers is an int64 vector. */
export function single(
  op: string,
  shape: readonly number[],
  options: {
    readonly label?: string
    readonly inputs?: readonly string[]
    readonly constants?: Readonly<Record<string, Tensor | readonly number[]>>
    readonly attributes?: AttributeValues
    readonly type?: Floating
    readonly batch?: number
    readonly opset?: number
  } = {},
): Case {
  const { label, constants = {}, attributes = {}, type = 'float32', batch, opset } = options
  const inputs = options.inputs ?? ['x', ...Object.keys(constants)]
  return {
    name: `${op}${label ? `, ${label}` : ''}`,
    shape,
    nodes: [makeNode(op, inputs, ['y'], attributes, 'tested')],
    constants: Object.fromEntries(
      Object.entries(constants).map(([name, value]) => [name, isTensor(value) ? value : integers(value)]),
    ),
    type,
    batch,
    opset,
  }
}

function isTensor(value: Tensor | readonly number[]): value is Tensor {
  return 'dims' in value
}

export function integers(values: readonly number[], dims: readonly number[] = [values.length]): Tensor {
  return { type: 'int64', dims, data: BigInt64Array.from(values, BigInt) }
}

export function floating(type: Floating, dims: readonly number[], values: ArrayLike<number>): Tensor {
  return { type, dims, data: type === 'float64' ? Float64Array.from(values) : Float32Array.from(values) }
}

/** The same numbers for the same seed (Lehmer's generator). */
export function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}

/** Whole numbers from −4 to 4: sums of products of them are exact in float32. */
export function smallIntegers(type: Floating, dims: readonly number[], seed: number): Tensor {
  const random = generator(seed)
  return floating(
    type,
    dims,
    Array.from({ length: count(dims) }, () => Math.floor(random() * 9) - 4),
  )
}

/** Numbers in [low, high), spread so that neighbours differ. */
export function reals(type: Floating, dims: readonly number[], seed: number, low = -2, high = 2): Tensor {
  const random = generator(seed)
  return floating(
    type,
    dims,
    Array.from({ length: count(dims) }, () => low + (high - low) * random()),
  )
}

export function count(dims: readonly number[]): number {
  return dims.reduce((total, size) => total * size, 1)
}

export function graphOf({ shape, nodes, constants, type, batch, opset = CANONICAL_OPSET }: Case): Graph {
  return {
    name: 'case',
    opsets: new Map([
      ['', opset],
      ['com.microsoft', 1],
      ['ai.onnx.ml', 3],
    ]),
    irVersion: 10,
    inputs: [{ name: 'x', type, dims: [batch ?? 'batch', ...shape] }],
    outputs: [{ name: 'y' }],
    nodes,
    constants: new Map(Object.entries(constants)),
  }
}

export interface Differentiated {
  readonly forward: (x: Tensor) => Promise<Tensor>
  /** uᵀ · d y / d x */
  readonly vjp: (x: Tensor, u: Tensor) => Promise<Tensor>
  /** What float32 may be off by, for each number of y and of the gradient; element by element only. */
  readonly within: {
    readonly forward: (x: Tensor) => Promise<readonly number[]>
    readonly vjp: (x: Tensor, u: Tensor) => Promise<readonly number[]>
  }
}

/** The case as it is differentiated: expanded, its batch free where it can be. */
export async function settledOf(tested: Case): Promise<Expanded> {
  const samples: Samples = (first, rows) => {
    const size = count(tested.shape)
    const all = reals(tested.type, [(first + rows) * size], 7).data as Float32Array
    return new Map([['x', floating(tested.type, [rows, ...tested.shape], all.slice(first * size))]])
  }
  const graph = tested.opset === undefined ? graphOf(tested) : canonicalise(graphOf(tested))
  return settleExpanded(graph, tested.batch, samples, runModel)
}

/** The operator and its vector-Jacobian product as the product makes it: settled, walked, encoded, run by onnxruntime. */
export async function differentiate(tested: Case): Promise<Differentiated> {
  const graph = graphOf(tested)
  const settled = await settledOf(tested)
  if (tested.batch === undefined && settled.batch !== 'free') throw new Error(`${tested.name}: the batch was not freed`)
  const b = gradientBuilder(settled.graph, settled.observation)
  const gradient = reverse(settled.graph.nodes, { output: 'y', seed: 'u', input: 'x' }, b)
  b.addNamed('gradient', 'Identity', [gradient])
  const type: ElementType = settled.observation.get('y')?.type ?? tested.type
  const withGradient = b.build(settled.graph, {
    inputs: [...settled.graph.inputs, { name: 'u', type }],
    outputs: [{ name: 'gradient' }],
  })
  const [forwardModel, gradientModel] = [encodeModel(graph), encodeModel(withGradient)]
  const feedsOf = (x: Tensor, u: Tensor): ReadonlyMap<string, Tensor> =>
    new Map([
      ['x', x],
      ['u', u],
    ])
  const only = (values: ReadonlyMap<string, Tensor>): Tensor => [...values.values()][0]
  return {
    within: {
      forward: (x) => errorBound(graph, new Map([['x', x]]), 'y'),
      vjp: (x, u) => errorBound(withGradient, feedsOf(x, u), 'gradient'),
    },
    forward: async (x) => only(await runModel(forwardModel, new Map([['x', x]]))),
    vjp: async (x, u) => only(await runModel(gradientModel, feedsOf(x, u))),
  }
}

export function numbersOf(tensor: Tensor): readonly number[] {
  return Array.from(tensor.data as ArrayLike<number>)
}

export function inner(a: Tensor, b: Tensor): number {
  const [left, right] = [numbersOf(a), numbersOf(b)]
  return left.reduce((total, value, at) => total + value * right[at], 0)
}

/** Element by element and without a kernel in double: the function itself, in double, is the reference. */
export interface Pointwise {
  readonly tested: Case
  readonly reference: (x: number) => number
}

/** An operator with a kernel in float32 only, next to the same function in double. */
export interface Doubled {
  readonly tested: Case
  /** In float64; left out: what the operator expands to, in double. */
  readonly twin?: Case
}

/** A straight-through operator, and what its gradient must be that of. */
export interface StandIn {
  readonly tested: Case
  readonly standIn: Case
}
