import {
  AttributeProtoSchema,
  GraphProtoSchema,
  NodeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf'
import type { AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto } from 'onnx-buf'
import type { ElementType, Graph, Tensor, ValueInfo } from './graph.js'
import { bfloat16Values, float16Value } from './half.js'
import { changed } from './proto.js'
import { dataType, readTensor, writeTensor } from './tensor.js'

const NARROW: ReadonlySet<number> = new Set([dataType('float16'), dataType('bfloat16')])
const WIDE = dataType('float32')

/** Attributes that hold an element type: of what a node gives, or of what it reckons in. */
const TYPE_ATTRIBUTES: ReadonlySet<string> = new Set([
  'to', // Cast
  'dtype', // EyeLike, SequenceEmpty, the random ones
  'output_dtype', // DequantizeLinear
  'output_datatype', // windows of signals
  'stash_type', // LayerNormalization and its kin
  'softmax_precision', // Attention
])

/**
 * The graph in float32 wherever it was in float16 or bfloat16: constants, casts, inputs and outputs, bodies too.
 *
 * Gradients are made of this: ten bits of fraction are too few for them, small ones vanish altogether (below 6e-8), and
 * onnxruntime computes in float32 on the CPU anyway. The numbers differ from the original's by its roundings alone.
 */
export function widen(graph: Graph): Graph {
  return {
    ...graph,
    inputs: graph.inputs.map(widenValue),
    outputs: graph.outputs.map(widenValue),
    nodes: graph.nodes.map((node) => ({
      ...node,
      attributes: new Map(Array.from(node.attributes, ([name, proto]) => [name, widenAttribute(proto)])),
    })),
    constants: new Map(Array.from(graph.constants, ([name, tensor]) => [name, widenTensor(tensor)])),
  }
}

/** Half a unit in the last place of 1, in the shortest type that a graph computes in; 0 when that is float32 or longer. */
export function shortestRoundoff(graph: Graph): number {
  const codes = graph.nodes.flatMap((node) => Array.from(node.attributes.values(), typeWithin))
  const types = new Set([...codes, ...Array.from(graph.constants.values(), ({ type }) => dataType(type))])
  for (const { type } of graph.inputs) if (type !== undefined) types.add(dataType(type))
  if (types.has(dataType('bfloat16'))) return 2 ** -8
  return types.has(dataType('float16')) ? 2 ** -11 : 0
}

function typeWithin(proto: AttributeProto): number {
  return TYPE_ATTRIBUTES.has(proto.name) ? Number(proto.i) : (proto.t?.dataType ?? 0)
}

/** float32 in place of a type of 16 bits. */
export function widenType(type: ElementType): ElementType {
  return type === 'float16' || type === 'bfloat16' ? 'float32' : type
}

/** The same numbers in float32, which holds them all; other types as they are. */
export function widenTensor(tensor: Tensor): Tensor {
  const { type, dims, data } = tensor
  if (!(data instanceof Uint16Array) || widenType(type) === type) return tensor
  return {
    type: 'float32',
    dims,
    data: type === 'float16' ? Float32Array.from(data, float16Value) : bfloat16Values(data),
  }
}

function widenValue(value: ValueInfo): ValueInfo {
  return value.type === undefined ? value : { ...value, type: widenType(value.type) }
}

function widenAttribute(proto: AttributeProto): AttributeProto {
  const holdsType = TYPE_ATTRIBUTES.has(proto.name) && NARROW.has(Number(proto.i))
  const bodies = (proto.g ? 1 : 0) + proto.graphs.length
  if (!holdsType && proto.t === undefined && bodies === 0) return proto
  // A field that is set, be it to its default, is written: onnxruntime refuses an attribute with two.
  return changed(AttributeProtoSchema, proto, {
    ...(holdsType && { i: BigInt(WIDE) }),
    ...(proto.t && { t: widenProto(proto.t) }),
    ...(proto.g && { g: widenBody(proto.g) }),
    ...(proto.graphs.length > 0 && { graphs: proto.graphs.map(widenBody) }),
  })
}

function widenProto(proto: TensorProto): TensorProto {
  if (!NARROW.has(proto.dataType)) return proto
  return writeTensor(widenTensor(readTensor(proto, { name: 'the model', external: {} })), proto.name)
}

function widenBody(body: GraphProto): GraphProto {
  return changed(GraphProtoSchema, body, {
    input: body.input.map(widenInfo),
    output: body.output.map(widenInfo),
    valueInfo: body.valueInfo.map(widenInfo),
    initializer: body.initializer.map(widenProto),
    node: body.node.map((node): NodeProto =>
      changed(NodeProtoSchema, node, { attribute: node.attribute.map(widenAttribute) }),
    ),
  })
}

function widenInfo(info: ValueInfoProto): ValueInfoProto {
  const value = info.type?.value
  if (info.type === undefined || value?.case !== 'tensorType' || !NARROW.has(value.value.elemType)) return info
  const wide = changed(TypeProto_TensorSchema, value.value, { elemType: WIDE })
  const type = changed(TypeProtoSchema, info.type, { value: { case: 'tensorType', value: wide } })
  return changed(ValueInfoProtoSchema, info, { type })
}
