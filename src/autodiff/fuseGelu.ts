import { makeNode } from '../onnx/attributes.js'
import { prune } from '../onnx/canonical/cleanup.js'
import type { Graph, Node } from '../onnx/graph.js'
import type { Observation } from '../onnx/observe.js'
import { reads } from '../onnx/subgraphs.js'

/**
 * Puts one Gelu where exporters before opset 20 wrote it out: x/√2 → Erf → +1 → ·x → ·½. onnxruntime does so by itself,
 * but not where a gradient needs what stands between; and one operator has one rule, with half the passes over memory.
 */
export function fuseGelu(graph: Graph, observation: Observation): Graph {
  const view = viewOf(graph)
  const fused = new Map<Node, Node>()
  for (const erf of graph.nodes) {
    if (erf.op !== 'Erf' || observation.get(erf.inputs[0])?.type !== 'float32') continue
    const found = geluAround(erf, view)
    if (found) fused.set(found.last, makeNode('Gelu', [found.x], found.last.outputs, {}, found.last.name))
  }
  if (fused.size === 0) return graph
  return prune({ ...graph, nodes: graph.nodes.map((node) => fused.get(node) ?? node) })
}

interface View {
  readonly producer: (name: string) => Node | undefined
  /** The one node that reads a value; undefined when there are more, or it is an output. */
  readonly onlyReader: (name: string) => Node | undefined
  /** The operand beside a constant close to `value`. */
  readonly besides: (node: Node | undefined, op: string, value: number) => string | undefined
}

function geluAround(
  erf: Node,
  { producer, onlyReader, besides }: View,
): { readonly x: string; readonly last: Node } | undefined {
  const scaled = producer(erf.inputs[0])
  const x = besides(scaled, 'Div', Math.SQRT2) ?? besides(scaled, 'Mul', Math.SQRT1_2)
  const shifted = onlyReader(erf.outputs[0])
  if (x === undefined || shifted === undefined || besides(shifted, 'Add', 1) === undefined) return undefined
  const product = onlyReader(shifted.outputs[0])
  if (product?.op !== 'Mul') return undefined
  const other = product.inputs.find((name) => name !== shifted.outputs[0])
  if (other === undefined) return undefined
  // (x · ½) · (…) as much as (x · …) · ½
  if (besides(producer(other), 'Mul', 0.5) === x) return { x, last: product }
  const halved = onlyReader(product.outputs[0])
  return other === x && halved && besides(halved, 'Mul', 0.5) !== undefined ? { x, last: halved } : undefined
}

function viewOf(graph: Graph): View {
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)))
  const readers = new Map<string, Node[]>()
  for (const node of graph.nodes)
    for (const name of reads(node)) readers.set(name, [...(readers.get(name) ?? []), node])
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  const isConstant = (name: string, value: number): boolean => {
    const { data } = graph.constants.get(name) ?? { data: [] }
    return data.length === 1 && Math.abs(Number(data[0]) - value) <= 1e-6 * value
  }
  return {
    producer: (name) => producers.get(name),
    onlyReader: (name) => {
      const [reader, ...others] = readers.get(name) ?? []
      return others.length > 0 || outputs.has(name) ? undefined : reader
    },
    besides: (node, op, value) => {
      if (node?.op !== op || node.domain !== '') return undefined
      const [a, b] = node.inputs
      if (isConstant(b, value)) return a
      return op !== 'Div' && isConstant(a, value) ? b : undefined
    },
  }
}
