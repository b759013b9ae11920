import type { ElementType, Node } from '../../onnx/graph.js'
import { UsageError } from '../../errors.js'
import type { GradientBuilder } from '../gradientBuilder.js'

/**
 * What quantised operators share. In a surrogate their whole numbers are float32: sums of products stay exact up to 2²⁴, and
 * what remains of quantisation is Round (straight-through) and Clip.
 */

/** The zero point that a quantised value is counted from, and the size of one step. */
export interface Scaled {
  readonly value: string
  readonly scale: string
  /** Left out: 0. */
  readonly zeroPoint?: string
}

const RANGES: ReadonlyMap<ElementType, readonly [number, number]> = new Map([
  ['int8', [-128, 127]],
  ['uint8', [0, 255]],
  ['int16', [-32768, 32767]],
  ['uint16', [0, 65535]],
])

/** A value as float32. Whole numbers on the way from the image are float already: what made them was expanded. */
export function real(name: string, b: GradientBuilder): string {
  return b.isActive(name) || b.observed(name).type === 'float32' ? name : b.add('Cast', [name], { to: 1 })
}

/** How a scale or zero point meets its tensor, as float32. */
export type Placed = (parameter: string, b: GradientBuilder) => string

/** A parameter [K] along `axis` of a tensor of this rank; one of a single element fits as it is. */
export function along(axis: number, rank: number): Placed {
  return (parameter, b) => {
    const { dims } = b.observed(parameter)
    const value = real(parameter, b)
    if (dims.length !== 1 || dims[0] === 1) return value
    return b.reshape(
      value,
      Array.from({ length: rank }, (_, at) => (at === axis ? -1 : 1)),
    )
  }
}

/** The whole numbers counted from their zero point. */
export function centred(
  value: string,
  zeroPoint: string | undefined,
  b: GradientBuilder,
  place: Placed = real,
): string {
  const numbers = real(value, b)
  const origin = nonzero(zeroPoint, b)
  return origin === undefined ? numbers : b.add('Sub', [numbers, place(origin, b)])
}

/** What the whole numbers stand for. */
export function dequantised({ value, scale, zeroPoint }: Scaled, b: GradientBuilder, place: Placed = real): string {
  return b.mul(centred(value, zeroPoint, b, place), place(scale, b))
}

/**
 * Whole numbers of a type again: half goes to the even neighbour, what lies outside the range to its end.
 *
 * @param steps counted in steps from the zero point.
 */
export function rounded(
  steps: string,
  zeroPoint: string | undefined,
  type: ElementType,
  b: GradientBuilder,
  place: Placed = real,
): string {
  const range = RANGES.get(type)
  if (range === undefined)
    throw new UsageError(`values quantised to ${type} have no gradient rule; quantise to int8, uint8, int16 or uint16`)
  const round = b.add('Round', [steps])
  const origin = nonzero(zeroPoint, b)
  const shifted = origin === undefined ? round : b.add('Add', [round, place(origin, b)])
  const [low, high] = range
  return b.add('Clip', [shifted, b.scalar(low), b.scalar(high)])
}

/**
 * The same with the zero point added first: where it is odd, a half goes to the other neighbour. So onnxruntime's kernels of
 * QLinearAdd, QLinearMul and QLinearAveragePool do it, and no others.
 */
export function roundedWithOrigin(
  steps: string,
  zeroPoint: string | undefined,
  type: ElementType,
  b: GradientBuilder,
): string {
  const origin = nonzero(zeroPoint, b)
  return rounded(origin === undefined ? steps : b.add('Add', [steps, real(origin, b)]), undefined, type, b)
}

/** A real value quantised into `node`'s output. */
export function quantised(
  node: Node,
  value: string,
  { scale, zeroPoint }: Omit<Scaled, 'value'>,
  b: GradientBuilder,
  place: Placed = real,
): string {
  const steps = b.add('Div', [value, place(scale, b)])
  return rounded(steps, zeroPoint, b.observed(node.outputs[0]).type, b, place)
}

/** Another operator of ai.onnx with this node's attributes. */
export function withAttributesOf(
  node: Node,
  op: string,
  inputs: readonly string[],
  b: GradientBuilder,
  dropped: readonly string[] = [],
): string {
  const output = b.name(op)
  const attributes = new Map([...node.attributes].filter(([name]) => !dropped.includes(name)))
  b.nodes.push({ op, domain: '', name: output, inputs, outputs: [output], attributes })
  return output
}

function nonzero(zeroPoint: string | undefined, b: GradientBuilder): string | undefined {
  if (!zeroPoint) return undefined
  const numbers = b.constantOf(zeroPoint)?.data
  return numbers && Array.from<unknown>(numbers).every((number) => Number(number) === 0) ? undefined : zeroPoint
}
