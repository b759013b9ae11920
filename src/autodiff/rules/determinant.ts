import type { GradientBuilder } from '../gradientBuilder.js'
import { rule } from '../rule.js'
import type { Rule } from '../rule.js'

export const determinant: Readonly<Record<string, Rule>> = {
  /** The matrix of cofactors, which singular matrices have, too, unlike Jacobi's det · A⁻ᵀ. */
  Det: rule((node, gradient, b) => {
    const [x] = node.inputs
    const rank = b.rank(x)
    const size = b.dims(x)[rank - 1]
    if (size === 1) return [b.reshapeLike(gradient, x)]
    const cofactors = b.mul(b.add('Det', [minors(x, size, b)]), checkerboard(size, x, b))
    return [b.mul(b.add('Unsqueeze', [gradient, b.ints([-2, -1])]), cofactors)]
  }),
}

/** [..., n, n] → [..., n, n, n − 1, n − 1]: at i, j the matrix without row i and column j. */
function minors(x: string, size: number, b: GradientBuilder): string {
  const rank = b.rank(x)
  const others = Array.from({ length: size }, (_, left) =>
    Array.from({ length: size }, (__, at) => at).filter((at) => at !== left),
  )
  const places = b.constant('int64', [size, size - 1], BigInt64Array.from(others.flat(), BigInt))
  const rows = b.add('Gather', [x, places], { axis: rank - 2 })
  const both = b.add('Gather', [rows, places], { axis: rank })
  const leading = Array.from({ length: rank - 2 }, (_, axis) => axis)
  return b.add('Transpose', [both], { perm: [...leading, rank - 2, rank, rank - 1, rank + 1] })
}

function checkerboard(size: number, like: string, b: GradientBuilder): string {
  const signs = Array.from({ length: size * size }, (_, at) =>
    (Math.floor(at / size) + (at % size)) % 2 === 0 ? 1 : -1,
  )
  return b.tensor(signs, [size, size], like)
}
