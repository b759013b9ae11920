import type { Graph } from '../onnx/graph.js'
import type { Observation } from '../onnx/observe.js'
import { fuseTransposes } from './fuseTransposes.js'
import { separateBiases } from './separateBiases.js'

/**
 * A gradient graph as onnxruntime runs it fastest: no longer in ordinary operators alone, and of use nowhere else.
 *
 * @param observation of the model that the gradient is of.
 */
export function forOnnxruntime(graph: Graph, observation: Observation): Graph {
  const rankOf = (name: string): number | undefined =>
    observation.get(name)?.dims.length ?? graph.constants.get(name)?.dims.length
  const fused = fuseTransposes(graph, (name) => observation.get(name)?.type === 'float32', rankOf)
  return separateBiases(fused, rankOf)
}
