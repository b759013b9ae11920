import { UsageError } from '../../errors.js'
import { operatorOf } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'

/** Real recurrences are as long as an image is high; every step keeps its activations for the way back. */
const MAX_STEPS = 1_024
const MAX_NODES = 100_000

/** For docs/operators.md. */
export const UNROLLED = `is written out step by step: up to ${MAX_STEPS} steps and ${MAX_NODES} nodes, as many for every image`

/**
 * Refuses what would not be worth its memory when it is written out step by step.
 *
 * @param nodes of one step.
 * @throws UsageError naming both limits.
 */
export function checkUnrolling(node: Node, steps: number, nodes: number): void {
  if (steps <= MAX_STEPS && steps * nodes <= MAX_NODES) return
  const where = node.name || node.outputs.find((output) => output !== '')
  throw new UsageError(
    `${operatorOf(node)} (node "${where}") takes ${steps} steps of ${nodes} nodes; its gradient is made for up to ${MAX_STEPS} steps and ${MAX_NODES} nodes in all; export the model for fewer steps, such as rows of smaller images`,
  )
}
