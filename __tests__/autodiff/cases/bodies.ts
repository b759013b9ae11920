import { create } from '@bufbuild/protobuf'
import { GraphProtoSchema, ValueInfoProtoSchema } from 'onnx-buf'
import type { GraphProto, ValueInfoProto } from 'onnx-buf'
import { writeNode } from '../../../src/onnx/codec.js'
import type { ElementType, Node, Tensor } from '../../../src/onnx/graph.js'
import { dataType, writeTensor } from '../../../src/onnx/tensor.js'
import { composed, floating, integers } from '../support.js'
import type { Case } from '../support.js'

export const truth = (value: boolean): Tensor => ({ type: 'bool', dims: [], data: Uint8Array.of(value ? 1 : 0) })
export const scalar = (value: number): Tensor => integers([value], [])
export const double = (...values: readonly number[]): Tensor =>
  floating('float64', values.length > 1 ? [values.length] : [], values)

/** A Loop's own inputs say what they are; the types of the others are left to onnxruntime. */
function declared(name: string): ValueInfoProto {
  const own: Readonly<Record<string, ElementType>> = { i: 'int64', j: 'int64', go: 'bool', continue: 'bool' }
  if (!(name in own)) return create(ValueInfoProtoSchema, { name })
  const tensorType = { elemType: dataType(own[name]), shape: { dim: [] } }
  return create(ValueInfoProtoSchema, { name, type: { value: { case: 'tensorType', value: tensorType } } })
}

/** A body of If, Loop or Scan, its nodes with names, as exporters write it. */
export function body(
  inputs: readonly string[],
  outputs: readonly string[],
  nodes: readonly Node[],
  constants: Readonly<Record<string, Tensor>> = {},
): GraphProto {
  return create(GraphProtoSchema, {
    name: `body of ${outputs.join()}`,
    input: inputs.map((name) => declared(name)),
    output: outputs.map((name) => create(ValueInfoProtoSchema, { name })),
    node: nodes.map((node, at) => writeNode({ ...node, name: node.name || `/${node.op}_${at}` })),
    initializer: Object.entries(constants).map(([name, value]) => writeTensor(value, name)),
  })
}

/** x, an image of 3×4, through nodes in double. */
export function flow(name: string, nodes: readonly Node[], constants: Case['constants'] = {}): Case {
  return composed(name, [3, 4], nodes, constants, 'float64')
}
