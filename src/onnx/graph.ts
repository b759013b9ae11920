import type { AttributeProto, FunctionProto, ModelProto, NodeProto } from 'onnx-buf'

/** ONNX element types by the names onnxruntime uses. float16 and bfloat16 are held as their bits, int4 and uint4 as bytes. */
export type ElementType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'int4'
  | 'uint4'
  | 'bool'
  | 'string'

export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | readonly string[]

/** A value in row-major order; `bool` as Uint8Array of 0 and 1, `float16` and `bfloat16` as Uint16Array of bits. */
export interface Tensor {
  readonly type: ElementType
  readonly dims: readonly number[]
  readonly data: TensorData
}

export interface Node {
  readonly op: string
  /** '' for ai.onnx. */
  readonly domain: string
  readonly name: string
  /** '' stands for an optional input left out. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, AttributeProto>
  /** The message this node was read from: carries fields we do not know when the graph is written again. */
  readonly proto?: NodeProto
}

export interface ValueInfo {
  readonly name: string
  /** Undefined only on outputs: onnxruntime infers it, and so need we not say. */
  readonly type?: ElementType
  /** A number, a symbol (`batch`), or undefined where nothing is said; the whole undefined when the rank is unknown. */
  readonly dims?: readonly (number | string | undefined)[]
}

/** One opset for all: what canonicalisation gives and every rule is written for. */
export const CANONICAL_OPSET = 24

/** A graph of ai.onnx operators (others keep their domain) whose nodes stand in topological order. Immutable: an edit makes a new one. */
export interface Graph {
  readonly name: string
  /** Opset version by domain; '' is ai.onnx. */
  readonly opsets: ReadonlyMap<string, number>
  readonly irVersion: number
  /** Without those that an initializer gives a value. */
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  readonly nodes: readonly Node[]
  /** Initializers, and Constant nodes after canonicalisation. */
  readonly constants: ReadonlyMap<string, Tensor>
  /** Values that are no constants, though they do not depend on the input: what stands in for noise (`stillness.ts`). */
  readonly unfolded?: ReadonlySet<string>
  /** Model-local functions; none after canonicalisation. */
  readonly functions?: readonly FunctionProto[]
  /** The message this graph was read from, without nodes and weights: producer, metadata and fields we do not know. */
  readonly proto?: ModelProto
}

/** Runs an encoded model and returns the named outputs (all when left out). A parameter: this room knows no session. */
export type RunModel = (
  model: Uint8Array,
  feeds: ReadonlyMap<string, Tensor>,
  outputs?: readonly string[],
) => Promise<ReadonlyMap<string, Tensor>>
