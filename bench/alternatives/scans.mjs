import { create } from '@bufbuild/protobuf'
import { GraphProtoSchema, TypeProtoSchema, ValueInfoProtoSchema } from 'onnx-buf'
import { RULES } from '../../.build/autodiff/rules/index.js'
import { makeNode } from '../../.build/onnx/attributes.js'
import { writeNode } from '../../.build/onnx/codec.js'
import { filled } from './compare.mjs'
import { compareRules } from './rules.mjs'

const float = (name) =>
  create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: { elemType: 1 } } }),
  })

const OTHER = 'the same nodes: in no Scan where the rule writes one, else in one'

/** The rule's own nodes: out of the Scan where it writes one, in one where it does not. */
function otherwise(op) {
  const own = RULES.get(op)
  return (node, gradients, b) => {
    const before = b.nodes.length
    const [result] = own(node, gradients, b)
    const added = b.nodes.splice(before)
    const [scan] = added
    b.nodes.push(...(scan.op === 'Scan' ? inlined(scan) : [scanOver(added, result, b)]))
    return [result]
  }
}

function inlined({ inputs, outputs, attributes }) {
  const body = attributes.get('body').g
  const names = new Map(body.input.map(({ name }, at) => [name, inputs[at]]))
  names.set(body.output[0].name, outputs[0])
  const rename = (name) => names.get(name) ?? name
  return body.node.map(({ opType, input, output, attribute, domain, name }) => ({
    op: opType,
    domain,
    name,
    inputs: input.map(rename),
    outputs: output.map(rename),
    attributes: new Map(attribute.map((one) => [one.name, one])),
  }))
}

function scanOver(nodes, result, b) {
  const made = new Set(nodes.flatMap(({ outputs }) => outputs))
  const isOutside = (name) => !made.has(name) && !b.constants.has(name)
  const outside = [...new Set(nodes.flatMap(({ inputs }) => inputs).filter(isOutside))]
  const inside = (name) => (name === result || outside.includes(name) ? `${name}/image` : name)
  const renamed = nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map(inside),
    outputs: node.outputs.map(inside),
  }))
  const body = create(GraphProtoSchema, {
    name: 'body',
    node: renamed.map(writeNode),
    input: outside.map((name) => float(inside(name))),
    output: [float(inside(result))],
  })
  return makeNode('Scan', outside, [result], { body, num_scan_inputs: outside.length })
}

const gelu = (dims) =>
  compareRules(
    `Gelu, [${dims}]`,
    { dims, nodes: [makeNode('Gelu', ['x'], ['z'], {}, 'tested')] },
    { [OTHER]: otherwise('Gelu') },
  )

const layerNormalization = (dims) =>
  compareRules(
    `LayerNormalization, [${dims}]`,
    {
      dims,
      nodes: [makeNode('LayerNormalization', ['x', 'scale', 'zero'], ['z'], { axis: -1 }, 'tested')],
      constants: { scale: filled([dims.at(-1)], 1.1), zero: filled([dims.at(-1)], 0) },
    },
    { [OTHER]: otherwise('LayerNormalization') },
  )

export const scanWays = async () => [
  ...(await gelu([64, 64, 768])),
  ...(await gelu([64, 64, 192])),
  ...(await gelu([64, 16, 192])),
  ...(await layerNormalization([64, 64, 768])),
  ...(await layerNormalization([64, 64, 192])),
  ...(await layerNormalization([64, 16, 192])),
]
