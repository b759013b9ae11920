import { intAttribute, intsAttribute } from './attributes.js'
import { equationOf } from './einsum.js'
import type { Node, Tensor } from './graph.js'

/** Operators that move no element: the batch survives them as a part of some axis. */
export const RESHAPES = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'])

/** Where the batch stands: on `axis`, and on it behind `before` rows of each image (17 where [17, N] became [17·N]). */
export interface Place {
  readonly axis: number
  readonly before: number
}

/**
 * Where the batch stands in an output of a node.
 *
 * @param places where it stands in the node's inputs.
 * @param values every intermediate of a run on one image.
 * @returns undefined where it cannot be followed.
 */
export function placeAfter(
  node: Node,
  output: string,
  places: ReadonlyMap<string, Place>,
  values: ReadonlyMap<string, Tensor>,
): Place | undefined {
  const dimsOf = (name: string): readonly number[] => values.get(name)?.dims ?? []
  const after = dimsOf(output)
  const axes = changedAxes(node, dimsOf(node.inputs[0]), after, values)
  const candidates = node.inputs.flatMap((name, at) => {
    const place = places.get(name)
    if (place === undefined) return []
    if (node.op === 'Einsum') return [placeAfterEinsum(node, at, place, dimsOf)]
    if (axes) {
      const axis =
        after.length > axes.rank ? axisAmongOthers(place.axis, axes.named) : axisWithout(place.axis, axes.named)
      return [axis === undefined ? undefined : { ...place, axis }]
    }
    if (RESHAPES.has(node.op)) return [placeAfterReshape(place, dimsOf(name), after)]
    const axis = axisAfter(node, place.axis, dimsOf(name), after)
    return [axis === undefined ? undefined : { ...place, axis }]
  })
  const [first] = candidates
  const agree = candidates.every((place) => place?.axis === first?.axis && place?.before === first?.before)
  return agree ? first : undefined
}

/** Where the batch's label stands in the output. */
function placeAfterEinsum(
  node: Node,
  operand: number,
  place: Place,
  dimsOf: (name: string) => readonly number[],
): Place | undefined {
  const ranks = node.inputs.map((name) => dimsOf(name).length)
  const { operands, output } = equationOf(node, ranks)
  const axis = output.indexOf(operands[operand][place.axis])
  return axis < 0 ? undefined : { ...place, axis }
}

/** The axes that an Unsqueeze adds, or that a Squeeze or a reduction takes away; undefined where the node does neither. */
function changedAxes(
  node: Node,
  before: readonly number[],
  after: readonly number[],
  values: ReadonlyMap<string, Tensor>,
): { readonly rank: number; readonly named: ReadonlySet<number> } | undefined {
  const reduces = /^(Reduce|Arg|Squeeze$)/.test(node.op) && after.length < before.length
  if (!reduces && node.op !== 'Unsqueeze') return undefined
  const rank = Math.max(before.length, after.length)
  const listed = values.get(node.inputs[1])
  const axes = listed ? Array.from(listed.data as ArrayLike<bigint>, Number) : undefined
  const given = node.op.startsWith('Arg') ? [intAttribute(node, 'axis', 0)] : axes
  return given && { rank: before.length, named: new Set(given.map((axis) => (axis < 0 ? axis + rank : axis))) }
}

function axisWithout(axis: number, removed: ReadonlySet<number>): number | undefined {
  return removed.has(axis) ? undefined : axis - [...removed].filter((other) => other < axis).length
}

function axisAmongOthers(axis: number, added: ReadonlySet<number>): number {
  let place = axis
  for (const other of [...added].sort((a, b) => a - b)) if (other <= place) place++
  return place
}

function axisAfter(node: Node, axis: number, before: readonly number[], after: readonly number[]): number | undefined {
  const normal = (of: number): number => (of < 0 ? of + before.length : of)
  if (node.op === 'Transpose') {
    const order = intsAttribute(
      node,
      'perm',
      before.map((_, at) => before.length - 1 - at),
    )
    return order.indexOf(axis)
  }
  if (node.op === 'Gather') {
    const along = normal(intAttribute(node, 'axis', 0))
    if (along === axis) return undefined
    return axis + (along < axis ? after.length - before.length : 0)
  }
  if (node.op === 'OneHot') {
    const added = intAttribute(node, 'axis', -1)
    return axis + ((added < 0 ? added + after.length : added) <= axis ? 1 : 0)
  }
  if (node.op === 'Gemm' || node.op === 'AffineGrid' || node.op === 'Col2Im') return 0
  if (after.length >= before.length) return axis + after.length - before.length // broadcasting aligns to the right
  if (node.op === 'MatMul') return axis // a vector on the right
  return after[axis] === before[axis] ? axis : undefined
}

/**
 * Row-major order is kept, so the batch is where the same number of elements stands in front of it. Between two axes that
 * may be the end of the one or the start of the other: [17, N, 2, 8] → [17·N, 16] as attention is written, not [17, N·16],
 * since the last axis holds the features that a matrix multiplies.
 */
function placeAfterReshape(place: Place, before: readonly number[], after: readonly number[]): Place | undefined {
  const product = (dims: readonly number[]): number => dims.reduce((total, size) => total * size, 1)
  const inFront = product(before.slice(0, place.axis)) * place.before
  const start = after.findIndex((_, at) => product(after.slice(0, at)) === inFront)
  if (start >= 0 && after[start] === 1) return { axis: start, before: 1 }
  const upTo = (dims: readonly number[]): string => dims.slice(0, place.axis + 1).join()
  if (place.before > 1 && upTo(before) === upTo(after)) return place
  if (start === 0 || (start > 0 && start < after.length - 1)) return { axis: start, before: 1 }
  const axis = after.findIndex((_, at) => product(after.slice(0, at + 1)) % inFront === 0)
  const ahead = product(after.slice(0, axis))
  return axis >= 0 && inFront % ahead === 0 ? { axis, before: inFront / ahead } : undefined
}
