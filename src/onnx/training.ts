import { tensorAttribute } from './attributes.js'
import type { Graph, Node } from './graph.js'

type Scope = Pick<Graph, 'nodes' | 'constants'>

/**
 * Whether a Dropout draws: it is told to train, or by what nobody knows before the graph has run, and does not keep everything.
 *
 * @param scope where its inputs are made, of the canonical opset
 */
export function trains({ op, domain, inputs }: Node, scope: Scope): boolean {
  const [, ratio = '', training = ''] = inputs
  if (op !== 'Dropout' || domain !== '' || training === '') return false
  return numberOf(training, scope) !== 0 && (ratio === '' || numberOf(ratio, scope) !== 0)
}

/** What hands the number on that it gets. */
const PASSING: ReadonlySet<string> = new Set(['Cast', 'CastLike', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze'])

/** A number that constants make, as exporters do; undefined for everything else. */
function numberOf(name: string, scope: Scope): number | undefined {
  const constant = scope.constants.get(name)
  if (constant) return Number(constant.data[0])
  const node = scope.nodes.find(({ outputs }) => outputs.includes(name))
  if (node?.domain !== '') return undefined
  if (PASSING.has(node.op)) return numberOf(node.inputs[0], scope)
  // In a body constants are nodes.
  if (node.op === 'Constant') return Number(tensorAttribute(node, 'value')?.data[0])
  const opposite = node.op === 'Not' ? numberOf(node.inputs[0], scope) : undefined
  return opposite === undefined ? undefined : Number(opposite === 0)
}
