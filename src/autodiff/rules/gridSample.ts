import { intAttribute, stringAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { rule, subgradient } from '../rule.js'
import type { Rule } from '../rule.js'

export const gridSample: Readonly<Record<string, Rule>> = {
  GridSample: subgradient(
    'between pixels the slope of the side a point is rounded down to; nearest neighbours do not move with the grid',
    rule((node, gradient, b) => {
      const [x, grid] = node.inputs
      const points = pointsOf(node, b)
      const sampled = b.reshape(gradient, [rowsOf(x, b), b.dims(x)[1], 1, points.count])
      const slopes = (): string | undefined =>
        points.taps[0].every(({ slope }) => slope === undefined) ? undefined : gridGradient(node, sampled, points, b)
      return [b.isActive(x) ? imageGradient(x, sampled, points, b) : undefined, b.isActive(grid) ? slopes() : undefined]
    }),
  ),
}

/** One of the pixels along one axis that a point is the weighted sum of; every value is [N, 1, points]. */
interface Tap {
  readonly place: string
  readonly weight: string | undefined
  /** d weight / d coordinate. */
  readonly slope: string | undefined
}

interface Points {
  readonly count: number
  /** Of each axis of the image, the outermost first. */
  readonly taps: readonly (readonly Tap[])[]
  /** Every choice of a tap per axis. */
  readonly choices: readonly (readonly Tap[])[]
  /** int64 [N, C, choices · points]: where in its channel each pixel lies. */
  readonly places: string
}

function rowsOf(x: string, b: GradientBuilder): number {
  const { dims, batchAxis } = b.observed(x)
  return batchAxis === undefined ? dims[0] : -1
}

function pointsOf(node: Node, b: GradientBuilder): Points {
  const [x, grid] = node.inputs
  const [, channels, ...sizes] = b.dims(x)
  const count = product(b.dims(grid).slice(1, -1))
  const flat = b.reshape(grid, [rowsOf(x, b), 1, count, sizes.length])
  // The last axis of a grid counts from the innermost axis of the image.
  const taps = sizes.map((size, axis) => {
    const coordinate = b.add('Gather', [flat, integer(sizes.length - 1 - axis, b)], { axis: 3 })
    return tapsAlong(coordinate, size, node, b)
  })
  const choices = taps.reduce<readonly (readonly Tap[])[]>(
    (before, along) => before.flatMap((choice) => along.map((tap) => [...choice, tap])),
    [[]],
  )
  const offsets = choices.map((choice) =>
    choice
      .map(({ place }) => place)
      .reduce((outer, inner, axis) => b.add('Add', [b.mul(outer, integer(sizes[axis], b)), inner])),
  )
  const all = b.reshape(stacked(offsets, b), [rowsOf(x, b), 1, choices.length * count])
  return { count, taps, choices, places: b.add('Expand', [all, b.ints([1, channels, 1])]) }
}

/** Which pixels along one axis, how much of each; padding is applied to pixels, as onnxruntime does. */
function tapsAlong(coordinate: string, size: number, node: Node, b: GradientBuilder): readonly Tap[] {
  const number = (value: number): string => b.number(value, node.inputs[1])
  const plus = (value: string, by: number): string => (by === 0 ? value : b.add('Add', [value, number(by)]))
  const scaled = b.mul(plus(coordinate, 1), number(halfLength(node, size)))
  const at = plus(scaled, isAligned(node) ? 0 : -0.5)
  const mode = stringAttribute(node, 'mode', 'linear')
  const padding = stringAttribute(node, 'padding_mode', 'zeros')
  const tap = (value: string, weight?: string, slope?: string): Tap => {
    const pixel = b.add('Cast', [value], { to: 7 })
    const place = padding === 'reflection' ? reflected(pixel, size, node, b) : clamped(pixel, size, b)
    if (padding !== 'zeros') return { place, weight, slope }
    const inside = b.add('CastLike', [b.add('Equal', [place, pixel]), coordinate])
    const masked = (share: string | undefined): string | undefined => share && b.mul(share, inside)
    return { place, weight: weight === undefined ? inside : masked(weight), slope: masked(slope) }
  }
  if (mode === 'nearest') return [tap(b.add('Round', [at]))]
  const before = b.add('Floor', [at])
  const share = b.add('Sub', [at, before])
  if (mode === 'linear')
    return [tap(before, b.add('Sub', [number(1), share]), number(-1)), tap(plus(before, 1), share, number(1))]
  return CUBIC.map((coefficients, place) => {
    const slopes = coefficients.slice(1).map((coefficient, power) => coefficient * (power + 1))
    const value = (polynomial: readonly number[]): string =>
      polynomial
        .slice(0, -1)
        .reduceRight((inner, coefficient) => plus(b.mul(inner, share), coefficient), number(polynomial.at(-1) ?? 0))
    return tap(plus(before, place - 1), value(coefficients), value(slopes))
  })
}

const A = -0.75
/** Keys 1981, equation 15, as polynomials in the distance from the second of four pixels; lowest power first. */
const CUBIC = [
  [0, A, -2 * A, A],
  [1, 0, -A - 3, A + 2],
  [0, -A, 2 * A + 3, -A - 2],
  [0, 0, A, -A],
]

/** Centres of the outermost pixels at −1 and 1, instead of their outer edges. */
function isAligned(node: Node): boolean {
  return intAttribute(node, 'align_corners', 0) === 1
}

/** Pixels per unit of the grid. */
function halfLength(node: Node, size: number): number {
  return (isAligned(node) ? size - 1 : size) / 2
}

function integer(value: number, b: GradientBuilder): string {
  return b.constant('int64', [], BigInt64Array.of(BigInt(value)))
}

function clamped(pixel: string, size: number, b: GradientBuilder): string {
  return b.add('Clip', [pixel, integer(0, b), integer(size - 1, b)])
}

/** Mirrored at the centres of the outermost pixels, or at their outer edges: there and back. */
function reflected(pixel: string, size: number, node: Node, b: GradientBuilder): string {
  const atCentres = isAligned(node)
  const period = atCentres ? Math.max(2 * (size - 1), 1) : 2 * size
  const forth = b.add('Mod', [pixel, integer(period, b)])
  const back = b.add('Sub', [integer(atCentres ? 2 * (size - 1) : period - 1, b), forth])
  return b.add('Min', [forth, back])
}

/** Scatters what every point got over the pixels it was read from. */
function imageGradient(x: string, sampled: string, { count, choices, places }: Points, b: GradientBuilder): string {
  const [, channels, ...sizes] = b.dims(x)
  const rows = rowsOf(x, b)
  const weights = choices.map((choice) =>
    productOf(
      choice.map(({ weight }) => weight),
      b,
    ),
  )
  const shares =
    weights[0] === undefined ? sampled : b.mul(sampled, b.add('Unsqueeze', [stacked(weights, b), b.ints([1])]))
  const updates = b.reshape(shares, [rows, channels, choices.length * count])
  const zeros = b.add('Expand', [b.number(0, x), b.add('Shape', [b.reshape(x, [rows, channels, product(sizes)])])])
  return b.reshapeLike(b.add('ScatterElements', [zeros, places, updates], { axis: 2, reduction: 'add' }), x)
}

/** Σ over channels and pixels of gradient · pixel · d weight / d coordinate, for each axis. */
function gridGradient(node: Node, sampled: string, { count, choices, places }: Points, b: GradientBuilder): string {
  const [x, grid] = node.inputs
  const [, channels, ...sizes] = b.dims(x)
  const rows = rowsOf(x, b)
  const pixels = b.add('GatherElements', [b.reshape(x, [rows, channels, product(sizes)]), places], { axis: 2 })
  const apart = b.reshape(pixels, [rows, channels, choices.length, count])
  const perPixel = b.sum(b.mul(apart, sampled), [1], false)
  const alongAxes = sizes.map((size, axis) => {
    const slopes = choices.map((choice) =>
      productOf(
        choice.map((tap, at) => (at === axis ? tap.slope : tap.weight)),
        b,
      ),
    )
    const moved = b.sum(b.mul(perPixel, stacked(slopes, b)), [1], false)
    return b.add('Unsqueeze', [b.mul(moved, b.number(halfLength(node, size), grid)), b.ints([2])])
  })
  return b.reshapeLike(b.add('Concat', alongAxes.toReversed(), { axis: 2 }), grid)
}

/** [N, 1, points] each → [N, values, points] */
function stacked(values: readonly (string | undefined)[], b: GradientBuilder): string {
  const given = values.filter((value) => value !== undefined)
  return given.length === 1 ? given[0] : b.add('Concat', given, { axis: 1 })
}

/** Undefined stands for 1. */
function productOf(factors: readonly (string | undefined)[], b: GradientBuilder): string | undefined {
  return factors
    .filter((factor) => factor !== undefined)
    .reduce<string | undefined>((a, c) => (a === undefined ? c : b.mul(a, c)), undefined)
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1)
}
