import { FunctionProtoSchema, GraphProtoSchema } from 'onnx-buf'
import type { AttributeProto, NodeProto } from 'onnx-buf'
import { attribute, describe, floatAttribute, intAttribute, makeNode, operatorOf } from './attributes.js'
import { nodesOf, readNode, writeNode } from './codec.js'
import { RANDOM } from './dependence.js'
import type { Graph, Node } from './graph.js'
import { changed } from './proto.js'
import { bodies, mapBodies } from './subgraphs.js'
import { dataType, int64Tensor } from './tensor.js'
import { scopeOf, scopeOfBody, trains } from './training.js'
import type { Scope } from './training.js'

/** The operators of a graph, bodies included, whose output differs from run to run. */
export function chanceOperators(graph: Graph): readonly string[] {
  return [...new Set(drawing(graph.nodes, scopeOf(graph)).map(operatorOf))]
}

function drawing(nodes: readonly Node[], scope: Scope): readonly Node[] {
  return nodes.flatMap((node) => {
    const inside = bodies(node.attributes.values()).flatMap((body) => {
      const inner = nodesOf(body, describe(node))
      return drawing(inner, scopeOfBody(body, inner, scope))
    })
    return drawsByChance(node, scope) ? [node, ...inside] : inside
  })
}

/** @param scope where its inputs are made: a Dropout that is told not to train draws nothing */
export function drawsByChance(node: Node, scope: Scope): boolean {
  return node.domain === '' && (RANDOM.has(node.op) || trains(node, scope))
}

/**
 * The same model without its noise, as a file has it, of any opset: normal numbers are their mean, uniform ones the middle
 * between their bounds, Bernoulli's what they are on average, Multinomial's what is likeliest, and Dropout gives all it takes.
 */
export function withoutChance(graph: Graph): Graph {
  const functions = graph.functions?.map((one) =>
    changed(FunctionProtoSchema, one, { node: one.node.flatMap(stilledProto) }),
  )
  return { ...graph, nodes: graph.nodes.flatMap(stilled), functions }
}

/** What a random number is without its noise. */
export function middleOf(node: Node): number {
  if (node.op.startsWith('RandomNormal')) return floatAttribute(node, 'mean', 0)
  return (floatAttribute(node, 'low', 0) + floatAttribute(node, 'high', 1)) / 2
}

/** Operators through which the gradient passes as through what they are without their noise. */
export const BY_THEIR_MEAN: ReadonlySet<string> = new Set(['Bernoulli'])

function stilled(node: Node): readonly Node[] {
  if (node.domain === '' && (RANDOM.has(node.op) || node.op === 'Dropout')) return withoutNoise(node)
  const attributes = mapBodies(node.attributes, (body) =>
    changed(GraphProtoSchema, body, { node: body.node.flatMap(stilledProto) }),
  )
  return [{ ...node, attributes }]
}

function stilledProto(proto: NodeProto): readonly NodeProto[] {
  return stilled(read(proto)).map(writeNode)
}

/**
 * 1 − p, of the p that Bernoulli is given: it draws 1 where a uniform number is greater than p. So the standard's function has
 * it, against the standard's text, and onnxruntime runs the function.
 */
function meanOfBernoulli(node: Node): readonly Node[] {
  const [p] = node.inputs
  const [name] = node.outputs
  const [one, typed, mean] = ['one', 'typed', 'mean'].map((stem) => `${name}/${stem}`)
  const to = intAttribute(node, 'dtype')
  return [
    makeNode('Constant', [], [one], { value_float: { float: 1 } }),
    makeNode('CastLike', [one, p], [typed]),
    makeNode('Sub', [typed, p], [mean]),
    makeNode(to === undefined ? 'Identity' : 'Cast', [mean], [name], { to }),
  ]
}

/** The class of the greatest odds, as often as Multinomial draws one. */
function likeliest(node: Node): readonly Node[] {
  const [name] = node.outputs
  const [best, often, all] = ['best', 'often', 'all'].map((stem) => `${name}/${stem}`)
  const repeats = int64Tensor([1, intAttribute(node, 'sample_size', 1)])
  return [
    makeNode('ArgMax', [node.inputs[0]], [best], { axis: 1 }),
    makeNode('Constant', [], [often], { value: repeats }),
    makeNode('Tile', [best, often], [all]),
    makeNode('Cast', [all], [name], { to: intAttribute(node, 'dtype', dataType('int32')) }),
  ]
}

/** onnxruntime aborts the process at a scale of 0. */
const NEARLY_NOTHING = 1e-30

function withoutNoise(node: Node): readonly Node[] {
  const middle = middleOf(node)
  switch (node.op) {
    case 'RandomNormal':
    case 'RandomNormalLike':
      return [withFloats(node, { scale: NEARLY_NOTHING })]
    case 'RandomUniform':
    case 'RandomUniformLike':
      return [withFloats(node, { low: middle, high: middle })]
    case 'Bernoulli':
      return meanOfBernoulli(node)
    case 'Multinomial':
      return likeliest(node)
    case 'Dropout':
      return [{ ...node, inputs: node.inputs.slice(0, 2) }]
    default:
      return [node]
  }
}

function withFloats(node: Node, values: Readonly<Record<string, number>>): Node {
  const set = Object.entries(values).map(([name, value]): [string, AttributeProto] => [
    name,
    attribute.float(name, value),
  ])
  return { ...node, attributes: new Map([...node.attributes, ...set]) }
}

function read(proto: NodeProto): Node {
  return readNode(proto, { name: proto.name || proto.opType, external: {} })
}
