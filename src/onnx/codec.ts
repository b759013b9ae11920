import { clearField, create, fromBinary, isFieldSet, toBinary } from '@bufbuild/protobuf'
import {
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataLocation,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf'
import type { GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto } from 'onnx-buf'
import { UsageError } from '../errors.js'
import type { Graph, Node, Tensor, ValueInfo } from './graph.js'
import { field, joined } from './messageParts.js'
import type { MessageParts } from './messageParts.js'
import { topologicalOrder } from './order.js'
import { changed } from './proto.js'
import { describeNonModel } from './sniff.js'
import { densify } from './sparse.js'
import { mapBodies } from './subgraphs.js'
import { dataType, dataTypeName, elementType, readTensor, toInt64, writeTensor } from './tensor.js'
import type { TensorSource } from './externalBytes.js'

export interface DecodeOptions {
  /** External data files by the location the model names. */
  readonly external?: Readonly<Record<string, Uint8Array>>
  /** What to call the model in messages. */
  readonly name?: string
}

/** Graph inputs may leave out initializers since this version of the format. */
const FREE_INITIALIZERS_IR = 4

/**
 * Reads a ModelProto. Fields we do not know stay with the model, its graph and its nodes and are written again by
 * {@link encodeModel}; recorded shapes of inner values (value_info) do not, since any edit makes them untrue.
 *
 * @param bytes the file; tensors may be views of it.
 * @throws UsageError when it is not an ONNX model, is damaged, names external data that is not there, or has inputs or
 *   outputs that are not tensors.
 */
export function decodeModel(bytes: Uint8Array, options: DecodeOptions = {}): Graph {
  const source: TensorSource = { name: options.name ?? 'model', external: options.external ?? {} }
  const model = parseModel(bytes, source.name)
  const proto = model.graph
  if (proto === undefined || proto.node.length === 0) {
    const looks =
      model.opsetImport.length > 0 || model.irVersion > 0n
        ? 'holds a model without any nodes; export it again'
        : describeNonModel(bytes)
    throw new UsageError(`${source.name} ${looks}`)
  }
  const constants = new Map<string, Tensor>()
  for (const tensor of proto.initializer) constants.set(tensor.name, readTensor(tensor, source))
  for (const sparse of proto.sparseInitializer) constants.set(sparse.values?.name ?? '', densify(sparse, source))
  const graph: Graph = {
    name: proto.name,
    opsets: new Map(model.opsetImport.map(({ domain, version }) => [canonicalDomain(domain), Number(version)])),
    irVersion: Number(model.irVersion),
    inputs: proto.input.filter(({ name }) => !constants.has(name)).map((info) => readValueInfo(info, source.name)),
    outputs: proto.output.map((info) => readOutput(info, source.name)),
    nodes: proto.node.map((node) => readNode(node, source)),
    constants,
    functions: model.functions,
    proto: withoutContent(model, proto),
  }
  return { ...graph, nodes: topologicalOrder(graph, source.name) }
}

/**
 * Writes a graph as a ModelProto, every constant as an initializer.
 *
 * @throws UsageError when it exceeds the 2 GiB a protobuf message can hold.
 */
export function encodeModel(graph: Graph): Uint8Array {
  const content = changed(GraphProtoSchema, graph.proto?.graph ?? create(GraphProtoSchema), {
    name: graph.name || 'graph',
    node: graph.nodes.map(writeNode),
    input: graph.inputs.map(writeValueInfo),
    output: graph.outputs.map(writeValueInfo),
  })
  const model = changed(
    ModelProtoSchema,
    graph.proto ?? create(ModelProtoSchema, { producerName: 'robustness-gate' }),
    {
      irVersion: BigInt(Math.max(graph.irVersion, FREE_INITIALIZERS_IR)),
      opsetImport: [...graph.opsets].map(([domain, version]) =>
        create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
      ),
      functions: [...(graph.functions ?? [])],
      graph: undefined,
    },
  )
  // A writer that grows copies hundreds of megabytes several times over.
  const weights = [...graph.constants].flatMap(([name, tensor]) =>
    field(GraphProtoSchema.field.initializer, tensorParts(tensor, name)),
  )
  const whole = field(ModelProtoSchema.field.graph, [toBinary(GraphProtoSchema, content), ...weights])
  return joined([toBinary(ModelProtoSchema, model), ...whole])
}

function tensorParts(tensor: Tensor, name: string): MessageParts {
  const proto = writeTensor(tensor, name)
  const { rawData } = TensorProtoSchema.field
  if (!isFieldSet(proto, rawData)) return [toBinary(TensorProtoSchema, proto)]
  const numbers = proto.rawData
  clearField(proto, rawData)
  return [toBinary(TensorProtoSchema, proto), ...field(rawData, [numbers])]
}

/** A node as it stands in a file; unknown fields of the message it was read from come along. */
export function writeNode(node: Node): NodeProto {
  return changed(NodeProtoSchema, node.proto ?? create(NodeProtoSchema), {
    opType: node.op,
    domain: node.domain,
    name: node.name,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: [...node.attributes.values()],
  })
}

/** A node of a file. External data among its attributes is brought in, so that it can be written anywhere. */
export function readNode(proto: NodeProto, source: TensorSource): Node {
  const attributes = new Map(proto.attribute.map((attribute) => [attribute.name, attribute]))
  for (const [name, attribute] of attributes)
    if (attribute.t) attributes.set(name, changed(AttributeProtoSchema, attribute, { t: inlined(attribute.t, source) }))
  return {
    op: proto.opType,
    domain: canonicalDomain(proto.domain),
    name: proto.name,
    inputs: proto.input,
    outputs: proto.output,
    attributes: mapBodies(attributes, (body) => selfContained(body, source)),
    proto,
  }
}

/** The nodes of a body. @param name what to call it in messages */
export function nodesOf(body: GraphProto, name: string): readonly Node[] {
  return body.node.map((proto) => readNode(proto, { name, external: {} }))
}

/** The message itself. @throws UsageError when the bytes are no ONNX model. */
export function parseModel(bytes: Uint8Array, name: string): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes)
  } catch (cause) {
    throw new UsageError(`${name} ${describeNonModel(bytes)}`, { cause })
  }
}

