import { floats, GraphBuilder } from './builder.js'
import { intAttribute, intsAttribute, makeNode } from './attributes.js'
import { prune } from './canonical/cleanup.js'
import { chanceOperators, drawsByChance, middleOf, probabilities } from './chance.js'
import { dependents, RANDOM } from './dependence.js'
import type { ElementType, Graph, Node, Tensor } from './graph.js'
import { isNewer, OLDER_OPSET, rewrittenForOlderOpset } from './olderOpset.js'
import { reads } from './subgraphs.js'
import { elementCount, elementType } from './tensor.js'
import { scopeOf } from './training.js'

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
  /** Values that are drawn in a shape that is not made from the images', such as noise on weights: one draw for all of them. */
  readonly ofOneShape: readonly string[]
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
  if (operators.length === 0) return { graph, operators, ofOneShape: [], restore: quiet }
  const b = new GraphBuilder({ ...graph, nodes: [] }, 'chance')
  const noises: Noise[] = []
  const scope = scopeOf(graph)
  for (const node of graph.nodes) {
    if (!drawsByChance(node, scope)) b.nodes.push(...rewrittenForOlderOpset(node, b))
    else noises.push(...[addStill(node, graph, b)].filter((noise) => noise !== undefined))
  }
  const images = graph.inputs.map(({ name }) => name)
  const ofImages = dependents(b.nodes, images, undefined, () => false)
  const names = noises.map(({ name }) => name)
  const unfolded = new Set([...names, ...noises.map(({ stand }) => stand)])
  return {
    graph: { ...b.build(graph, { outputs: graph.outputs }), unfolded },
    operators,
    ofOneShape: names.filter((name) => !ofImages.has(name)),
    restore: (made) => restored(made, noises),
  }
}

/** What stands in for a value that is drawn, under its name. */
interface Noise {
  readonly name: string
  /** Whose first input, if it has one, is what the noise is like, whatever that is called by then. */
  readonly stand: string
  /** The nodes that draw it. */
  readonly draw: (like: string) => readonly Node[]
  readonly constants?: ReadonlyMap<string, Tensor>
}

function quiet(graph: Graph): Restored {
  return { graph, draws: false }
}

function restored(made: Graph, noises: readonly Noise[]): Restored {
  // Where they are not written out, since nothing of the image goes through them. The gradient is that without noise, then.
  if (made.nodes.some(isNewer)) return quiet(made)
  const byName = new Map(noises.map((noise) => [noise.name, noise]))
  const likes = new Map(made.nodes.map(({ inputs, outputs }) => [outputs[0], inputs[0] ?? '']))
  const nodes = made.nodes.flatMap((node) => {
    const noise = byName.get(node.outputs[0])
    const like = noise && likes.get(noise.stand)
    return noise === undefined || like === undefined ? [node] : noise.draw(like)
  })
  const constants = new Map([...made.constants, ...noises.flatMap((noise) => [...(noise.constants ?? [])])])
  const graph = prune({ ...made, nodes, constants, opsets: new Map([...made.opsets, ['', OLDER_OPSET]]) })
  // Noise in a branch that is never taken was not put back.
  return graph.nodes.some(({ op, domain }) => domain === '' && RANDOM.has(op)) ? { graph, draws: true } : quiet(made)
}

/** Adds what stands in for a node that draws, and says how to draw. */
function addStill(node: Node, graph: Graph, b: GraphBuilder): Noise | undefined {
  const [name] = node.outputs
  switch (node.op) {
    case 'RandomNormalLike':
    case 'RandomUniformLike': {
      const type = elementType(intAttribute(node, 'dtype') ?? 0)
      const stand = addLevel(b, name, { like: node.inputs[0], level: middleOf(node), type })
      return { name, stand, draw: (like) => [{ ...node, inputs: [like] }] }
    }
    case 'Bernoulli':
      b.nodes.push(probabilities(node))
      return { name, stand: name, draw: (like) => [{ ...node, inputs: [like] }] }
    case 'Dropout':
      return addTrainingDropout(node, graph, b)
    case 'RandomNormal':
    case 'RandomUniform': {
      const dims = intsAttribute(node, 'shape', [])
      const type = elementType(intAttribute(node, 'dtype', 1)) ?? 'float32'
      const level = floats(type, new Float64Array(elementCount(dims)).fill(middleOf(node)))
      b.addNamed(name, 'Identity', [b.constant(type, dims, level)])
      return { name, stand: name, draw: () => [node] }
    }
    default:
      b.nodes.push(node)
      return undefined
  }
}

/**
 * One number in every place of `like`, so made that no gradient flows.
 *
 * @returns the name of the value whose node reads `like` first
 */
function addLevel(
  b: GraphBuilder,
  name: string,
  { like, level, type }: { readonly like: string; readonly level: number; readonly type?: ElementType },
): string {
  const number = b.scalar(level, type)
  const nowhere = b.add('IsNaN', [like])
  const everywhere = b.add('Where', [nowhere, number, number])
  b.addNamed(name, 'CastLike', [everywhere, type === undefined ? like : number])
  return nowhere
}

/**
 * Dropout that trains multiplies by what a draw gives: 0, or 1 / (1 − ratio). Written out, its gradient is that of a product.
 * Where its mask is read or its ratio is not constant it is left as it is.
 */
function addTrainingDropout(node: Node, graph: Graph, b: GraphBuilder): Noise | undefined {
  const [x, ratioName = ''] = node.inputs
  const ratio = ratioName === '' ? 0.5 : Number(graph.constants.get(ratioName)?.data[0])
  if (isRead(node.outputs[1], graph) || !(ratio >= 0 && ratio < 1)) {
    b.nodes.push(node)
    return undefined
  }
  const [factor, uniform, isKept, drawn] = ['factor', 'uniform', 'isKept', 'drawn'].map((stem) => b.name(stem))
  const stand = addLevel(b, factor, { like: x, level: 1 })
  b.nodes.push(makeNode('Mul', [x, factor], [node.outputs[0]], {}, node.name))
  const [bound, scale, none] = ['bound', 'scale', 'none'].map((stem) => b.name(stem))
  const numbers = { [bound]: ratio, [scale]: 1 / (1 - ratio), [none]: 0 }
  return {
    name: factor,
    stand,
    draw: (like) => [
      makeNode('RandomUniformLike', [like], [uniform], { dtype: 1 }),
      makeNode('GreaterOrEqual', [uniform, bound], [isKept]),
      makeNode('Where', [isKept, scale, none], [drawn]),
      makeNode('CastLike', [drawn, like], [factor]),
    ],
    constants: new Map(
      Object.entries(numbers).map(([key, value]) => [
        key,
        { type: 'float32', dims: [], data: Float32Array.of(value) } as const,
      ]),
    ),
  }
}

/** PyTorch names the mask of a Dropout that trains, which nobody reads. */
function isRead(name: string | undefined, { nodes, outputs }: Graph): boolean {
  return name !== undefined && (outputs.some((output) => output.name === name) || nodes.flatMap(reads).includes(name))
}
