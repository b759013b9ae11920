import { floatAttribute, intsAttribute } from '../attributes.js'
import type { Node } from '../graph.js'
import type { Context } from './context.js'
import { areComputed, column, greatest, numbered, pixelsAlong } from './regions.js'
import { openWriter } from './writer.js'
import type { Writer } from './writer.js'

const DOUBLE = 11
const FLOAT = 1
const INT64 = 7

/**
 * Fast R-CNN's pooling (Girshick 2015): the maximum of each bin, 0 where a bin has no pixel. Bins are found as
 * onnxruntime's kernel finds them, in float32, and a bin of an image is rows and columns that it lets through.
 */
export function writeOutMaxRoiPool(node: Node, context: Context): readonly Node[] {
  if (areComputed(node, context)) return [node]
  const [x, regions] = node.inputs
  const w = openWriter(node, x, context)
  const [tall, wide] = intsAttribute(node, 'pooled_shape', [])
  const scale = floatAttribute(node, 'spatial_scale', 1)
  const corner = (place: number): string => rounded(w.add('Mul', [column(regions, place, w), w.number(scale)]), w)
  const rows = binsAlong(2, tall, corner(2), corner(4), x, w)
  const columns = binsAlong(3, wide, corner(1), corner(3), x, w)
  const image = w.add('Cast', [w.add('Squeeze', [column(regions, 0, w), w.ints(1)])], { to: INT64 })
  const own = w.add('Gather', [x, image], { axis: 0 })
  // [R, C, H, 1, W] → [R, C, H, wide] → [R, C, 1, wide, H] → [R, C, tall, wide]
  const byColumns = greatest(w.add('Unsqueeze', [own, w.ints(3)]), w.add('Unsqueeze', [columns, w.ints(1, 2)]), w)
  const turned = w.add('Transpose', [byColumns], { perm: [0, 1, 3, 2] })
  const pooled = greatest(w.add('Unsqueeze', [turned, w.ints(2)]), w.add('Unsqueeze', [rows, w.ints(1, 3)]), w)
  const isFilled = w.add('And', [holds(rows, [1, 3], w), holds(columns, [1, 2], w)])
  w.finish('Where', [isFilled, pooled, w.number(0)])
  return w.nodes
}

/** Half away from zero, as std::round does it: in double, where adding ½ to a float32 is exact. */
function rounded(value: string, w: Writer): string {
  const precise = w.add('Cast', [value], { to: DOUBLE })
  const half = w.add('Cast', [w.number(0.5)], { to: DOUBLE })
  const size = w.add('Floor', [w.add('Add', [w.add('Abs', [precise]), half])])
  return w.add('Cast', [w.add('Mul', [w.add('Sign', [precise]), size])], { to: FLOAT })
}

/** Which pixels of an axis are in which bin, [R, bins, S]; first and last pixel are in the region. */
function binsAlong(axis: number, bins: number, first: string, last: string, x: string, w: Writer): string {
  const one = w.number(1)
  const size = w.add('Max', [w.add('Add', [w.add('Sub', [last, first]), one]), one])
  const step = w.add('Div', [size, w.number(bins)])
  const edge = (op: string, shift: number): string => {
    const within = w.add(op, [w.add('Mul', [numbered(bins, shift, w), step])])
    return w.add('Unsqueeze', [w.add('Add', [within, first]), w.ints(2)])
  }
  const pixels = pixelsAlong(axis, x, w)
  return w.add('And', [w.add('LessOrEqual', [edge('Floor', 0), pixels]), w.add('Greater', [edge('Ceil', 1), pixels])])
}

/** Whether bins hold any pixel at all: [R, bins, S] → [R, bins] with further axes. */
function holds(bins: string, axes: readonly number[], w: Writer): string {
  const count = w.add('ReduceSum', [w.add('CastLike', [bins, w.number(0)]), w.ints(-1)], { keepdims: 0 })
  return w.add('Unsqueeze', [w.add('Greater', [count, w.number(0)]), w.ints(...axes)])
}
