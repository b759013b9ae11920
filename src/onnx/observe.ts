import { encodeModel } from './codec.js'
import { mayDraw } from './dependence.js'
import type { ElementType, Graph, RunModel, Tensor } from './graph.js'
import { sequenceValues } from './sequences.js'
import { bodies } from './subgraphs.js'

/** What a value was seen to be when the graph ran: no shape inference is written by hand. */
export interface ObservedValue {
  readonly type: ElementType
  /** For one image: on the batch axis stands how many rows an image takes there (1, or T where [N, T] was merged). */
  readonly dims: readonly number[]
  /** The axis that grows with the batch. Undefined: the value is the same for every batch, or the batch is fixed. */
  readonly batchAxis?: number
}

export type Observation = ReadonlyMap<string, ObservedValue>

/** A graph that tells all it computes. */
export interface Observer {
  /**
   * Every tensor of a run: intermediates, outputs, the inputs and constants. What is the same in every run is taken from the
   * one `before`, if there was one: the weights of a quantised model, four times as large in float32, are not handed over anew.
   */
  readonly all: (
    feeds: ReadonlyMap<string, Tensor>,
    before?: ReadonlyMap<string, Tensor>,
  ) => Promise<ReadonlyMap<string, Tensor>>
  /** The graph's own outputs alone. */
  readonly outputs: (feeds: ReadonlyMap<string, Tensor>) => Promise<ReadonlyMap<string, Tensor>>
}

/** Makes every intermediate value of a graph an output. Written once for all runs: the weights may be large. */
export function observer(graph: Graph, run: RunModel): Observer {
  const sequences = sequenceValues(graph)
  const names = graph.nodes.flatMap((node) => node.outputs.filter((name) => name !== '' && !sequences.has(name)))
  const model = encodeModel({ ...graph, outputs: names.map((name) => ({ name })) })
  const wanted = graph.outputs.map(({ name }) => name)
  const varying = varyingValues(graph)
  const again = names.filter((name) => varying.has(name))
  return {
    all: async (feeds, before) => {
      if (before === undefined) return new Map([...graph.constants, ...feeds, ...(await run(model, feeds, names))])
      return new Map([...before, ...feeds, ...(again.length === 0 ? [] : await run(model, feeds, again))])
    },
    outputs: (feeds) => run(model, feeds, wanted),
  }
}

/** What may differ from run to run: with the images, their number, or by chance. What has a body may read or draw there. */
function varyingValues({ inputs, nodes }: Graph): ReadonlySet<string> {
  const found = new Set(inputs.map(({ name }) => name))
  for (const node of nodes)
    if (mayDraw(node) || bodies(node.attributes.values()).length > 0 || node.inputs.some((name) => found.has(name)))
      for (const output of node.outputs) found.add(output)
  return found
}

/** Shapes and types of one run: all that is known when the batch is fixed. */
export function observeFixed(values: ReadonlyMap<string, Tensor>): Observation {
  return new Map(Array.from(values, ([name, { type, dims }]) => [name, { type, dims }]))
}

/**
 * Compares a run on one image with a run on two: an axis that doubled is the batch.
 *
 * @returns undefined when some value did something else (then the batch cannot be called free).
 */
export function observeBatch(
  one: ReadonlyMap<string, Tensor>,
  two: ReadonlyMap<string, Tensor>,
): Observation | undefined {
  const observation = new Map<string, ObservedValue>()
  for (const [name, { type, dims }] of one) {
    const wider = two.get(name)?.dims
    if (wider?.length !== dims.length) return undefined
    const grown = dims.flatMap((size, axis) => (wider[axis] === size ? [] : [axis]))
    if (grown.length > 1 || grown.some((axis) => wider[axis] !== 2 * dims[axis])) return undefined
    observation.set(name, { type, dims, ...(grown.length === 1 && { batchAxis: grown[0] }) })
  }
  return observation
}
