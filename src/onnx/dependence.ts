import type { GraphProto } from 'onnx-buf'
import { describe } from './attributes.js'
import { nodesOf } from './codec.js'
import type { Node } from './graph.js'
import { bodies, reads } from './subgraphs.js'

/** Operators whose output tells an input's shape, or that it is there, and nothing of what is in it. */
export const SHAPE_ONLY: ReadonlySet<string> = new Set(['OptionalHasElement', 'Shape', 'Size'])

/** Operators whose output differs from run to run, though no input does. */
export const RANDOM: ReadonlySet<string> = new Set([
  'Bernoulli',
  'Multinomial',
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
])

type Test = (name: string) => boolean
type Draws = (node: Node) => boolean

/** Whether a node may draw by itself. Of a Dropout that is told whether to train, nobody knows here what it is told. */
export function mayDraw({ op, inputs }: Node): boolean {
  return RANDOM.has(op) || (op === 'Dropout' && (inputs[2] ?? '') !== '')
}

/**
 * The values that depend on `seeds`, on what `outside` tells of, or on what is drawn: nodes in topological order, seeds included.
 *
 * @param draws which nodes draw, in bodies, too
 */
export function dependents(
  nodes: readonly Node[],
  seeds: Iterable<string>,
  outside: Test = () => false,
  draws: Draws = mayDraw,
): Set<string> {
  const found = new Set(seeds)
  const isDependent = (name: string): boolean => found.has(name) || outside(name)
  for (const node of nodes) {
    const touched = contents(node).some(isDependent)
    if (touched || drawsWithin(node, draws))
      node.outputs.forEach((output, place) => {
        if (output !== '' && isDependentOutput(node, isDependent, draws)(place)) found.add(output)
      })
  }
  return found
}

/** What a node reads of which it passes more on than shape and type. */
function contents(node: Node): readonly string[] {
  if (SHAPE_ONLY.has(node.op)) return []
  return node.op === 'CastLike' ? node.inputs.slice(0, 1) : reads(node)
}

function drawsWithin(node: Node, draws: Draws): boolean {
  if (draws(node)) return true
  return bodies(node.attributes.values()).some((body) =>
    nodesOf(body, describe(node)).some((inner) => drawsWithin(inner, draws)),
  )
}

/** Which outputs of a node depend on what it reads: of a Loop not its counter. */
function isDependentOutput(node: Node, isDependent: Test, draws: Draws): (place: number) => boolean {
  const own = bodies(node.attributes.values())
  if (node.op === 'If' && !isDependent(node.inputs[0])) {
    const branches = own.map((body) => dependentOutputs(node, body, [], isDependent, draws))
    return (place) => branches.some((places) => places.has(place))
  }
  if (node.op === 'Loop') {
    const places = dependentOutputsOfLoop(node, isDependent, draws)
    return (place) => places.has(0) || places.has(place + 1)
  }
  return () => true
}

/**
 * Outputs of a Loop's body that depend on what `isDependent` tells of, or on what is drawn: 0 is the condition, and then nobody
 * knows how often it runs. What depends is carried from step to step, so it spreads until nothing is added.
 */
export function dependentOutputsOfLoop(node: Node, isDependent: Test, draws: Draws = mayDraw): ReadonlySet<number> {
  const [body] = bodies(node.attributes.values())
  if (node.inputs.slice(0, 2).some((name) => name !== '' && isDependent(name))) return new Set([0])
  const carried = (place: number): string => body.input[place + 1].name
  let seeds = new Set(
    node.inputs.flatMap((name, place) => (place > 1 && isDependent(name) ? [carried(place - 1)] : [])),
  )
  for (;;) {
    const places = dependentOutputs(node, body, seeds, isDependent, draws)
    const count = node.inputs.length - 2
    const next = new Set([...seeds, ...[...places].filter((place) => place > 0 && place <= count).map(carried)])
    if (next.size === seeds.size) return places
    seeds = next
  }
}

function dependentOutputs(
  node: Node,
  body: GraphProto,
  seeds: Iterable<string>,
  outside: Test,
  draws: Draws,
): ReadonlySet<number> {
  const own = new Set([...body.input, ...body.initializer].map(({ name }) => name))
  const nodes = nodesOf(body, describe(node))
  for (const inner of nodes) for (const output of inner.outputs) own.add(output)
  const outward = (name: string): boolean => !own.has(name) && outside(name)
  const found = dependents(nodes, seeds, outward, draws)
  return new Set(body.output.flatMap(({ name }, place) => (found.has(name) || outward(name) ? [place] : [])))
}
