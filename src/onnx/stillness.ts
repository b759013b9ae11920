import { GraphProtoSchema } from 'onnx-buf'
import type { GraphProto } from 'onnx-buf'
import { GraphBuilder } from './builder.js'
import { prune } from './canonical/cleanup.js'
import { chanceOperators, drawsByChance } from './chance.js'
import { nodesOf, writeNode } from './codec.js'
import { dependents, RANDOM } from './dependence.js'
import type { Graph, Node } from './graph.js'
import { isNewer, OLDER_OPSET, rewrittenForOlderOpset } from './olderOpset.js'
import { changed } from './proto.js'
import { addStandIn } from './standIns.js'
import type { StandIn } from './standIns.js'
import { bodies, mapBodies, namesWithin } from './subgraphs.js'
import { scopeOf, scopeOfBody } from './training.js'
import type { Scope } from './training.js'

/**
 * A canonical graph without its noise, and the way to put it back. What a model does cannot be observed, nor compared with
 * the original, while it gives other numbers in every run; so everything is settled in stillness, and the noise goes back
 * into the gradient's graph, where each run draws anew: averaged, such gradients are those of the expected loss (EOT,
 * Athalye et al. 2018).
 */
export interface Stillness {
  readonly graph: Graph
  /** What draws numbers; empty in most models. */
  readonly operators: readonly string[]
  /**
   * Values that are drawn in a shape that is not made from the images', such as noise on weights: one draw for all of them. Of a
   * body that is still one nobody knows, so what is drawn in it counts.
   *
   * @param made of this graph
   */
  readonly ofOneShape: (made: Graph) => readonly string[]
  /** Puts the noise back into a graph that was made of this one and kept the names of what noise makes. */
  readonly restore: (made: Graph) => Restored
}

export interface Restored {
  readonly graph: Graph
  /** Not where there is no noise to put back, or where onnxruntime would not run it: then the graph is the one that was given. */
  readonly draws: boolean
}

export function stillness(graph: Graph): Stillness {
  const operators = chanceOperators(graph)
  if (operators.length === 0) return { graph, operators, ofOneShape: () => [], restore: quiet }
  const inBodies = graph.nodes.flatMap(({ attributes }) => bodies(attributes.values()).flatMap(namesWithin))
  // What is added around a body must not be called as something in it, which would hide it.
  const taken = [...graph.inputs, ...inBodies.map((name) => ({ name }))]
  const b = new GraphBuilder({ ...graph, nodes: [], inputs: taken }, 'chance')
  const standIns: StandIn[] = []
  const stilled = (nodes: readonly Node[], scope: Scope): readonly Node[] => {
    const start = b.nodes.length
    for (const node of nodes) {
      const standIn = drawsByChance(node, scope) ? addStandIn(node, scope, b) : undefined
      if (standIn) standIns.push(standIn)
      else
        b.nodes.push(
          ...rewrittenForOlderOpset(
            withBodies(node, (inner, body) => stilled(inner, scopeOfBody(body, inner, scope))),
            b,
          ),
        )
    }
    return b.nodes.splice(start)
  }
  const nodes = stilled(graph.nodes, scopeOf(graph))
  const marks = standIns.map(({ mark }) => mark)
  const still = { ...b.build(graph, { outputs: graph.outputs }), nodes: [...marks, ...nodes] }
  const byMark = new Map(standIns.map((standIn) => [standIn.mark.outputs[0], standIn]))
  return {
    graph: { ...prune(still), unfolded: new Set(byMark.keys()) },
    operators,
    ofOneShape: (made) => ofOneShape(made, byMark),
    restore: (made) => restored(made, byMark),
  }
}

type ByMark = ReadonlyMap<string, StandIn>

function quiet(graph: Graph): Restored {
  return { graph, draws: false }
}

function ofOneShape({ nodes, inputs }: Graph, byMark: ByMark): readonly string[] {
  const images = inputs.map(({ name }) => name)
  const ofImages = dependents(nodes, images, undefined, () => false)
  const drawn = ({ inputs: read, outputs, attributes }: Node): readonly string[] => {
    const inside = bodies(attributes.values()).flatMap((body) => nodesOf(body, body.name).flatMap(drawn))
    return read.some((name) => byMark.has(name)) ? [...inside, outputs[0]] : inside
  }
  return nodes.flatMap(drawn).filter((name) => !ofImages.has(name))
}

function restored(made: Graph, byMark: ByMark): Restored {
  // Where they are not written out, since nothing of the image goes through them. The gradient is that without noise, then.
  if (made.nodes.some(isNewer)) return quiet(made)
  const copies = new Map<StandIn, number>()
  const drawn = (node: Node): readonly Node[] => {
    const standIn = node.inputs.map((name) => byMark.get(name)).find((found) => found !== undefined)
    if (standIn === undefined) return [withBodies(node, (inner) => inner.flatMap(drawn))]
    const copy = copies.get(standIn) ?? 0
    copies.set(standIn, copy + 1)
    return standIn.draw(node, copy)
  }
  const nodes = made.nodes.flatMap(drawn)
  const added = [...copies.keys()].flatMap(({ constants }) => [...(constants ?? [])])
  const constants = new Map([...made.constants, ...added])
  const graph = prune({ ...made, nodes, constants, opsets: new Map([...made.opsets, ['', OLDER_OPSET]]) })
  // Noise in a branch that is never taken was not put back.
  return draws(graph.nodes, graph) ? { graph, draws: true } : quiet(made)
}

/** Whether some node draws that may be run. */
function draws(nodes: readonly Node[], { constants }: Pick<Graph, 'constants'>): boolean {
  return nodes.some(({ op, domain, inputs, attributes }) => {
    if (domain === '' && RANDOM.has(op)) return true
    const told = op === 'If' ? constants.get(inputs[0])?.data[0] : undefined
    const never = told === undefined ? '' : told === 0 ? 'then_branch' : 'else_branch'
    const run = [...attributes.values()].filter(({ name }) => name !== never)
    return bodies(run).some((body) => draws(nodesOf(body, body.name), { constants }))
  })
}

function withBodies(node: Node, change: (inner: readonly Node[], body: GraphProto) => readonly Node[]): Node {
  const attributes = mapBodies(node.attributes, (body) =>
    changed(GraphProtoSchema, body, { node: change(nodesOf(body, body.name), body).map(writeNode) }),
  )
  return attributes === node.attributes ? node : { ...node, attributes }
}
