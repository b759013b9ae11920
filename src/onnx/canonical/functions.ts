import {
  AttributeProtoSchema,
  GraphProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf'
import type { AttributeProto, FunctionProto, GraphProto, NodeProto } from 'onnx-buf'
import { makeNode } from '../attributes.js'
import { readNode } from '../codec.js'
import type { Graph, Node } from '../graph.js'
import { changed } from '../proto.js'

/**
 * Finds the function a node calls: by domain, name and overload (IR 10). Of a node in another function's body onnxruntime 1.30
 * does not read the overload: there it calls the function that has none.
 */
export function functionTable(
  functions: readonly FunctionProto[],
): (node: Node, isWithinAnother: boolean) => FunctionProto | undefined {
  const table = new Map(functions.map((one) => [functionKey(one.domain, one.name, one.overload), one]))
  return ({ domain, op, proto }, isWithinAnother) =>
    table.get(functionKey(domain, op, isWithinAnother ? '' : (proto?.overload ?? '')))
}

/** The first function that is written for another opset than the model, which onnxruntime reads its body in. */
export function functionOfOtherOpset({
  functions = [],
  opsets,
}: Graph): { readonly name: string; readonly opset: number; readonly modelOpset: number } | undefined {
  const modelOpset = opsets.get('')
  if (modelOpset === undefined) return undefined
  return functions
    .flatMap(({ name, opsetImport }) =>
      opsetImport
        .filter(({ domain }) => domain === '' || domain === 'ai.onnx')
        .map(({ version }) => ({ name, opset: Number(version), modelOpset })),
    )
    .find(({ opset }) => opset !== modelOpset)
}

/**
 * A function's body in place of a node that calls it: its inputs, outputs and attributes filled in, everything else
 * under names of its own.
 */
export function instantiate(called: FunctionProto, node: Node, fresh: (stem: string) => string): readonly Node[] {
  const names = new Map<string, string>([['', '']])
  called.input.forEach((formal, place) => names.set(formal, node.inputs[place] ?? ''))
  const passedThrough: Node[] = []
  called.output.forEach((formal, place) => {
    const actual = node.outputs[place] ?? ''
    const source = names.get(formal)
    // A function may hand an input straight on.
    if (source !== undefined && actual !== '') passedThrough.push(makeNode('Identity', [source], [actual]))
    else if (actual !== '') names.set(formal, actual)
  })
  const stem = node.name || node.outputs[0] || called.name
  const rename = (name: string): string => {
    const known = names.get(name)
    if (known !== undefined) return known
    const renamed = fresh(`${stem}/${name}`)
    names.set(name, renamed)
    return renamed
  }
  const defaults = new Map(called.attributeProto.map((proto) => [proto.name, proto]))
  const attribute = (name: string): AttributeProto | undefined => node.attributes.get(name) ?? defaults.get(name)
  const source = { name: `function "${called.name}"`, external: {} }
  return [...called.node.map((inner) => readNode(fill(inner, rename, attribute), source)), ...passedThrough]
}

/** No two functions of a model share one. */
export function functionKey(domain: string, name: string, overload: string): string {
  return JSON.stringify([domain === 'ai.onnx' ? '' : domain, name, overload])
}

type Rename = (name: string) => string
type Lookup = (name: string) => AttributeProto | undefined

function fill(node: NodeProto, rename: Rename, attribute: Lookup): NodeProto {
  return changed(NodeProtoSchema, node, {
    name: node.name && rename(`${node.name}:node`),
    input: node.input.map(rename),
    output: node.output.map(rename),
    attribute: node.attribute.flatMap((proto) => fillAttribute(proto, rename, attribute)),
  })
}

function fillAttribute(proto: AttributeProto, rename: Rename, attribute: Lookup): readonly AttributeProto[] {
  if (proto.refAttrName !== '') {
    const given = attribute(proto.refAttrName)
    return given ? [changed(AttributeProtoSchema, given, { name: proto.name, refAttrName: '' })] : []
  }
  const body = (graph: GraphProto): GraphProto => fillBody(graph, rename, attribute)
  return [changed(AttributeProtoSchema, proto, { g: proto.g && body(proto.g), graphs: proto.graphs.map(body) })]
}

function fillBody(body: GraphProto, rename: Rename, attribute: Lookup): GraphProto {
  return changed(GraphProtoSchema, body, {
    node: body.node.map((node) => fill(node, rename, attribute)),
    input: body.input.map((info) => changed(ValueInfoProtoSchema, info, { name: rename(info.name) })),
    output: body.output.map((info) => changed(ValueInfoProtoSchema, info, { name: rename(info.name) })),
    initializer: body.initializer.map((tensor) => changed(TensorProtoSchema, tensor, { name: rename(tensor.name) })),
    valueInfo: [],
  })
}
