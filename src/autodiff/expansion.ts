import type { Node } from '../onnx/graph.js'
import type { GradientBuilder } from './gradientBuilder.js'
import type { Marked } from './rule.js'

/**
 * An operator as a few simpler ones: what a surrogate computes in its place, so that it needs no rule of its own. It sees
 * the shapes, types and weights of the model; what it adds may be expanded in turn.
 *
 * @param node in the canonical opset.
 * @param b adds the nodes.
 * @returns for each output of the node the name of the value that takes its place.
 */
export type Expansion = ((node: Node, b: GradientBuilder) => readonly string[]) & Marked

/** An expansion of operators with one output. */
export function expansion(body: (node: Node, b: GradientBuilder) => string): Expansion {
  return (node, b) => [body(node, b)]
}
