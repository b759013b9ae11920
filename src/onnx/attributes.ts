import { create } from '@bufbuild/protobuf'
import { AttributeProto_AttributeType as Type, AttributeProtoSchema } from 'onnx-buf'
import type { AttributeProto, GraphProto } from 'onnx-buf'
import { UsageError } from '../errors.js'
import type { Node, Tensor } from './graph.js'
import { readTensor, toInt64, writeTensor } from './tensor.js'

/**
 * How {@link makeNode} takes an attribute: a number is an INT, an array of numbers INTS; a FLOAT is written
 * `{ float: 0.1 }`, FLOATS `{ floats: [0.1] }`. `undefined` leaves the attribute out.
 */
export type AttributeValue =
  | number
  | readonly number[]
  | string
  | readonly string[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | Tensor
  | GraphProto
  | undefined

export type AttributeValues = Readonly<Record<string, AttributeValue>>

/** Attributes by constructor, one for each ONNX type in use. */
export const attribute = {
  int: (name: string, value: number): AttributeProto =>
    create(AttributeProtoSchema, { name, type: Type.INT, i: toInt64(value) }),
  ints: (name: string, values: readonly number[]): AttributeProto =>
    create(AttributeProtoSchema, { name, type: Type.INTS, ints: values.map(toInt64) }),
  float: (name: string, value: number): AttributeProto =>
    create(AttributeProtoSchema, { name, type: Type.FLOAT, f: value }),
  floats: (name: string, values: readonly number[]): AttributeProto =>
    create(AttributeProtoSchema, { name, type: Type.FLOATS, floats: [...values] }),
  string: (name: string, value: string): AttributeProto =>
    create(AttributeProtoSchema, { name, type: Type.STRING, s: new TextEncoder().encode(value) }),
  strings: (name: string, values: readonly string[]): AttributeProto =>
    create(AttributeProtoSchema, {
      name,
      type: Type.STRINGS,
      strings: values.map((value) => new TextEncoder().encode(value)),
    }),
  tensor: (name: string, value: Tensor): AttributeProto =>
    create(AttributeProtoSchema, { name, type: Type.TENSOR, t: writeTensor(value, name) }),
  graph: (name: string, value: GraphProto): AttributeProto =>
    create(AttributeProtoSchema, { name, type: Type.GRAPH, g: value }),
}

/** An INT; `fallback` when it is left out. @throws UsageError when the attribute has another type. */
export function intAttribute<T extends number | undefined = undefined>(
  node: Node,
  name: string,
  fallback?: T,
): number | T {
  const proto = find(node, name, Type.INT)
  return proto ? Number(proto.i) : (fallback as T)
}

/** INTS; `fallback` when left out. @throws UsageError when the attribute has another type. */
export function intsAttribute<T extends readonly number[] | undefined = undefined>(
  node: Node,
  name: string,
  fallback?: T,
): readonly number[] | T {
  const proto = find(node, name, Type.INTS)
  return proto ? proto.ints.map(Number) : (fallback as T)
}

/** A FLOAT; `fallback` when left out. @throws UsageError when the attribute has another type. */
export function floatAttribute<T extends number | undefined = undefined>(
  node: Node,
  name: string,
  fallback?: T,
): number | T {
  const proto = find(node, name, Type.FLOAT)
  return proto ? proto.f : (fallback as T)
}

/** FLOATS; `fallback` when left out. @throws UsageError when the attribute has another type. */
export function floatsAttribute<T extends readonly number[] | undefined = undefined>(
  node: Node,
  name: string,
  fallback?: T,
): readonly number[] | T {
  const proto = find(node, name, Type.FLOATS)
  return proto ? proto.floats : (fallback as T)
}

/** A STRING; `fallback` when left out. @throws UsageError when the attribute has another type. */
export function stringAttribute<T extends string | undefined = undefined>(
  node: Node,
  name: string,
  fallback?: T,
): string | T {
  const proto = find(node, name, Type.STRING)
  return proto ? new TextDecoder().decode(proto.s) : (fallback as T)
}

/** A TENSOR; undefined when left out. @throws UsageError when the attribute has another type. */
export function tensorAttribute(node: Node, name: string): Tensor | undefined {
  const proto = find(node, name, Type.TENSOR)
  // Decoding the model has brought external data in already.
  return proto?.t && readTensor(proto.t, { name: describe(node), external: {} })
}

/**
 * A node of plain values: `makeNode('Clip', ['x'], ['y'], { min: { float: 0 } })`.
 *
 * @param inputs '' stands for an optional input left out; those at the end are dropped.
 */
export function makeNode(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: AttributeValues = {},
  name = '',
  domain = '',
): Node {
  const protos = Object.entries(attributes).flatMap(([key, value]) => {
    const proto = toAttribute(key, value)
    return proto ? [[key, proto] as const] : []
  })
  const used = inputs.findLastIndex((input) => input !== '') + 1
  return { op, domain, name, inputs: inputs.slice(0, used), outputs, attributes: new Map(protos) }
}

/** How tables and messages call an operator: by its name, behind its domain when that is not ai.onnx. */
export function operatorOf({ op, domain }: Node): string {
  return domain === '' ? op : `${domain}.${op}`
}

/** What messages call a node: its operator, and its name or first output. */
export function describe(node: Node): string {
  const label = node.name || node.outputs.find((output) => output !== '') || '?'
  return `node "${label}" (${node.domain ? `${node.domain}.` : ''}${node.op})`
}

function toAttribute(name: string, value: AttributeValue): AttributeProto | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number') return attribute.int(name, value)
  if (typeof value === 'string') return attribute.string(name, value)
  if (isNumbers(value)) return attribute.ints(name, value)
  if (isStrings(value)) return attribute.strings(name, value)
  if ('float' in value) return attribute.float(name, value.float)
  if ('floats' in value) return attribute.floats(name, value.floats)
  return '$typeName' in value ? attribute.graph(name, value) : attribute.tensor(name, value)
}

function isNumbers(value: AttributeValue): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number')
}

function isStrings(value: AttributeValue): value is readonly string[] {
  return Array.isArray(value)
}

function find(node: Node, name: string, type: Type): AttributeProto | undefined {
  const proto = node.attributes.get(name)
  if (proto === undefined || proto.type === type) return proto
  // IR versions before 2 left the type out.
  if (proto.type === Type.UNDEFINED) return proto
  throw new UsageError(
    `${describe(node)}: attribute "${name}" is ${Type[proto.type] ?? proto.type} where ${Type[type]} belongs; export the model again`,
  )
}
