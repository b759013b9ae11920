import { operatorOf } from '../onnx/attributes.js'
import { canonicalise } from '../onnx/canonical.js'
import { constantValue } from '../onnx/canonical/constantValue.js'
import { decodeModel } from '../onnx/codec.js'
import type { Graph, Node, Tensor, ValueInfo } from '../onnx/graph.js'
import { classOutput } from './classOutput.js'
import { gradientKind } from './gradientKind.js'
import type { InspectedValue, Inspection } from './inspection.js'
import { nodesOnTheWay } from './onTheWay.js'
import { imageInput, named } from './surrogate.js'
import type { ModelSource } from './surrogate.js'
import { truncationsByName } from './truncation.js'
import { UsageError } from '../errors.js'

/**
 * Tells what a model is made of and, by the names of its operators, whether its gradient can be made; nothing is run.
 *
 * @throws UsageError when the file is no ONNX model of opset 7 to 24.
 */
export async function inspectModel(model: ModelSource): Promise<Inspection> {
  const original = decodeModel(model.bytes, model)
  return named(model.name, async () => {
    const canonical = canonicalise(original)
    const operators = countOperators(canonical)
    const inputProblems = problemOf(() => imageInput(original))
    const missing = missingRules(operators)
    return {
      name: model.name,
      bytes: model.bytes.byteLength,
      opsets: Object.fromEntries(original.opsets),
      inputs: original.inputs.map(shown),
      outputs: original.outputs.map(shown),
      ...(original.outputs.length > 1 && { scores: classOutput(original).name }),
      parameters: constantsOf(original).reduce((total, tensor) => total + elements(tensor), 0),
      operators,
      attackable: inputProblems.length > 0 ? 'no' : missing.length > 0 ? 'without-gradients' : 'yes',
      problems: [...inputProblems, ...missing],
    }
  })
}

function shown({ name, type, dims }: ValueInfo): InspectedValue {
  return { name, type: type ?? 'unknown', dims: dims?.map((size) => size ?? '?') }
}

/** Initializers, and what some exporters write as nodes in their place. */
function constantsOf({ constants, nodes }: Graph): readonly Tensor[] {
  const written = nodes.filter(({ op, domain }) => op === 'Constant' && domain === '')
  return [...constants.values(), ...written.flatMap((node) => constantValue(node) ?? [])]
}

function elements({ type, data }: Tensor): number {
  return type === 'float32' ||
    type === 'float64' ||
    type === 'float16' ||
    type === 'bfloat16' ||
    type.endsWith('int8') ||
    type.endsWith('int4')
    ? data.length
    : 0
}

type Kind = ReturnType<typeof gradientKind>

/** Operators between the input and the outputs: what only computes a constant needs no gradient. */
function countOperators(graph: Graph): Inspection['operators'] {
  const groups = new Map<string, Node[]>()
  const found = nodesOnTheWay(graph)
  const isTruncation = truncationsByName(found)
  const kindOf = (node: Node): Kind => (isTruncation(node) ? 'straight-through' : gradientKind(node))
  for (const node of found) {
    const operator = operatorOf(node)
    groups.set(operator, [...(groups.get(operator) ?? []), node])
  }
  return [...groups]
    .map(([operator, nodes]) => {
      const gradient = kindOf(nodes.find((node) => kindOf(node) === 'straight-through') ?? nodes[0])
      const where = nodes.slice(0, 3).map((node) => node.name || node.outputs[0])
      return { operator, count: nodes.length, gradient, ...(gradient === 'missing' && { nodes: where }) }
    })
    .toSorted((a, b) => b.count - a.count || (a.operator < b.operator ? -1 : 1))
}

function missingRules(operators: Inspection['operators']): string[] {
  return operators
    .filter(({ gradient }) => gradient === 'missing')
    .map(
      ({ operator, nodes }) =>
        `operator ${operator} (node "${nodes?.[0] ?? '?'}") has no gradient rule; export the model without it, or ask for the operator in an issue`,
    )
}

function problemOf(check: () => unknown): string[] {
  try {
    check()
    return []
  } catch (error) {
    if (error instanceof UsageError) return [error.message]
    throw error
  }
}
