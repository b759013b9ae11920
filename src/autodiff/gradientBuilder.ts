import { GraphBuilder, floats } from '../onnx/builder.js'
import type { ElementType, Graph, Tensor } from '../onnx/graph.js'
import type { Observation, ObservedValue } from '../onnx/observe.js'
import type { Adjoint } from './adjoint.js'

/** What rules write with: adds nodes, and knows shapes, types and weights of the values of the forward pass. */
export class GradientBuilder extends GraphBuilder {
  readonly #observation: Map<string, ObservedValue>
  readonly #active: Set<string>
  /** What gradients that can be made in phases, too, were made of, by their names. */
  readonly adjoints = new Map<string, Adjoint>()

  /** @param active the values that depend on the input along a path that has a gradient. */
  constructor(graph: Graph, observation: Observation, active: ReadonlySet<string>, prefix = 'gradient') {
    super(graph, prefix)
    this.#observation = new Map(observation)
    this.#active = new Set(active)
  }

  /** Whether a value depends on the input along a path that has a gradient. */
  readonly isActive = (name: string): boolean => this.#active.has(name)

  observed(name: string): ObservedValue {
    const constant = this.constants.get(name)
    const observed = this.#observation.get(name) ?? (constant && { type: constant.type, dims: constant.dims })
    if (observed === undefined) throw new Error(`nothing was observed of the value "${name}"`)
    return observed
  }

  /** Declares that `value`, just added, takes the place of `original`: whole numbers of a quantised model become floats. */
  replace(original: string, value: string): void {
    const observed = this.#observation.get(original)
    const active = this.#active.has(original)
    const type = active && observed?.type.includes('int') ? 'float32' : observed?.type
    if (observed && type) this.#observation.set(value, { ...observed, type })
    if (active) this.#active.add(value)
  }

  /** Undefined for a sequence, which nobody observes. */
  typeOf(name: string): ElementType | undefined {
    return this.constants.get(name)?.type ?? this.#observation.get(name)?.type
  }

  dims(name: string): readonly number[] {
    return this.observed(name).dims
  }

  rank(name: string): number {
    return this.dims(name).length
  }

  /** The value of a constant, or undefined where it is computed. */
  constantOf(name: string | undefined): Tensor | undefined {
    return name ? this.constants.get(name) : undefined
  }

  /** An integer constant as numbers (axes, pads, indices), or undefined where it is left out or computed. */
  integersOf(name: string | undefined): readonly number[] | undefined {
    const tensor = this.constantOf(name)
    return tensor && Array.from(tensor.data as ArrayLike<number | bigint>, Number)
  }

  /** A scalar in the type of `like`, so that float64 models get float64 gradients. */
  number(value: number, like: string): string {
    return this.scalar(value, this.observed(like).type)
  }

  /** A constant tensor in the type of `like`. */
  tensor(values: ArrayLike<number>, dims: readonly number[], like: string): string {
    const type: ElementType = this.observed(like).type
    return this.constant(type, dims, floats(type, values))
  }

  /** Dimensions for Reshape: −1 on the batch axis, so that one graph serves every batch. */
  shapeFor({ dims, batchAxis }: ObservedValue): readonly number[] {
    return dims.map((size, axis) => (axis === batchAxis ? -1 : size))
  }

  /** `value` in the shape of `like`; no element moves. */
  reshapeLike(value: string, like: string): string {
    return this.reshape(value, this.shapeFor(this.observed(like)))
  }

  reshape(value: string, dims: readonly number[]): string {
    return this.add('Reshape', [value, this.ints(dims)])
  }

  /** Repeats what has size 1 until it has the shape of `like` (whose batch it has already). */
  expandLike(value: string, like: string): string {
    const { dims, batchAxis } = this.observed(like)
    return this.add('Expand', [value, this.ints(dims.map((size, axis) => (axis === batchAxis ? 1 : size)))])
  }

  mul(a: string, b: string): string {
    return this.add('Mul', [a, b])
  }

  /** `value` where `condition` holds, else 0: unlike a product it lets no infinity through as NaN. */
  where(condition: string, value: string, like: string): string {
    return this.add('Where', [condition, value, this.number(0, like)])
  }

  sum(value: string, axes: readonly number[], keep: boolean): string {
    return this.add('ReduceSum', [value, this.ints(axes)], { keepdims: keep ? 1 : 0 })
  }

  /** Σ over the axes along which `input` was broadcast to become `output`: the adjoint of broadcasting. */
  unbroadcast(gradient: string, output: string, input: string): string {
    const from = this.observed(output)
    const to = this.observed(input)
    const missing = from.dims.length - to.dims.length
    const repeated = from.dims.flatMap((size, axis) => {
      if (axis < missing) return [axis]
      const grown = size !== 1 || axis === from.batchAxis
      return to.dims[axis - missing] === 1 && axis - missing !== to.batchAxis && grown ? [axis] : []
    })
    if (repeated.length === 0) return gradient
    const summed = this.sum(gradient, repeated, true)
    return missing === 0 ? summed : this.reshapeLike(summed, input)
  }

  /**
   * Σ of rows of `gradient` into zeros in the shape of `like`, at `indices` along `axis`: the adjoint of taking `like` at
   * those indices (Gather, Slice with a step, the copying modes of Pad). Indices may repeat.
   */
  scatterAlong(gradient: string, axis: number, indices: readonly number[], like: string): string {
    const rank = this.rank(like)
    const order = [axis, ...Array.from({ length: rank }, (_, at) => at).filter((at) => at !== axis)]
    const turn = (value: string, perm: readonly number[]): string =>
      axis === 0 ? value : this.add('Transpose', [value], { perm })
    const rows = turn(gradient, order)
    const size = this.ints([this.dims(like)[axis]])
    const shape = rank === 1 ? size : this.add('Concat', [size, this.add('Shape', [rows], { start: 1 })], { axis: 0 })
    const zeros = this.add('Expand', [this.number(0, like), shape])
    const places = this.constant('int64', [indices.length, 1], BigInt64Array.from(indices, BigInt))
    const scattered = this.add('ScatterND', [zeros, places, rows], { reduction: 'add' })
    return turn(
      scattered,
      order.map((_, at) => order.indexOf(at)),
    )
  }
}
