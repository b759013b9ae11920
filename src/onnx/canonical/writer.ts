import { makeNode } from '../attributes.js'
import type { AttributeValues } from '../attributes.js'
import type { Node } from '../graph.js'
import { int64Tensor } from '../tensor.js'
import type { Context } from './context.js'
import { floatScalar } from './elementwise.js'

/** Writes one node out as several: each method returns the name of a value, so a formula reads inside out. */
export interface Writer {
  readonly nodes: readonly Node[]
  readonly add: (op: string, inputs: readonly string[], attributes?: AttributeValues) => string
  /** The last step: what the node itself gave. */
  readonly finish: (op: string, inputs: readonly string[], attributes?: AttributeValues) => void
  /** A 1-D int64 constant. */
  readonly ints: (...values: readonly number[]) => string
  readonly index: (value: number) => string
  /** A floating scalar in the type of what the node reckons with. */
  readonly number: (value: number) => string
}

/** @param like a value of the type that {@link Writer.number} takes. */
export function openWriter(node: Node, like: string, context: Context): Writer {
  const nodes: Node[] = []
  const [output] = node.outputs
  const type = context.floatTypeOf(like)
  const write = (op: string, inputs: readonly string[], attributes: AttributeValues, name: string): string => {
    nodes.push(makeNode(op, inputs, [name], attributes))
    return name
  }
  return {
    nodes,
    add: (op, inputs, attributes = {}) => write(op, inputs, attributes, context.fresh(`${output}/${op}`)),
    finish: (op, inputs, attributes = {}) => {
      write(op, inputs, attributes, output)
    },
    ints: (...values) => context.constant(`${output}/ints`, int64Tensor(values)),
    index: (value) => context.constant(`${output}/index`, int64Tensor([value], [])),
    number: (value) => context.constant(`${output}/number`, floatScalar(type, value)),
  }
}
