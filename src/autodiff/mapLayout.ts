import { operatorOf } from '../onnx/attributes.js'
import type { Node } from '../onnx/graph.js'
import type { GradientBuilder } from './gradientBuilder.js'
import { affine, isFeatureMap, isGate, overPixels } from './rules/featureMaps.js'

/**
 * Writes the forward pass into an empty builder so that its maps stay in the layout of convolutions (featureMaps.ts) though
 * the gradient reads them, too.
 */
export function addInMapLayout(forward: readonly Node[], b: GradientBuilder): void {
  b.nodes.length = 0
  for (const node of forward) b.nodes.push({ ...node, inputs: inputsOf(node, b) })
}

/** HardSwish is fused with the Conv in front of it, if nothing else reads that; gates are multiplied pixel by pixel. */
function inputsOf(node: Node, b: GradientBuilder): readonly string[] {
  const { inputs, outputs } = node
  const [first] = inputs
  if (operatorOf(node) === 'HardSwish' && isFeatureMap(first, b)) return [affine(first, 1, 0, first, b)]
  if (operatorOf(node) !== 'Mul') return inputs
  return inputs.map((name) => (isGate(name, outputs[0], b) ? overPixels(name, outputs[0], b) : name))
}
