import { floatAttribute, intAttribute, intsAttribute } from '../../onnx/attributes.js'
import type { Tensor } from '../../onnx/graph.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { rule } from '../rule.js'
import type { Rule } from '../rule.js'

export const linearAlgebra: Readonly<Record<string, Rule>> = {
  Gemm: rule((node, gradient, b) => {
    const [a, w, bias] = node.inputs
    const transA = intAttribute(node, 'transA', 0)
    const transB = intAttribute(node, 'transB', 0)
    const alpha = { float: floatAttribute(node, 'alpha', 1) }
    const beta = floatAttribute(node, 'beta', 1)
    const [y] = node.outputs
    const forA = (): string =>
      transA
        ? b.add('Gemm', [w, gradient], { alpha, transA: transB, transB: 1 })
        : b.add('Gemm', [gradient, w], { alpha, transB: 1 - transB })
    const forW = (): string =>
      transB
        ? b.add('Gemm', [gradient, a], { alpha, transA: 1, transB: transA })
        : b.add('Gemm', [a, gradient], { alpha, transA: 1 - transA })
    const forBias = (): string => b.unbroadcast(beta === 1 ? gradient : b.mul(gradient, b.number(beta, y)), y, bias)
    return [
      b.isActive(a) ? forA() : undefined,
      b.isActive(w) ? forW() : undefined,
      bias && b.isActive(bias) ? forBias() : undefined,
    ]
  }),

  /** dA = dY·Bᵀ, dB = Aᵀ·dY, batch dimensions summed back. Vectors are matrices by now, see `matrixProducts.ts`. */
  MatMul: rule((node, gradient, b) => {
    const [left, right] = node.inputs
    const [y] = node.outputs
    const rank = Math.max(b.rank(left), b.rank(right))
    const forLeft = (): string => b.add('MatMul', [gradient, transposed(right, b)])
    const forRight = (): string =>
      isTurned(right, b)
        ? transposed(b.add('MatMul', [transposed(gradient, b, y), left]), b, y)
        : b.add('MatMul', [transposed(left, b), gradient])
    return [
      b.isActive(left) ? unbroadcastMatrix(forLeft(), rank, y, left, b) : undefined,
      b.isActive(right) ? unbroadcastMatrix(forRight(), rank, y, right, b) : undefined,
    ]
  }),

  /** d(X⁻¹) = −X⁻¹·dX·X⁻¹. */
  'com.microsoft.Inverse': rule((node, gradient, b) => {
    const turnedInverse = transposed(node.outputs[0], b)
    const left = b.add('MatMul', [turnedInverse, gradient])
    return [b.add('Neg', [b.add('MatMul', [left, turnedInverse])])]
  }),
}

/**
 * Whether the model has turned the matrix itself, as keys are, by a Transpose that makes rows of what lay in columns. Its
 * gradient is then made the other way round: of two Transposes in a row one is left, and that keeps rows together.
 */
function isTurned(value: string, b: GradientBuilder): boolean {
  const turn = b.nodes.find(({ op, outputs }) => op === 'Transpose' && outputs[0] === value)
  const order = turn && intsAttribute(turn, 'perm')
  return order !== undefined && order.at(-2) === order.length - 1
}

/** The last two axes swapped; a weight is turned once, when the graph is built. `of` has the same number of axes, and was seen. */
function transposed(value: string, b: GradientBuilder, of = value): string {
  const weight = b.constantOf(value)
  if (weight?.dims.length === 2) return b.constant(weight.type, [weight.dims[1], weight.dims[0]], turned(weight))
  const rank = b.rank(of)
  const perm = Array.from({ length: rank }, (_, axis) => axis)
  perm[rank - 2] = rank - 1
  perm[rank - 1] = rank - 2
  return b.add('Transpose', [value], { perm })
}

/** Rows and columns of a block that stays near: whole rows of a ViT-B's weights would not fit the cache. */
const BLOCK = 32

function turned({ dims: [rows, columns], data, type }: Tensor): Float32Array | Float64Array {
  const result = type === 'float64' ? new Float64Array(data.length) : new Float32Array(data.length)
  const turnBlock = (top: number, left: number): void => {
    const [bottom, right] = [Math.min(top + BLOCK, rows), Math.min(left + BLOCK, columns)]
    for (let column = left; column < right; column++)
      for (let row = top; row < bottom; row++) result[column * rows + row] = Number(data[row * columns + column])
  }
  for (let top = 0; top < rows; top += BLOCK) for (let left = 0; left < columns; left += BLOCK) turnBlock(top, left)
  return result
}

/** The adjoint of broadcasting the axes in front of the matrix. */
function unbroadcastMatrix(product: string, rank: number, y: string, operand: string, b: GradientBuilder): string {
  const from = b.observed(y)
  const to = b.observed(operand)
  const missing = rank - to.dims.length
  const axes = from.dims.slice(0, rank - 2).flatMap((size, axis) => {
    const own = axis - missing
    const grown = size !== 1 || axis === from.batchAxis
    return own < 0 || (to.dims[own] === 1 && own !== to.batchAxis && grown) ? [axis] : []
  })
  return axes.length === 0 ? product : b.reshapeLike(b.sum(product, axes, true), operand)
}
