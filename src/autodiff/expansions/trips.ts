import { create } from '@bufbuild/protobuf'
import { GraphProtoSchema, ValueInfoProtoSchema } from 'onnx-buf'
import { UsageError } from '../../errors.js'
import { attribute, describe, makeNode } from '../../onnx/attributes.js'
import { writeNode } from '../../onnx/codec.js'
import { dependentOutputsOfLoop } from '../../onnx/dependence.js'
import type { Node } from '../../onnx/graph.js'
import { changed } from '../../onnx/proto.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import type { Body } from './body.js'

/**
 * How often a Loop runs, where that is the same for every image: its trip count, or, where its condition may end it before,
 * what was seen when it ran.
 *
 * @returns 'unseen' when the condition must be watched first: see {@link withTrace}.
 * @throws UsageError when images or chance decide.
 */
export function tripsOf(node: Node, body: Body, b: GradientBuilder): number | 'unseen' {
  const [limit = '', condition = ''] = node.inputs
  const isFixed = (name: string): boolean => name === '' || b.constantOf(name) !== undefined
  if (!isFixed(limit) || !isFixed(condition)) throw notForeseen(node)
  const most = b.integersOf(limit)?.[0] ?? Infinity
  if (b.integersOf(condition)?.[0] === 0) return 0
  if (staysTrue(body)) return most
  if (dependentOutputsOfLoop(node, (name) => !isFixed(name)).has(0)) throw notForeseen(node)
  const carried = node.inputs.length - 2
  const seen = node.outputs.slice(carried).find((name) => name !== '')
  if (seen === undefined) return 'unseen'
  const { dims, batchAxis } = b.observed(seen)
  if (batchAxis === 0) throw notForeseen(node)
  return dims[0]
}

function notForeseen(node: Node): UsageError {
  return new UsageError(
    `${describe(node)} runs as often as the image or the size of the batch says, or chance, which has no gradient rule; export the model with a fixed number of steps`,
  )
}

/** Whether the body hands its own condition on, or says true. */
function staysTrue(body: Body): boolean {
  let [name] = body.outputs
  for (;;) {
    if (name === body.inputs[1]) return true
    const value = body.constants.get(name)
    if (value !== undefined) return value.data[0] === 1
    const producer = body.nodes.find((node) => node.op === 'Identity' && node.outputs.includes(name))
    if (producer === undefined) return false
    name = producer.inputs[0]
  }
}

/** The same Loop with its condition as one more output, a row per step: how many rows there are is seen when it runs. */
export function withTrace(node: Node, body: Body, b: GradientBuilder): readonly string[] {
  const graph = node.attributes.get('body')?.g
  if (graph === undefined) throw new UsageError(`${describe(node)} has no body; export the model again`)
  const trace = b.name('condition')
  const watched = changed(GraphProtoSchema, graph, {
    node: [...graph.node, writeNode(makeNode('Identity', [body.outputs[0]], [trace]))],
    output: [...graph.output, create(ValueInfoProtoSchema, { name: trace })],
  })
  // Outputs may be left out, but onnxruntime wants a name for each that has another after it, and the trace is the last.
  const names = body.outputs.slice(1).map(() => b.name('Loop'))
  b.nodes.push({
    ...node,
    outputs: [...names, b.name('trips')],
    attributes: new Map(node.attributes).set('body', attribute.graph('body', watched)),
  })
  return names
}
