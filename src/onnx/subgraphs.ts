import { AttributeProtoSchema, GraphProtoSchema, NodeProtoSchema } from 'onnx-buf'
import type { AttributeProto, GraphProto, NodeProto } from 'onnx-buf'
import type { Node } from './graph.js'
import { changed } from './proto.js'

/** Bodies of If, Loop and Scan: they read names of the graph around them without listing them as inputs. */
export function bodies(attributes: Iterable<AttributeProto>): readonly GraphProto[] {
  return [...attributes].flatMap((attribute) => (attribute.g ? [attribute.g] : []).concat(attribute.graphs))
}

/** Every name a node reads: its inputs and what its bodies capture. '' (left out) is not one. */
export function reads(node: Node): readonly string[] {
  const names = node.inputs.filter((name) => name !== '')
  const captured = bodies(node.attributes.values()).flatMap((body) => [...captures(body)])
  return captured.length === 0 ? names : [...names, ...captured]
}

/** Names a body takes from the graph around it. */
export function captures(body: GraphProto): ReadonlySet<string> {
  const own = ownNames(body)
  const used = [
    ...body.output.map((output) => output.name),
    ...body.node.flatMap((node) => [...node.input, ...bodies(node.attribute).flatMap((inner) => [...captures(inner)])]),
  ]
  return new Set(used.filter((name) => name !== '' && !own.has(name)))
}

/** All names that occur in a body, so that a new one can avoid them. */
export function namesWithin(body: GraphProto): readonly string[] {
  return [
    ...ownNames(body),
    ...body.node.flatMap((node) => [...node.input, ...bodies(node.attribute).flatMap(namesWithin)]),
  ]
}

/** The node with every name it reads, in its bodies too, replaced through `rename`. Its outputs stay. */
export function renameReads(node: Node, rename: (name: string) => string): Node {
  const inputs = node.inputs.map((name) => (name === '' ? '' : rename(name)))
  return { ...node, inputs, attributes: mapBodies(node.attributes, (body) => renameCaptures(body, rename)) }
}

/** Attributes with every body replaced through `change`. */
export function mapBodies(
  attributes: ReadonlyMap<string, AttributeProto>,
  change: (body: GraphProto) => GraphProto,
): ReadonlyMap<string, AttributeProto> {
  if (bodies(attributes.values()).length === 0) return attributes
  return new Map([...attributes].map(([name, proto]) => [name, changeBodies(proto, change)]))
}

function changeBodies(proto: AttributeProto, change: (body: GraphProto) => GraphProto): AttributeProto {
  return changed(AttributeProtoSchema, proto, { g: proto.g && change(proto.g), graphs: proto.graphs.map(change) })
}

function renameCaptures(body: GraphProto, rename: (name: string) => string): GraphProto {
  const own = ownNames(body)
  const outward = (name: string): string => (name === '' || own.has(name) ? name : rename(name))
  const node = body.node.map((inner): NodeProto => {
    const attribute = inner.attribute.map((proto) => changeBodies(proto, (nested) => renameCaptures(nested, outward)))
    return changed(NodeProtoSchema, inner, { input: inner.input.map(outward), attribute })
  })
  return changed(GraphProtoSchema, body, { node })
}

function ownNames(body: GraphProto): ReadonlySet<string> {
  return new Set([
    ...body.input.map((input) => input.name),
    ...body.initializer.map((tensor) => tensor.name),
    ...body.sparseInitializer.map((sparse) => sparse.values?.name ?? ''),
    ...body.node.flatMap((node) => node.output),
  ])
}
