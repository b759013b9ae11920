import type { GraphProto } from 'onnx-buf'
import { describe } from './attributes.js'
import { readNode } from './codec.js'
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

/**
 * The values that depend on `seeds`, or on what `outside` or `draws` tells of: nodes in topological order, seeds included. What
 * is drawn in the body of a node that depends on nothing else is not searched for.
 */
export function dependents(
  nodes: readonly Node[],
  seeds: Iterable<string>,
  outside: Test = () => false,
  draws: Test = (operator) => RANDOM.has(operator),
): Set<string> {
  const found = new Set(seeds)
  const isDependent = (name: string): boolean => found.has(name) || outside(name)
  for (const node of nodes) {
    const touched = !SHAPE_ONLY.has(node.op) && reads(node).some(isDependent)
    if (touched || draws(node.op))
      node.outputs.forEach((output, place) => {
        if (output !== '' && isDependentOutput(node, isDependent)(place)) found.add(output)
      })
  }
  return found
}

/** Which outputs of a node depend on what it reads: of a Loop not its counter. */
function isDependentOutput(node: Node, isDependent: Test): (place: number) => boolean {
  const own = bodies(node.attributes.values())
  if (node.op === 'If' && !isDependent(node.inputs[0])) {
    const branches = own.map((body) => dependentOutputs(node, body, [], isDependent))
    return (place) => branches.some((places) => places.has(place))
  }
  if (node.op === 'Loop') {
    const places = dependentOutputsOfLoop(node, isDependent)
    return (place) => places.has(0) || places.has(place + 1)
  }
  return () => true
}

/**
 * Outputs of a Loop's body that depend on what `isDependent` tells of: 0 is the condition, and then nobody knows how often it
 * runs. What depends is carried from step to step, so it spreads until nothing is added.
 */
export function dependentOutputsOfLoop(node: Node, isDependent: Test): ReadonlySet<number> {
  const [body] = bodies(node.attributes.values())
  if (node.inputs.slice(0, 2).some((name) => name !== '' && isDependent(name))) return new Set([0])
  const carried = (place: number): string => body.input[place + 1].name
  let seeds = new Set(
    node.inputs.flatMap((name, place) => (place > 1 && isDependent(name) ? [carried(place - 1)] : [])),
  )
  for (;;) {
    const places = dependentOutputs(node, body, seeds, isDependent)
    const count = node.inputs.length - 2
    const next = new Set([...seeds, ...[...places].filter((place) => place > 0 && place <= count).map(carried)])
    if (next.size === seeds.size) return places
    seeds = next
  }
}

function dependentOutputs(node: Node, body: GraphProto, seeds: Iterable<string>, outside: Test): ReadonlySet<number> {
  const own = new Set([...body.input, ...body.initializer].map(({ name }) => name))
  const nodes = body.node.map((proto) => readNode(proto, { name: describe(node), external: {} }))
  for (const inner of nodes) for (const output of inner.outputs) own.add(output)
  const outward = (name: string): boolean => !own.has(name) && outside(name)
  const found = dependents(nodes, seeds, outward)
  return new Set(body.output.flatMap(({ name }, place) => (found.has(name) || outward(name) ? [place] : [])))
}
