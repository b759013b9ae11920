import type { GraphProto } from 'onnx-buf'
import { UsageError } from '../../errors.js'
import { describe } from '../../onnx/attributes.js'
import { constantValue } from '../../onnx/canonical/constantValue.js'
import { readNode } from '../../onnx/codec.js'
import type { Node, Tensor } from '../../onnx/graph.js'
import { densify } from '../../onnx/sparse.js'
import { renameReads } from '../../onnx/subgraphs.js'
import { readTensor } from '../../onnx/tensor.js'
import type { GradientBuilder } from '../gradientBuilder.js'

/** A body of If, Loop or Scan. */
export interface Body {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly nodes: readonly Node[]
  /** Initializers and Constant nodes, under the names the body has for them. */
  readonly constants: ReadonlyMap<string, Tensor>
}

/** Reads the body that a node has as an attribute. @throws UsageError when it has none. */
export function bodyOf(node: Node, attribute: string): Body {
  const proto = node.attributes.get(attribute)?.g
  if (proto === undefined) throw new UsageError(`${describe(node)} has no ${attribute}; export the model again`)
  return readBody(proto, { name: describe(node), external: {} })
}

function readBody(proto: GraphProto, source: Parameters<typeof readNode>[1]): Body {
  const constants = new Map(proto.initializer.map((tensor) => [tensor.name, readTensor(tensor, source)]))
  for (const sparse of proto.sparseInitializer) constants.set(sparse.values?.name ?? '', densify(sparse, source))
  const nodes = proto.node
    .map((node) => readNode(node, source))
    .filter((node) => {
      const value = node.op === 'Constant' && node.domain === '' ? constantValue(node) : undefined
      if (value) constants.set(node.outputs[0], value)
      return value === undefined
    })
  return {
    inputs: proto.input.map(({ name }) => name),
    outputs: proto.output.map(({ name }) => name),
    nodes,
    constants,
  }
}

/** Writes a body out, as often as it is called. Its constants are shared by all copies. */
export function inliner(body: Body, b: GradientBuilder): (actual: readonly string[]) => readonly string[] {
  const constants = Array.from(body.constants, ([name, { type, dims, data }]): [string, string] => [
    name,
    b.constant(type, dims, data),
  ])
  return (actual) => {
    const names = new Map(constants)
    body.inputs.forEach((formal, place) => names.set(formal, actual[place]))
    const current = (name: string): string => names.get(name) ?? name
    for (const node of body.nodes) {
      const here = renameReads(node, current)
      const outputs = node.outputs.map((output) => (output === '' ? '' : b.name(node.op)))
      node.outputs.forEach((output, place) => names.set(output, outputs[place]))
      // Every copy a name of its own: onnxruntime refuses two nodes that share one.
      b.nodes.push({ ...here, outputs, name: node.name && b.name(node.name) })
    }
    return body.outputs.map(current)
  }
}
