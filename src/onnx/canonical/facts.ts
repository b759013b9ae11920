import { intAttribute, tensorAttribute } from '../attributes.js'
import { SHAPE_ONLY } from '../dependence.js'
import type { ElementType, Graph, Node, Tensor } from '../graph.js'
import { reads } from '../subgraphs.js'
import { elementType } from '../tensor.js'

/**
 * What is plain about values before anything ran: enough to choose the type of a new constant, and to see that a
 * Softmax works on a matrix. No shape inference: what is not plain stays unknown.
 */
export interface Facts {
  readonly dependsOnInput: (name: string) => boolean
  readonly rankOf: (name: string) => number | undefined
  readonly floatTypeOf: (name: string) => ElementType
  /** Takes note of a node's outputs; nodes come in topological order. */
  readonly learn: (node: Node) => void
}

const FLOATING: ReadonlySet<ElementType | undefined> = new Set(['float32', 'float64', 'float16', 'bfloat16'])
const MATRIX = new Set(['Gemm', 'Flatten'])
const SAME_RANK = new Set(
  (
    'Relu LeakyRelu PRelu Elu Selu Sigmoid Tanh HardSigmoid HardSwish Softplus Softsign Clip Exp Log Sqrt Erf Neg Abs Cast ' +
    'Softmax LogSoftmax Identity Dropout BatchNormalization InstanceNormalization LRN Conv MaxPool AveragePool ' +
    'GlobalAveragePool GlobalMaxPool Pad Transpose Concat'
  ).split(' '),
)
const BROADCAST = new Set(['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Sum', 'Max', 'Min', 'Where'])

export function createFacts(graph: Graph, constants: ReadonlyMap<string, Tensor>): Facts {
  const ranks = new Map<string, number | undefined>()
  const types = new Map<string, ElementType | undefined>()
  const dependent = new Set(graph.inputs.map(({ name }) => name))
  for (const { name, type, dims } of [...graph.outputs, ...graph.inputs]) {
    ranks.set(name, dims?.length)
    types.set(name, type)
  }
  const rankOf = (name: string): number | undefined => constants.get(name)?.dims.length ?? ranks.get(name)
  const typeOf = (name: string): ElementType | undefined => constants.get(name)?.type ?? types.get(name)

  const learn = (node: Node): void => {
    const [output] = node.outputs
    if (!SHAPE_ONLY.has(node.op) && reads(node).some((name) => dependent.has(name)))
      for (const name of node.outputs) if (name !== '') dependent.add(name)
    if (node.domain !== '' || output === undefined) return
    ranks.set(output, ranks.get(output) ?? outputRank(node, rankOf, constants))
    types.set(output, types.get(output) ?? outputType(node, typeOf))
  }
  const floatTypeOf = (name: string): ElementType => {
    const type = typeOf(name)
    return type !== undefined && FLOATING.has(type) ? type : 'float32'
  }
  return { dependsOnInput: (name) => dependent.has(name), rankOf, floatTypeOf, learn }
}

function outputRank(
  node: Node,
  rankOf: (name: string) => number | undefined,
  constants: ReadonlyMap<string, Tensor>,
): number | undefined {
  if (MATRIX.has(node.op)) return 2
  if (SAME_RANK.has(node.op)) return rankOf(node.inputs[0])
  if (node.op === 'Constant') return tensorAttribute(node, 'value')?.dims.length
  if (node.op === 'Reshape') return constants.get(node.inputs[1])?.data.length
  const ranks = node.inputs.map(rankOf)
  const known = ranks.filter((rank) => rank !== undefined)
  if (known.length < ranks.length) return undefined
  if (BROADCAST.has(node.op)) return Math.max(...known)
  if (node.op === 'MatMul' && known.every((rank) => rank >= 2)) return Math.max(...known)
  return undefined
}

function outputType(node: Node, typeOf: (name: string) => ElementType | undefined): ElementType | undefined {
  if (node.op === 'Cast') return elementType(intAttribute(node, 'to', 0))
  const types = node.inputs.map(typeOf)
  // Most operators keep the type of their data; conditions and indices are not floating.
  return types.find((type) => FLOATING.has(type)) ?? types[0]
}
