import { intAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import { expansion } from '../expansion.js'
import type { Expansion } from '../expansion.js'
import type { GradientBuilder } from '../gradientBuilder.js'

/** Pairs of numbers turned by an angle that grows with the position (Su et al. 2021, eq. 34). */
export const rotaryEmbedding: Readonly<Record<string, Expansion>> = {
  RotaryEmbedding: expansion((node, b) => {
    const [x, cosines, sines, positions] = node.inputs
    const at = (cache: string): string => (positions ? b.add('Gather', [cache, positions], { axis: 0 }) : cache)
    return rotated(node, x, [cosines, sines], at, b)
  }),

  /** One position is that of the first row. onnxruntime's CPU kernel leaves `scale` aside. */
  'com.microsoft.RotaryEmbedding': expansion((node, b) => {
    const [x, positions, cosines, sines] = node.inputs
    const rows = b.dims(x)[b.rank(x) - 2]
    const range = b.constant(
      'int64',
      [rows],
      BigInt64Array.from({ length: rows }, (_, at) => BigInt(at)),
    )
    const all = b.rank(positions) === 1 ? b.add('Add', [positions, range]) : positions
    return rotated(node, x, [cosines, sines], (cache) => b.add('Gather', [cache, all], { axis: 0 }), b)
  }),
}

/** @param at rows of a cache, [.., rows, depth / 2], for the rows of x. */
function rotated(
  node: Node,
  x: string,
  [cosines, sines]: readonly [string, string],
  at: (cache: string) => string,
  b: GradientBuilder,
): string {
  const { dims, batchAxis } = b.observed(x)
  const batch = batchAxis === 0 ? -1 : dims[0]
  const half = b.dims(cosines)[b.rank(cosines) - 1]
  const width = dims[dims.length - 1]
  const heads = intAttribute(node, 'num_heads', 0) || width / (2 * half)
  // [N, rows, heads · depth] stays in that order: the angles are the same for every head.
  const isByHeads = dims.length === 4
  const depth = isByHeads ? width : width / heads
  const sizes = isByHeads ? [batch, ...dims.slice(1, 3)] : [batch, dims[1], heads]
  const image = isByHeads ? x : b.reshape(x, [...sizes, depth])
  const isInterleaved = intAttribute(node, 'interleaved', 0) === 1
  const angle = (cache: string): string => {
    const perRow = b.add('Unsqueeze', [at(cache), b.ints([isByHeads ? -3 : -2])])
    return isInterleaved ? b.add('Unsqueeze', [perRow, b.ints([-1])]) : perRow
  }
  const [cosine, sine] = [angle(cosines), angle(sines)]
  const part = (value: string, from: number, to: number): string =>
    b.add('Slice', [value, b.ints([from]), b.ints([to]), b.ints([-1])])
  const turning = 2 * half === depth ? image : part(image, 0, 2 * half)
  const pairs = isInterleaved ? b.reshape(turning, [...sizes, half, 2]) : turning
  const [first, second] = isInterleaved
    ? [part(pairs, 0, 1), part(pairs, 1, 2)]
    : [part(pairs, 0, half), part(pairs, half, 2 * half)]
  const turned = [
    b.add('Sub', [b.mul(first, cosine), b.mul(second, sine)]),
    b.add('Add', [b.mul(first, sine), b.mul(second, cosine)]),
  ]
  const together = b.add('Concat', turned, { axis: -1 })
  const flat = isInterleaved ? b.reshape(together, [...sizes, 2 * half]) : together
  const whole = 2 * half === depth ? flat : b.add('Concat', [flat, part(image, 2 * half, depth)], { axis: -1 })
  return isByHeads ? whole : b.reshapeLike(whole, x)
}
