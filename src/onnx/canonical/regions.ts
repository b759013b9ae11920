import type { Node } from '../graph.js'
import type { Context } from './context.js'
import type { Writer } from './writer.js'

/** What the two poolings of regions share: onnxruntime has no kernel for them since opset 22, so they are written out. */

/** Whether the regions depend on the image, as a detector's proposals do: such a node stays as it is, and has no gradient. */
export function areComputed(node: Node, context: Context): boolean {
  return node.inputs.slice(1).some(context.dependsOnInput)
}

/** Row numbers of pixels along an axis of `x`, [S], as floats. */
export function pixelsAlong(axis: number, x: string, w: Writer): string {
  const size = w.add('Squeeze', [w.add('Shape', [x], { start: axis, end: axis + 1 })])
  return w.add('CastLike', [w.add('Range', [w.index(0), size, w.index(1)]), w.number(0)])
}

/** Column `place` of the regions, [R, 1]. */
export function column(regions: string, place: number, w: Writer): string {
  return w.add('Slice', [regions, w.ints(place), w.ints(place + 1), w.ints(1)])
}

/** 0 … count − 1 plus `shift`, [count]. */
export function numbered(count: number, shift: number, w: Writer): string {
  const places = w.add('Range', [w.index(0), w.index(count), w.index(1)])
  return w.add('Add', [w.add('CastLike', [places, w.number(0)]), w.number(shift)])
}

/** Along the last axis the first of the greatest among what `mask` lets through, as MaxPool takes it; the axis is gone. */
export function greatest(values: string, mask: string, w: Writer): string {
  const seen = w.add('Where', [mask, values, w.number(-3.4028234663852886e38)])
  const place = w.add('ArgMax', [seen], { axis: -1, keepdims: 1 })
  return w.add('Squeeze', [w.add('GatherElements', [seen, place], { axis: -1 }), w.ints(-1)])
}
