import { UsageError } from '../errors.js'
import { describe, intAttribute, operatorOf } from '../onnx/attributes.js'
import { SCAN_OF_BATCHES } from '../onnx/canonical/shapes.js'
import type { Graph, Node } from '../onnx/graph.js'
import type { Observation } from '../onnx/observe.js'
import { reads } from '../onnx/subgraphs.js'
import { dataTypeName, elementType } from '../onnx/tensor.js'
import { EXPANSIONS, KEEPING_TYPES } from './expansions/index.js'
import { GradientBuilder } from './gradientBuilder.js'
import { affine, isFeatureMap } from './rules/featureMaps.js'
import { sumOfPhases } from './rules/phases.js'
import { RULES, WITHOUT_GRADIENT } from './rules/index.js'

const DIFFERENTIABLE_TYPES: ReadonlySet<string> = new Set(['float16', 'bfloat16', 'float32', 'float64'])

/**
 * Prepares reverse mode for a graph: which values lie on a path from its input along which something flows. Whole numbers
 * carry nothing, unless an operator with an expansion made them: those of a quantised model stand for real ones.
 *
 * @param graph canonical, with one input.
 * @param observation shapes and types of every value (see `observe.ts`).
 */
export function gradientBuilder(graph: Graph, observation: Observation, prefix?: string): GradientBuilder {
  const active = new Set(graph.inputs.map((input) => input.name))
  // A sequence is not observed: what flows into it may flow out of it.
  const isFloat = (name: string): boolean => {
    const observed = observation.get(name)
    return observed === undefined || DIFFERENTIABLE_TYPES.has(observed.type)
  }
  for (const node of graph.nodes) {
    const sources = reads(node).filter((name) => active.has(name))
    if (WITHOUT_GRADIENT.has(operatorOf(node)) || sources.length === 0) continue
    const simulated = EXPANSIONS.has(operatorOf(node)) && !KEEPING_TYPES.has(operatorOf(node))
    const standsForReals = simulated || sources.some((input) => !isFloat(input))
    for (const output of node.outputs) if (output !== '' && (standsForReals || isFloat(output))) active.add(output)
  }
  return new GradientBuilder(graph, observation, active, prefix)
}

/** Of the types in which gradients flow. */
export const FLOATING_CODES: ReadonlySet<number> = new Set([1, 10, 11, 16])

/**
 * Refuses a graph with an operator that has no rule, before anything is run: onnxruntime may have no kernel for it either.
 *
 * @throws UsageError naming the first such operator between input and outputs.
 */
export function refuseMissingRules(graph: Graph): void {
  const reached = new Set(graph.inputs.map((input) => input.name))
  for (const node of graph.nodes) {
    const operator = operatorOf(node)
    if (!reads(node).some((name) => reached.has(name)) || WITHOUT_GRADIENT.has(operator)) continue
    refuseTypesNotHeld(node)
    if (operator === 'Cast' && !FLOATING_CODES.has(intAttribute(node, 'to', 1))) continue
    if (!RULES.has(operator) && !EXPANSIONS.has(operator)) throw new UsageError(missingRule(node))
    for (const output of node.outputs) reached.add(output)
  }
}

/** @throws UsageError for what gives numbers of a type that nothing here holds, such as float8. */
function refuseTypesNotHeld(node: Node): void {
  const code = intAttribute(node, 'to', 0) || intAttribute(node, 'output_dtype', 0)
  if (code !== 0 && elementType(code) === undefined)
    throw new UsageError(
      `${describe(node)} gives ${dataTypeName(code)}, which has no gradient rule; export the model with int8 or float16 in its place`,
    )
}

/**
 * Reverse mode: walks the nodes of the forward pass backwards, hands each the gradient of its outputs and collects those
 * of its inputs, from `output` to `input` and nowhere else.
 *
 * @param forward the nodes to walk, in topological order; the builder may hold more by now.
 * @param seed name of d loss / d `output`, in the shape of `output`.
 * @returns name of d loss / d `input`.
 * @throws UsageError naming an operator that has no rule.
 */
export function reverse(
  forward: readonly Node[],
  { output, seed, input }: { readonly output: string; readonly seed: string; readonly input: string },
  b: GradientBuilder,
): string {
  const contributions = new Map<string, string[]>([[output, [seed]]])
  for (const node of forward.toReversed()) {
    if (!reads(node).some(b.isActive)) continue
    const gradients = node.outputs.map((name) => total(name, contributions.get(name), b))
    if (gradients.every((gradient) => gradient === undefined)) continue
    applyRule(node, gradients, b).forEach((gradient, place) => {
      const name = node.inputs[place]
      if (gradient === undefined || !b.isActive(name)) return
      contributions.set(name, [...(contributions.get(name) ?? []), gradient])
    })
  }
  const result = total(input, contributions.get(input), b)
  if (result === undefined)
    throw new UsageError(
      'no gradient reaches the input: every path from it to the logits passes an operator without one',
    )
  return result
}

function applyRule(
  node: Node,
  gradients: readonly (string | undefined)[],
  b: GradientBuilder,
): readonly (string | undefined)[] {
  const rule = RULES.get(operatorOf(node))
  if (rule === undefined) throw new UsageError(missingRule(node))
  return rule(node, gradients, b)
}

/** One line: which operator, where, what to do. */
export function missingRule(node: Node): string {
  const where = node.name || node.outputs[0]
  return `operator ${operatorOf(node)} (node "${where}") has no gradient rule; ${wayOut(node)}`
}

const FIXED_REGIONS = 'export the model with fixed regions, for opset 21 at most, the last at which onnxruntime runs it'

/** What onnxruntime has no kernel for since opset 22, and what is written out where a model is older. */
const RUN_UNTIL_21: Readonly<Record<string, string>> = {
  GlobalLpPool: 'export the model for opset 21, the last at which onnxruntime runs it',
  MaxRoiPool: FIXED_REGIONS,
  RoiAlign: FIXED_REGIONS,
}

/** At its highest level onnxruntime lays tensors out for one kind of processor: such a model is not meant to leave it. */
function wayOut({ op, domain }: Node): string {
  if (domain === '' && Object.hasOwn(RUN_UNTIL_21, op)) return RUN_UNTIL_21[op]
  if (op === SCAN_OF_BATCHES) return 'export the model for opset 9 or newer'
  const isLaidOut = domain === 'com.microsoft.nchwc' || op.startsWith('Nhwc')
  return isLaidOut
    ? 'use the model as it was exported, or save it with graph optimisations at ORT_ENABLE_EXTENDED or below'
    : 'export the model without it, or ask for the operator in an issue'
}

/**
 * Where a value is read several times its gradients add up: phase by phase, if that is how they can be made. Else those that
 * a ConvTranspose made get into the layout of the others by a Conv that does nothing else, and onnxruntime makes the sum a
 * part of it.
 */
function total(name: string, gradients: readonly string[] | undefined, b: GradientBuilder): string | undefined {
  if (gradients === undefined || gradients.length < 2) return gradients?.[0]
  const isSpread = (gradient: string): boolean =>
    b.nodes.findLast(({ outputs }) => outputs[0] === gradient)?.op === 'ConvTranspose'
  if (!isFeatureMap(name, b)) return b.add('Sum', gradients)
  const whole = sumOfPhases(b, gradients)
  if (whole !== undefined) return affine(whole, 1, 0, name, b)
  return b.add(
    'Sum',
    gradients.map((gradient) => (isSpread(gradient) ? affine(gradient, 1, 0, name, b) : gradient)),
  )
}
