import type { Graph, Node } from '../onnx/graph.js'
import type { Observation, ObservedValue } from '../onnx/observe.js'
import type { GradientBuilder } from './gradientBuilder.js'
import { gradientBuilder } from './reverse.js'

interface Seen {
  readonly graph: Graph
  readonly observation: Observation
}

/**
 * Products with vectors become products with matrices of one row or column. Optimising, onnxruntime 1.30 takes Transpose(x)·v
 * for x·v, and whoever opens a gradient model opens it so; and one form of MatMul has one rule.
 *
 * @returns the graph, and what is to be known of the values that are new in it.
 */
export function matrixProducts({ graph, observation }: Seen): Seen {
  const isVector = (name: string): boolean =>
    (observation.get(name)?.dims ?? graph.constants.get(name)?.dims)?.length === 1
  const isDue = ({ op, domain, inputs }: Node): boolean => op === 'MatMul' && domain === '' && inputs.some(isVector)
  if (!graph.nodes.some(isDue)) return { graph, observation }
  const b = gradientBuilder(graph, observation, 'matrices')
  b.nodes.length = 0
  const known = new Map(observation)
  for (const node of graph.nodes) {
    if (!isDue(node)) {
      b.nodes.push(node)
      continue
    }
    const [y] = node.outputs
    const isRow = isVector(node.inputs[0])
    const isColumn = isVector(node.inputs[1])
    const operands = node.inputs.map((name, place) => (isVector(name) ? asMatrix(name, place, b, known) : name))
    const product = b.add('MatMul', operands)
    b.addNamed(y, 'Squeeze', [product, b.ints([...(isRow ? [-2] : []), ...(isColumn ? [-1] : [])])])
    const { type, dims, batchAxis } = b.observed(y)
    const columns = isColumn ? [1] : dims.slice(-1)
    const front = dims.slice(0, dims.length - (isColumn ? 0 : 1))
    const isBehind = isRow && batchAxis !== undefined && batchAxis === front.length
    known.set(product, {
      type,
      dims: [...front, ...(isRow ? [1] : []), ...columns],
      batchAxis: isBehind ? batchAxis + 1 : batchAxis,
    })
  }
  return { graph: b.build(graph, graph), observation: known }
}

/** The left operand of a product, place 0, as a row, the right one as a column. */
function asMatrix(vector: string, place: number, b: GradientBuilder, known: Map<string, ObservedValue>): string {
  const { type, dims, batchAxis } = b.observed(vector)
  const wide = place === 0 ? [1, ...dims] : [...dims, 1]
  const weight = b.constantOf(vector)
  if (weight) return b.constant(type, wide, weight.data)
  const matrix = b.add('Unsqueeze', [vector, b.ints([place])])
  known.set(matrix, { type, dims: wide, batchAxis: batchAxis === 0 && place === 0 ? 1 : batchAxis })
  return matrix
}
