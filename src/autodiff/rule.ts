import type { Node } from '../onnx/graph.js'
import type { GradientBuilder } from './gradientBuilder.js'

/** What a gradient is, where it is not simply the derivative. */
export interface Marked {
  /**
   * `subgradient`: the function has kinks, and at them one of the possible slopes is taken. `straight-through`: the
   * derivative is zero or undefined almost everywhere, and that of a smooth stand-in takes its place.
   */
  readonly kind?: 'subgradient' | 'straight-through'
  /** What happens at kinks and ties, or what stands in; one clause for docs/operators.md. */
  readonly note?: string
  /** Where only some nodes of the operator are of that kind: whether this one is. */
  readonly applies?: (node: Node) => boolean
}

/**
 * How an operator's output gradients become its inputs': the vector-Jacobian product, in nodes.
 *
 * @param node in the canonical opset.
 * @param gradients of each output, d loss / d output; undefined where an output does not reach the loss.
 * @param b adds the nodes.
 * @returns for each input the name of d loss / d input, in its shape; undefined where nothing flows. Inputs that do not
 *   depend on the image need no gradient: `b.isActive(input)` tells.
 */
export type Rule = ((
  node: Node,
  gradients: readonly (string | undefined)[],
  b: GradientBuilder,
) => readonly (string | undefined)[]) &
  Marked

/** Marks a rule or an expansion whose gradient is one of several at kinks and ties. */
export function subgradient<T extends (...parameters: never[]) => unknown>(note: string, of: T): T & Marked {
  return marked(of, { kind: 'subgradient', note })
}

/** Marks a rule or an expansion that passes a gradient where the mathematics gives none (BPDA, Athalye et al. 2018). */
export function straightThrough<T extends (...parameters: never[]) => unknown>(
  note: string,
  of: T,
  applies?: Marked['applies'],
): T & Marked {
  return marked(of, { kind: 'straight-through', note, ...(applies && { applies }) })
}

/** Whether a node passes a gradient where the mathematics gives none. */
export function isStraightThrough(node: Node, mark: Marked | undefined): boolean {
  return mark?.kind === 'straight-through' && (mark.applies?.(node) ?? true)
}

/** Says of a rule or an expansion what its gradient is made for. */
export function noted<T extends (...parameters: never[]) => unknown>(note: string, of: T): T & Marked {
  return marked(of, { note })
}

/** A copy: one rule may stand in the table twice, with other notes. */
function marked<T extends (...parameters: never[]) => unknown>(of: T, mark: Marked): T & Marked {
  return Object.assign(of.bind(undefined) as T, mark)
}

/** A rule for operators with one output that matters. */
export function rule(vjp: (node: Node, gradient: string, b: GradientBuilder) => readonly (string | undefined)[]): Rule {
  return (node, [gradient], b) => (gradient === undefined ? [] : vjp(node, gradient, b))
}

/** A rule for y = f(x), element by element: `derivative` gives the nodes of f′. */
export function elementwise(derivative: (x: string, y: string, b: GradientBuilder, node: Node) => string): Rule {
  return rule((node, gradient, b) => [b.mul(gradient, derivative(node.inputs[0], node.outputs[0], b, node))])
}

/** An axis counted from the front. */
export function fromFront(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis
}
