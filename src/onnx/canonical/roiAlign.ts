import { floatAttribute, intAttribute, stringAttribute } from '../attributes.js'
import type { Node } from '../graph.js'
import type { Context } from './context.js'
import { withAttribute } from './edit.js'
import { areComputed, column, greatest, numbered, pixelsAlong } from './regions.js'
import { openWriter } from './writer.js'
import type { Writer } from './writer.js'

/** RoiAlign-16 says where pixels lie, and by default another place than before. */
export function sayOldCoordinates(node: Node): Node {
  return withAttribute(node, 'coordinate_transformation_mode', 'output_half_pixel')
}

/** The samples of the bins along one axis: places [R, bins, K] between the pixels [S]. */
interface Samples {
  readonly place: string
  /** 1, or 0 for samples more than a pixel outside the image. */
  readonly inside: string
  /** Which samples a region takes, [R, K]. */
  readonly taken: string
  /** How many, [R, 1]. */
  readonly count: string
  readonly pixels: string
}

/**
 * Mask R-CNN's pooling (He et al. 2017): samples between the pixels of each bin, averaged or the greatest. Averages are two
 * products with matrices of weights. As the greatest, onnxruntime 1.30 takes that of the four pixels around a sample times
 * their weights, not of the sample.
 */
export function writeOutRoiAlign(node: Node, context: Context): readonly Node[] {
  if (areComputed(node, context)) return [node]
  const [x, regions, images] = node.inputs
  const w = openWriter(node, x, context)
  const own = w.add('Gather', [x, images], { axis: 0 })
  const rows = samplesAlong(node, 1, 'output_height', [x, regions], w)
  const columns = samplesAlong(node, 0, 'output_width', [x, regions], w)
  if (stringAttribute(node, 'mode', 'avg') === 'avg') {
    const left = w.add('Unsqueeze', [averaging(rows, w), w.ints(1)])
    const right = w.add('Transpose', [w.add('Unsqueeze', [averaging(columns, w), w.ints(1)])], { perm: [0, 1, 3, 2] })
    w.finish('MatMul', [w.add('MatMul', [left, own]), right])
    return w.nodes
  }
  const [left, right] = [rows, columns].map((samples) => corners(samples, w))
  // [R, 1, tall, 2K, H] · [R, C, 1, H, W] → [R, C, tall, 1, 2K, W] · [R, 1, 1, wide, W, 2L] → [R, C, tall, wide, 2K, 2L]
  const half = w.add('MatMul', [w.add('Unsqueeze', [left, w.ints(1)]), w.add('Unsqueeze', [own, w.ints(2)])])
  const turned = w.add('Unsqueeze', [w.add('Transpose', [right], { perm: [0, 1, 3, 2] }), w.ints(1, 2)])
  const weighted = w.add('MatMul', [w.add('Unsqueeze', [half, w.ints(3)]), turned])
  const flat = w.add('Reshape', [weighted, w.ints(0, 0, 0, 0, -1)])
  const pair = (taken: string): string => w.add('Concat', [taken, taken], { axis: 1 })
  const both = w.add('And', [
    w.add('Unsqueeze', [pair(rows.taken), w.ints(2)]),
    w.add('Unsqueeze', [pair(columns.taken), w.ints(1)]),
  ])
  const isTaken = w.add('Reshape', [both, w.ints(0, 1, 1, 1, -1)])
  const none = w.add('Mul', [rows.count, columns.count])
  const isFilled = w.add('Unsqueeze', [w.add('Greater', [none, w.number(0)]), w.ints(2, 3)])
  w.finish('Where', [isFilled, greatest(flat, isTaken, w), w.number(0)])
  return w.nodes
}

