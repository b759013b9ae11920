import { intAttribute } from './attributes.js'
import type { Place } from './batchPlace.js'
import type { GraphBuilder } from './builder.js'
import type { Node, Tensor } from './graph.js'

/** What is known where a batch is followed. */
export interface Followed {
  readonly dependent: ReadonlySet<string>
  /** Where the batch stands in what depends on the images. */
  readonly places: ReadonlyMap<string, Place>
  /** Every intermediate of a run on one image. */
  readonly values: ReadonlyMap<string, Tensor>
}

/** Operators whose constant indices name the image, which an export of one image can only call the 0th. */
export function namesImages(node: Node, { dependent, places }: Followed): boolean {
  const [data, indices] = node.inputs
  if (dependent.has(indices)) return false
  const isInFront = !dependent.has(data) || places.get(data)?.axis === 0
  return isInFront && (node.op === 'ScatterND' || (node.op === 'GatherND' && intAttribute(node, 'batch_dims', 0) === 0))
}

/**
 * ScatterND and GatherND with the indices of one image, for any number of images: the first coordinate counts them, the others
 * are the same for each.
 *
 * @returns false where the images cannot be told apart.
 */
export function liftCoordinates(node: Node, followed: Followed, b: GraphBuilder): boolean {
  const { dependent, places, values } = followed
  const [data, indices, updates] = node.inputs
  const known = values.get(indices)
  const depth = known?.dims.at(-1) ?? 0
  if (known === undefined || depth === 0) return false
  const numbers = Array.from(known.data as ArrayLike<bigint>)
  const isFirst = (name: string): boolean => {
    const place = places.get(name)
    return !dependent.has(name) || (place?.axis === 0 && place.before === 1)
  }
  if (numbers.some((number, at) => at % depth === 0 && number !== 0n && number !== -1n)) return false
  if (![data, updates].every((name) => name === undefined || isFirst(name))) return false
  const rows = known.dims.slice(0, -1)
  const hasRow = rows[0] === 1
  if (!hasRow && (updates === undefined || dependent.has(updates))) return false
  const wide = hasRow ? rows.slice(1) : rows
  const count = b.add('Shape', [dependent.has(data) ? data : updates], { start: 0, end: 1 })
  const repeated = (name: string, dims: readonly number[]): string =>
    b.add('Expand', [name, dims.length === 0 ? count : b.add('Concat', [count, b.ints(dims)], { axis: 0 })])
  const whole = (value: number): string => b.constant('int64', [], BigInt64Array.of(BigInt(value)))
  const images = b.add('Range', [whole(0), b.add('Squeeze', [count]), whole(1)])
  const column = b.add('Reshape', [images, b.ints([-1, ...wide.map(() => 1), 1])])
  const coordinates = [repeated(column, [...wide, 1])]
  if (depth > 1) {
    const others = BigInt64Array.from(numbers.filter((_, at) => at % depth !== 0))
    const dims = [...wide, depth - 1]
    coordinates.push(repeated(b.constant('int64', dims, others), dims))
  }
  const forAll = (name: string, inFront: number): string =>
    dependent.has(name) ? name : repeated(name, [...(values.get(name)?.dims ?? []).slice(inFront)])
  b.nodes.push({
    ...node,
    inputs: [
      forAll(data, 1),
      b.add('Concat', coordinates, { axis: -1 }),
      ...(updates === undefined ? [] : [forAll(updates, hasRow ? 1 : 0)]),
    ],
  })
  return true
}
