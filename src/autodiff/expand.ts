import { operatorOf } from '../onnx/attributes.js'
import { prune } from '../onnx/canonical/cleanup.js'
import { withoutBlanks } from '../onnx/edit.js'
import { dependentValues } from '../onnx/fold.js'
import type { Graph, Node, RunModel } from '../onnx/graph.js'
import { CLOSE, settle } from '../onnx/settle.js'
import type { Samples, Scrutiny, Settled, SettledByRunning } from '../onnx/settle.js'
import { reads, renameReads } from '../onnx/subgraphs.js'
import { STEPS_TOLERANCE } from './checkOriginal.js'
import type { Expansion } from './expansion.js'
import { EXPANSIONS, KEEPING_TYPES } from './expansions/index.js'
import { fuseGelu } from './fuseGelu.js'
import { joinPieces } from './joinPieces.js'
import { matrixProducts } from './matrixProducts.js'
import { onReals } from './reals.js'
import { gradientBuilder, refuseMissingRules } from './reverse.js'
import { isStraightThrough } from './rule.js'
import type { Marked } from './rule.js'
import { RULES } from './rules/index.js'
import { truncation, truncations } from './truncation.js'

/** Expansions within expansions. A quantised convolution takes three, a loop in a loop two more; more is a circle. */
const MAX_DEPTH = 12

/** Of a graph that is going to be settled again. */
const IN_PASSING: Scrutiny = { tolerance: STEPS_TOLERANCE, images: 2, folded: 2 ** 16 }

export interface Expanded extends Settled {
  /** Operators of the model, in bodies too, each once, that pass a gradient where the mathematics gives none. */
  readonly straightThrough: readonly string[]
  /** What it was seen to give (see SettledByRunning); undefined where it was changed since. */
  readonly answer?: SettledByRunning['answer']
}

/**
 * Settles a graph and replaces, on the way from its input to its outputs, every operator that is differentiated as a
 * composition of others, until none is left.
 *
 * @throws UsageError naming an operator that has no rule.
 */
export async function settleExpanded(
  graph: Graph,
  declared: number | undefined,
  samples: Samples,
  run: RunModel,
): Promise<Expanded> {
  refuseMissingRules(graph)
  let scrutiny = CLOSE
  const settleNext = (next: Graph, batch: number | undefined): Promise<SettledByRunning> => {
    const mayBeLifted = batch === undefined || batch === 1
    scrutiny = mayBeLifted && hasSteps(next) ? IN_PASSING : CLOSE
    return settle(next, batch, samples, run, scrutiny)
  }
  let settled = await settleNext(withoutBlanks(graph), declared)
  let depth = 0
  const expandAll = async (isDue: (node: Node) => boolean): Promise<void> => {
    for (;;) {
      const expanded = expandOnce(settled, depth, isDue)
      if (expanded === undefined) return
      if (++depth > MAX_DEPTH)
        throw new Error(`operators are still expanded after ${MAX_DEPTH} rounds: two of them expand into each other`)
      settled = await settleNext(expanded, ownBatch(settled))
    }
  }
  // What stands in bodies is seen when it is written out, and what the model has before it is expanded itself.
  await expandAll((node) => KEEPING_TYPES.has(operatorOf(node)))
  const straightThrough = straightThroughOperators(settled)
  await expandAll(() => true)
  // Steps that no gradient leads to are still there.
  if (scrutiny !== CLOSE) settled = await settle(settled.graph, ownBatch(settled), samples, run)
  const { observation } = settled
  const last = matrixProducts(joinPieces(fuseGelu(settled.graph, observation), observation))
  const answer = last.graph === settled.graph ? settled.answer : undefined
  return { ...settled, ...last, straightThrough, answer }
}

function ownBatch({ batch }: Settled): number | undefined {
  return batch === 'free' ? undefined : batch
}

/**
 * Whether steps that depend on the images are still to be written out. The sums of one image and of several, in another order,
 * fall on two sides of a step now and then. That is no cause to lift a batch which runs as it is, with weights that may take
 * seconds to open: images are kept apart to the last places where it counts, in the graph that has its steps written out.
 */
function hasSteps(graph: Graph): boolean {
  const dependent = dependentValues(graph)
  return graph.nodes.some(
    (node) =>
      isStraightThrough(node, EXPANSIONS.get(operatorOf(node))) && reads(node).some((name) => dependent.has(name)),
  )
}

function straightThroughOperators({ graph, observation }: Settled): readonly string[] {
  const { isActive } = gradientBuilder(graph, observation)
  const isTruncation = truncations(graph.nodes, (name) => observation.get(name)?.type)
  const isSteppy = (node: Node): boolean => {
    const marked: Marked | undefined = EXPANSIONS.get(operatorOf(node)) ?? RULES.get(operatorOf(node))
    return isTruncation(node) || (node.outputs.some(isActive) && isStraightThrough(node, marked))
  }
  const used = graph.nodes.filter((node) => node.inputs.some(isActive) && isSteppy(node)).map(operatorOf)
  return [...new Set(used)]
}

function expandOnce({ graph, observation }: Settled, depth: number, isDue: (node: Node) => boolean): Graph | undefined {
  const b = gradientBuilder(graph, observation, `expanded${depth === 0 ? '' : depth}`)
  const isTruncation = truncations(graph.nodes, (name) => observation.get(name)?.type)
  const expansionOf = (node: Node): Expansion | undefined => {
    if (!isDue(node) || !reads(node).some(b.isActive)) return undefined
    return isTruncation(node) ? truncation : EXPANSIONS.get(operatorOf(node))
  }
  if (!graph.nodes.some(expansionOf)) return undefined
  const renamed = new Map<string, string>()
  const current = (name: string): string => renamed.get(name) ?? name
  b.nodes.length = 0
  for (const node of graph.nodes) {
    const here = renamed.size === 0 ? node : renameReads(node, current)
    const expand = expansionOf(node)
    if (expand === undefined) b.nodes.push(onReals(node, here, b))
    else
      expand(here, b).forEach((value, place) => {
        if (!node.outputs[place]) return
        renamed.set(node.outputs[place], value)
        b.replace(node.outputs[place], value)
      })
  }
  for (const { name } of graph.outputs) {
    const value = renamed.get(name)
    if (value !== undefined) b.addNamed(name, 'Identity', [value])
  }
  // Of no type: where the model gives whole numbers, the surrogate gives floats.
  return prune(b.build(graph, { outputs: graph.outputs.map(({ name, dims }) => ({ name, dims })) }))
}