function samplesAlong(
  node: Node,
  place: 0 | 1,
  bins: string,
  [x, regions]: readonly [string, string],
  w: Writer,
): Samples {
  const binCount = intAttribute(node, bins, 1)
  const ratio = intAttribute(node, 'sampling_ratio', 0)
  const isShifted = stringAttribute(node, 'coordinate_transformation_mode', 'half_pixel') === 'half_pixel'
  const scale = w.number(floatAttribute(node, 'spatial_scale', 1))
  const edge = (at: number): string =>
    w.add('Sub', [w.add('Mul', [column(regions, at, w), scale]), w.number(isShifted ? 0.5 : 0)])
  const start = edge(place)
  const length = w.add('Sub', [edge(place + 2), start])
  const size = isShifted ? length : w.add('Max', [length, w.number(1)])
  const bin = w.add('Div', [size, w.number(binCount)])
  const count = ratio > 0 ? w.number(ratio) : w.add('Max', [w.add('Ceil', [bin]), w.number(0)])
  const most = ratio > 0 ? w.index(ratio) : mostOf(count, w)
  const numbers = w.add('CastLike', [w.add('Range', [w.index(0), most, w.index(1)]), w.number(0)])
  const counts = w.add('Expand', [count, w.add('Shape', [start])])
  const taken = w.add('Less', [numbers, counts])
  // Where no sample is taken the step is divided by 0 and nobody looks.
  const steps = w.add('Div', [w.add('Mul', [w.add('Add', [numbers, w.number(0.5)]), bin]), counts])
  const starts = w.add('Add', [start, w.add('Mul', [numbered(binCount, 0, w), bin])])
  const apart = (value: string, axis: number): string => w.add('Unsqueeze', [value, w.ints(axis)])
  const far = w.add('Where', [
    apart(taken, 1),
    w.add('Add', [apart(starts, 2), apart(steps, 1)]),
    w.number(-2), // outside
  ])
  const pixels = pixelsAlong(place === 1 ? 2 : 3, x, w)
  const end = w.add('ReduceMax', [pixels], { keepdims: 0 })
  const beyond = w.add('Add', [end, w.number(1)])
  const isInside = w.add('And', [w.add('GreaterOrEqual', [far, w.number(-1)]), w.add('LessOrEqual', [far, beyond])])
  return {
    place: w.add('Min', [w.add('Max', [far, w.number(0)]), end]),
    inside: w.add('CastLike', [isInside, w.number(0)]),
    taken,
    count: counts,
    pixels,
  }
}

/** The most samples that any region takes, at least one: a scalar. */
function mostOf(count: string, w: Writer): string {
  const most = w.add('Max', [w.add('ReduceMax', [count], { keepdims: 0 }), w.number(1)])
  return w.add('Cast', [most], { to: 7 })
}

/** How much of each pixel the average of a bin has, [R, bins, S]. */
function averaging({ place, inside, count, pixels }: Samples, w: Writer): string {
  const apart = w.add('Abs', [w.add('Sub', [w.add('Unsqueeze', [place, w.ints(3)]), pixels])])
  const weights = w.add('Relu', [w.add('Sub', [w.number(1), apart])])
  const counted = w.add('Mul', [weights, w.add('Unsqueeze', [inside, w.ints(3)])])
  const total = w.add('ReduceSum', [counted, w.ints(2)], { keepdims: 0 })
  return w.add('Div', [total, w.add('Unsqueeze', [w.add('Max', [count, w.number(1)]), w.ints(2)])])
}

/** One row for the pixel before and one for that after each sample, with its weight: [R, bins, 2K, S]. */
function corners({ place, inside, pixels }: Samples, w: Writer): string {
  const before = w.add('Floor', [place])
  const end = w.add('ReduceMax', [pixels], { keepdims: 0 })
  const after = w.add('Min', [w.add('Add', [before, w.number(1)]), end])
  const share = w.add('Sub', [place, before])
  const row = (pixel: string, weight: string): string => {
    const isIt = w.add('Equal', [w.add('Unsqueeze', [pixel, w.ints(3)]), pixels])
    const own = w.add('Unsqueeze', [w.add('Mul', [weight, inside]), w.ints(3)])
    return w.add('Where', [isIt, own, w.number(0)])
  }
  const rest = w.add('Sub', [w.number(1), share])
  return w.add('Concat', [row(before, rest), row(after, share)], { axis: 2 })
}
