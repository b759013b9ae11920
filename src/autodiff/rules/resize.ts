import { UsageError } from '../../errors.js'
import { floatAttribute, intAttribute, intsAttribute, stringAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { fromFront, rule } from '../rule.js'
import type { Rule } from '../rule.js'
import { resizedPixels } from './interpolation.js'
import type { Interpolation, ResizedAxis } from './interpolation.js'

/** Linear in every mode, axis by axis: along each the gradient is multiplied by the matrix that resized it. */
export const resize: Readonly<Record<string, Rule>> = {
  Resize: rule((node, gradient, b) => {
    const [x] = node.inputs
    const { batchAxis } = b.observed(x)
    const dims = [...b.dims(node.outputs[0])]
    if (dims.every((size, axis) => size === b.dims(x)[axis])) return [gradient]
    const how = interpolationOf(node)
    const axes = resizedAxes(node, b).flatMap((axis, at) => (axis.scale === 1 ? [] : [{ ...axis, at }]))
    // What shrinks the gradient most comes first.
    const order = axes.toSorted((a, c) => a.input * c.output - c.input * a.output)
    const result = order.reduce((inner, axis) => {
      const along = { dims, batchAxis, at: axis.at }
      dims[axis.at] = axis.input
      return multiplyAlong(b, inner, matrixOf(axis, how), { ...along, output: axis.output, input: axis.input }, x)
    }, gradient)
    return [b.reshapeLike(result, x)]
  }),
}

function interpolationOf(node: Node): Interpolation {
  return {
    mode: stringAttribute(node, 'mode', 'nearest'),
    coordinates: stringAttribute(node, 'coordinate_transformation_mode', 'half_pixel'),
    nearestMode: stringAttribute(node, 'nearest_mode', 'round_prefer_floor'),
    cubicCoefficient: floatAttribute(node, 'cubic_coeff_a', -0.75),
    excludeOutside: intAttribute(node, 'exclude_outside', 0) === 1,
    antialias: intAttribute(node, 'antialias', 0) === 1,
  }
}

/** Sizes, scale and region of each axis. */
function resizedAxes(node: Node, b: GradientBuilder): readonly ResizedAxis[] {
  const [x, roi, scales, sizes] = node.inputs
  const [from, to] = [b.dims(x), b.dims(node.outputs[0])]
  const axes = intsAttribute(node, 'axes', [...from.keys()]).map((axis) => fromFront(axis, from.length))
  const given = scales ? known(node, 'scales', scales, b) : policyScales(node, axes, sizes, b)
  const crops = stringAttribute(node, 'coordinate_transformation_mode', '') === 'tf_crop_and_resize'
  const regions = crops && roi ? known(node, 'roi', roi, b) : undefined
  return from.map((input, axis) => {
    const at = axes.indexOf(axis)
    const output = to[axis]
    if (at < 0) return { input, output, scale: 1, region: [0, 1] }
    const scale = given?.[at] ?? Math.fround(output / input)
    return { input, output, scale, region: regions ? [regions[at], regions[at + axes.length]] : [0, 1] }
  })
}

/** With keep_aspect_ratio_policy one scale holds for all axes, though the sizes it gives are rounded. */
function policyScales(
  node: Node,
  axes: readonly number[],
  sizes: string,
  b: GradientBuilder,
): readonly number[] | undefined {
  const policy = stringAttribute(node, 'keep_aspect_ratio_policy', 'stretch')
  if (policy === 'stretch') return undefined
  const dims = b.dims(node.inputs[0])
  const wanted = known(node, 'sizes', sizes, b).map((size, at) => Math.fround(size / dims[axes[at]]))
  const scale = policy === 'not_larger' ? Math.min(...wanted) : Math.max(...wanted)
  return axes.map(() => scale)
}

function known(node: Node, what: string, name: string, b: GradientBuilder): readonly number[] {
  const values = b.integersOf(name)
  if (values === undefined)
    throw new UsageError(
      `Resize (node "${node.name}") has ${what} that are computed from the image: there is no gradient rule for that; export it with constant ${what}`,
    )
  return values
}

/** [output, input], row-major. */
function matrixOf(axis: ResizedAxis, how: Interpolation): Float64Array {
  const matrix = new Float64Array(axis.output * axis.input)
  resizedPixels(axis, how).forEach((taps, place) => {
    for (const [at, weight] of taps) matrix[place * axis.input + at] += weight
  })
  return matrix
}

/** Multiplies `value`, of size `output` along one axis, by a matrix [output, input] there. */
function multiplyAlong(
  b: GradientBuilder,
  value: string,
  matrix: Float64Array,
  along: {
    readonly dims: readonly number[]
    readonly batchAxis: number | undefined
    readonly at: number
    readonly output: number
    readonly input: number
  },
  like: string,
): string {
  const { dims, batchAxis, at, output, input } = along
  const span = (from: number, to: number): number =>
    batchAxis !== undefined && batchAxis >= from && batchAxis < to
      ? -1
      : dims.slice(from, to).reduce((total, size) => total * size, 1)
  const [outer, inner] = [span(0, at), span(at + 1, dims.length)]
  if (inner === 1) return b.add('MatMul', [b.reshape(value, [outer, output]), b.tensor(matrix, [output, input], like)])
  const turned = Float64Array.from(matrix, (_, place) => matrix[(place % output) * input + Math.floor(place / output)])
  return b.add('MatMul', [b.tensor(turned, [input, output], like), b.reshape(value, [outer, output, inner])])
}
