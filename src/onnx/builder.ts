import { UsageError } from '../errors.js'
import { makeNode } from './attributes.js'
import type { AttributeValues } from './attributes.js'
import type { ElementType, Graph, Node, Tensor, TensorData, ValueInfo } from './graph.js'

/**
 * Adds nodes and constants to what is there, under names nobody uses yet. Each operator method returns the name of its
 * (first) output, so a formula reads inside out: `b.mul(gradient, b.add('Sigmoid', [x]))`.
 */
export class GraphBuilder {
  readonly nodes: Node[]
  readonly constants: Map<string, Tensor>
  readonly #prefix: string
  readonly #taken: Set<string>
  readonly #shared = new Map<string, string>()
  readonly #count = new Map<string, number>()

  /** @param prefix starts the name of everything added, so that it can be told from what the model brought along. */
  constructor(graph: Graph, prefix: string) {
    this.#prefix = prefix
    this.nodes = [...graph.nodes]
    this.constants = new Map(graph.constants)
    this.#taken = new Set([...graph.constants.keys(), ...graph.inputs.map((input) => input.name)])
    for (const node of graph.nodes) for (const output of node.outputs) this.#taken.add(output)
  }

  /** A name that nothing in the graph has. */
  name(stem: string): string {
    for (;;) {
      const place = this.#count.get(stem) ?? 0
      this.#count.set(stem, place + 1)
      const name = `${this.#prefix}/${stem}${place === 0 ? '' : `_${place}`}`
      if (!this.#taken.has(name)) {
        this.#taken.add(name)
        return name
      }
    }
  }

  /** Adds one node with one output and returns the output's name. */
  add(op: string, inputs: readonly string[], attributes: AttributeValues = {}): string {
    return this.addMany(op, inputs, 1, attributes)[0]
  }

  /** Adds one node with `outputs` outputs and returns their names. */
  addMany(op: string, inputs: readonly string[], outputs: number, attributes: AttributeValues = {}): readonly string[] {
    const names = Array.from({ length: outputs }, () => this.name(op))
    this.nodes.push(makeNode(op, inputs, names, attributes, names[0]))
    return names
  }

  /** Adds one node whose output must have a given name (a graph's output). */
  addNamed(output: string, op: string, inputs: readonly string[], attributes: AttributeValues = {}): void {
    this.#taken.add(output)
    this.nodes.push(makeNode(op, inputs, [output], attributes, `${this.#prefix}/${output}`))
  }

  /** A new output of a node that is already there (MaxPool's indices). Returns its name, or that of the one it has. */
  extraOutput(node: Node, place: number): string {
    const at = this.nodes.findIndex((other) => other.outputs[0] === node.outputs[0])
    const present = this.nodes[at].outputs[place]
    if (present) return present
    const outputs = [...this.nodes[at].outputs]
    while (outputs.length < place) outputs.push('')
    outputs[place] = this.name(`${node.op}_output`)
    this.nodes[at] = { ...this.nodes[at], outputs }
    return outputs[place]
  }

  /** A constant; small ones that are equal are shared. */
  constant(type: ElementType, dims: readonly number[], data: TensorData): string {
    const key =
      data.length <= 64
        ? `${type}[${dims.join()}]${Array.from(data as ArrayLike<unknown>, (v) => (Object.is(v, -0) ? '-0' : String(v))).join()}`
        : undefined
    const known = key === undefined ? undefined : this.#shared.get(key)
    if (known !== undefined) return known
    const name = this.name('constant')
    this.constants.set(name, { type, dims, data })
    if (key !== undefined) this.#shared.set(key, name)
    return name
  }

  /** A 1-D int64 constant: axes, shapes, pads. */
  ints(values: readonly number[]): string {
    return this.constant('int64', [values.length], BigInt64Array.from(values, BigInt))
  }

  /** A scalar of the given floating type. */
  scalar(value: number, type: ElementType = 'float32'): string {
    return this.constant(type, [], floats(type, [value]))
  }

  /** The graph as it is now, with these inputs and outputs. */
  build(
    graph: Graph,
    changes: { readonly inputs?: readonly ValueInfo[]; readonly outputs: readonly ValueInfo[] },
  ): Graph {
    return { ...graph, ...changes, nodes: this.nodes, constants: this.constants }
  }
}

/** Numbers as the data of a floating tensor. @throws UsageError for float16: gradients run in float32 or float64. */
export function floats(type: ElementType, values: ArrayLike<number>): TensorData {
  if (type === 'float64') return Float64Array.from(values)
  if (type === 'float32') return Float32Array.from(values)
  throw new UsageError(`gradients are made in float32 or float64, not in ${type}; export the model in float32`)
}
