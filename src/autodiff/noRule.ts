import { UsageError } from '../errors.js'
import { describe } from '../onnx/attributes.js'
import type { Node } from '../onnx/graph.js'

/** What to throw for a form of an operator that has no rule. */
export function noRule(node: Node, what: string): UsageError {
  return new UsageError(`${describe(node)} with ${what} has no gradient rule; export the model without it`)
}
