import { FunctionProtoSchema, GraphProtoSchema } from 'onnx-buf'
import type { AttributeProto, NodeProto } from 'onnx-buf'
import { attribute, floatAttribute, intAttribute, makeNode, operatorOf } from './attributes.js'
import { GraphBuilder } from './builder.js'
import { readNode, writeNode } from './codec.js'
import { RANDOM } from './dependence.js'
import type { Graph, Node, Tensor } from './graph.js'
import { changed } from './proto.js'
import { bodies, mapBodies } from './subgraphs.js'

/**
 * Models that draw numbers. What a model does cannot be observed, nor compared with the original, while it gives other
 * numbers in every run; so the noise is taken out of both, everything is settled, and it is put back into the gradient's
 * graph, where each run draws anew: averaged, such gradients are those of the expected loss (EOT, Athalye et al. 2018).
 */

/** The operators of a graph, bodies included, whose output differs from run to run. */
export function chanceOperators({ nodes, constants }: Graph): readonly string[] {
  const drawing = nodes.flatMap(within).filter((node) => drawsByChance(node, constants))
  return [...new Set(drawing.map(operatorOf))]
}

/**
 * The same model without its noise: normal numbers are their mean, uniform ones the middle between their bounds, Bernoulli
 * gives its probabilities and Dropout all it takes. In a form every opset has, for the original is run like this, too.
 */
export function withoutChance(graph: Graph): Graph {
  const functions = graph.functions?.map((one) =>
    changed(FunctionProtoSchema, one, { node: one.node.map(stilledProto) }),
  )
  return { ...graph, nodes: graph.nodes.map(stilled), functions }
}

/** A canonical graph without its noise, and the way to put it back. */
export interface Stilled {
  readonly graph: Graph
  /** What draws numbers; empty in most models. */
  readonly operators: readonly string[]
  /** Puts the noise back into a graph that was made of this one and kept the names of what noise makes. */
  readonly restore: (made: Graph) => Graph
}

export function stillChance(graph: Graph): Stilled {
  const operators = chanceOperators(graph)
  if (operators.length === 0) return { graph, operators, restore: (made) => made }
  const b = new GraphBuilder({ ...graph, nodes: [] }, 'chance')
  const noise = new Map<string, Noise>()
  for (const node of graph.nodes) {
    const draws = drawsByChance(node, graph.constants)
    const training = draws ? trainingDropout(node, graph, b) : undefined
    if (training) noise.set(training.name, training.noise)
    else if (draws) noise.set(node.outputs[0], { nodes: (inputs) => [{ ...node, inputs }] })
    b.nodes.push(...(training?.still ?? [stilled(node)]))
  }
  const restore = (made: Graph): Graph => {
    const found = made.nodes.map((node) => noise.get(node.outputs[0])?.nodes(node.inputs) ?? [node])
    const constants = [...noise.values()].flatMap((one) => [...(one.constants ?? [])])
    return { ...made, nodes: found.flat(), constants: new Map([...made.constants, ...constants]) }
  }
  return { graph: b.build(graph, { outputs: graph.outputs }), operators, restore }
}

interface Noise {
  /** The nodes that draw, in the place of the one that stands for them; its inputs may have got other names. */
  readonly nodes: (inputs: readonly string[]) => readonly Node[]
  readonly constants?: ReadonlyMap<string, Tensor>
}

/**
 * Dropout that trains multiplies by what a draw gives: 0, or 1 / (1 − ratio). Written out, its gradient is that of a product.
 *
 * @returns undefined for Dropout in any other form
 */
function trainingDropout(
  node: Node,
  { constants }: Graph,
  b: GraphBuilder,
): { readonly name: string; readonly noise: Noise; readonly still: readonly Node[] } | undefined {
  if (node.op !== 'Dropout' || node.outputs[1]) return undefined
  const [x, ratioName = ''] = node.inputs
  const ratio = ratioName === '' ? 0.5 : Number(constants.get(ratioName)?.data[0])
  if (!(ratio >= 0 && ratio < 1)) return undefined
  const [kept, uniform, drawn, factor] = ['kept', 'uniform', 'drawn', 'factor'].map((stem) => b.name(stem))
  const [bound, scale, none] = ['bound', 'scale', 'none'].map((stem) => b.name(stem))
  const scalar = (value: number): Tensor => ({ type: 'float32', dims: [], data: Float32Array.of(value) })
  const float = { dtype: 1 }
  return {
    name: factor,
    noise: {
      nodes: ([image]) => [
        makeNode('RandomUniformLike', [image], [uniform], float),
        makeNode('GreaterOrEqual', [uniform, bound], [drawn]),
        makeNode('Where', [drawn, scale, none], [factor]),
      ],
      constants: new Map([
        [bound, scalar(ratio)],
        [scale, scalar(1 / (1 - ratio))],
        [none, scalar(0)],
      ]),
    },
    still: [
      makeNode('RandomUniformLike', [x], [factor], { ...float, low: { float: 1 }, high: { float: 1 } }),
      makeNode('CastLike', [factor, x], [kept]),
      makeNode('Mul', [x, kept], [node.outputs[0]], {}, node.name),
    ],
  }
}

/** @param constants of the graph: a Dropout that is told not to train draws nothing */
function drawsByChance({ op, domain, inputs }: Node, constants?: Graph['constants']): boolean {
  const training = inputs[2] ?? ''
  const trains = op === 'Dropout' && training !== '' && constants?.get(training)?.data[0] !== 0
  return domain === '' && (RANDOM.has(op) || trains)
}

/** A node and all nodes of its bodies. */
function within(node: Node): readonly Node[] {
  const inner = bodies(node.attributes.values()).flatMap((body) => body.node.map((proto) => read(proto)))
  return [node, ...inner.flatMap(within)]
}

function stilled(node: Node): Node {
  const attributes = mapBodies(node.attributes, (body) =>
    changed(GraphProtoSchema, body, { node: body.node.map(stilledProto) }),
  )
  return drawsByChance(node) ? withoutNoise(node) : { ...node, attributes }
}

function stilledProto(proto: NodeProto): NodeProto {
  return writeNode(stilled(read(proto)))
}

function withoutNoise(node: Node): Node {
  const set = (values: Readonly<Record<string, number>>): ReadonlyMap<string, AttributeProto> =>
    new Map([
      ...node.attributes,
      ...Object.entries(values).map(([name, value]) => [name, attribute.float(name, value)] as const),
    ])
  switch (node.op) {
    case 'RandomNormal':
    case 'RandomNormalLike':
      return { ...node, attributes: set({ scale: 0 }) }
    case 'RandomUniform':
    case 'RandomUniformLike': {
      const middle = (floatAttribute(node, 'low', 0) + floatAttribute(node, 'high', 1)) / 2
      return { ...node, attributes: set({ low: middle, high: middle }) }
    }
    case 'Bernoulli': {
      const to = intAttribute(node, 'dtype')
      const [output] = node.outputs
      return to === undefined
        ? makeNode('Identity', node.inputs, [output], {}, node.name)
        : makeNode('Cast', node.inputs, [output], { to }, node.name)
    }
    case 'Dropout':
      return { ...node, inputs: node.inputs.slice(0, 2) }
    default:
      return node
  }
}

function read(proto: NodeProto): Node {
  return readNode(proto, { name: proto.name || proto.opType, external: {} })
}