/** `ai.onnx` is the long name of the default domain. */
function canonicalDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain
}

function withoutContent(model: ModelProto, graph: GraphProto): ModelProto {
  const empty = { node: [], initializer: [], sparseInitializer: [], valueInfo: [], input: [], output: [] }
  return changed(ModelProtoSchema, model, { graph: changed(GraphProtoSchema, graph, empty), functions: [] })
}

function selfContained(body: GraphProto, source: TensorSource): GraphProto {
  return changed(GraphProtoSchema, body, {
    initializer: body.initializer.map((tensor) => inlined(tensor, source)),
    node: body.node.map((node) => writeNode(readNode(node, source))),
  })
}

function inlined(tensor: TensorProto, source: TensorSource): TensorProto {
  if (tensor.dataLocation !== TensorProto_DataLocation.EXTERNAL) return tensor
  return writeTensor(readTensor(tensor, source), tensor.name)
}

/** An output may leave its type to inference; an input may not. */
function readOutput(info: ValueInfoProto, model: string): ValueInfo {
  return info.type?.value.case === undefined ? { name: info.name } : readValueInfo(info, model)
}

function readValueInfo(info: ValueInfoProto, model: string): ValueInfo {
  const type = info.type?.value
  if (type?.case !== 'tensorType') {
    const kind = type?.case ? `a ${type.case.replace('Type', '')}` : 'of no declared type'
    throw new UsageError(
      `${model}: "${info.name}" is ${kind}, not a tensor; export the model with tensors only (scikit-learn: zipmap=False)`,
    )
  }
  const element = elementType(type.value.elemType)
  if (element === undefined)
    throw new UsageError(
      `${model}: "${info.name}" has element type ${dataTypeName(type.value.elemType)}, which is not supported; use float32`,
    )
  const dims = type.value.shape?.dim.map(({ value }) => {
    if (value.case === 'dimParam') return value.value === '' ? undefined : value.value
    // Some exporters write −1 for "any".
    return value.case === 'dimValue' && value.value >= 0n ? Number(value.value) : undefined
  })
  return { name: info.name, type: element, dims }
}

function writeValueInfo({ name, type, dims }: ValueInfo): ValueInfoProto {
  if (type === undefined) return create(ValueInfoProtoSchema, { name })
  const dim = dims?.map((size) => {
    if (typeof size === 'number') return { value: { case: 'dimValue' as const, value: toInt64(size) } }
    return size === undefined ? {} : { value: { case: 'dimParam' as const, value: size } }
  })
  const tensorType = { elemType: dataType(type), shape: dim && { dim } }
  return create(ValueInfoProtoSchema, { name, type: { value: { case: 'tensorType', value: tensorType } } })
}
