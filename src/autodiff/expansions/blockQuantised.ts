import { UsageError } from '../../errors.js'
import { describe, intAttribute } from '../../onnx/attributes.js'
import type { Node, Tensor } from '../../onnx/graph.js'
import { expansion } from '../expansion.js'
import type { Expansion } from '../expansion.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { straightThrough } from '../rule.js'

/** Weights of 2, 4 or 8 bits with a scale for each block of a row, as language and vision transformers are made small. */
export const blockQuantised: Readonly<Record<string, Expansion>> = {
  'com.microsoft.MatMulNBits': straightThrough(
    'only at accuracy_level 4, where onnxruntime rounds activations to 8 bits; exact otherwise; of constant weights, not reordered by groups',
    expansion((node, b) => {
      const [x, , , , , bias] = node.inputs
      const product = b.add('MatMul', [x, weightsOf(node, b)])
      return bias ? b.add('Add', [product, bias]) : product
    }),
    (node) => intAttribute(node, 'accuracy_level', 0) === 4,
  ),
}

/** The real weights, turned: [K, N]. */
function weightsOf(node: Node, b: GradientBuilder): string {
  const [x, packed, scales, zeroPoints = '', groups = ''] = node.inputs
  const [inner, outer, size] = ['K', 'N', 'block_size'].map((name) => intAttribute(node, name, 0))
  const bits = intAttribute(node, 'bits', 4)
  const [whole, steps, zeros] = [packed, scales, zeroPoints].map((name) => b.constantOf(name))
  if (whole === undefined || steps === undefined || (zeroPoints !== '' && zeros === undefined) || groups !== '')
    throw new UsageError(
      `${describe(node)} has weights that are computed, or reordered by groups, which has no gradient rule; export it with constant ones in their order`,
    )
  const blocks = Math.ceil(inner / size)
  const weight = reader(whole, bits, blocks * size)
  const step = reader(steps, bits, blocks)
  const zero = zeros ? reader(zeros, bits, blocks) : () => 2 ** (bits - 1)
  const real = new Float64Array(inner * outer)
  for (let row = 0; row < outer; row++)
    for (let at = 0; at < inner; at++) {
      const block = Math.floor(at / size)
      real[at * outer + row] = (weight(row, at) - zero(row, block)) * step(row, block)
    }
  return b.tensor(real, [inner, outer], x)
}

/**
 * Numbers by row and place. Bytes hold several, the first in the lowest bits, and every row starts with a new byte; real
 * numbers stand as they are.
 */
function reader({ type, data }: Tensor, bits: number, width: number): (row: number, at: number) => number {
  if (type !== 'uint8') return (row, at) => Number(data[row * width + at])
  const each = 8 / bits
  const bytes = Math.ceil(width / each)
  return (row, at) => (Number(data[row * bytes + Math.floor(at / each)]) >> (bits * (at % each))) & (2 ** bits - 1)
}
