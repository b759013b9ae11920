import type { DataOptions, Layout } from '../config/types.js'
import { UsageError } from '../errors.js'

export interface ImageShape {
  /** [C, H, W] (nchw), [H, W, C] (nhwc) or [D] (flat). */
  readonly shape: readonly number[]
  readonly layout: Layout
}

/**
 * What a stored image of `dims` is under the declared layout. [H, W] gets its one channel; [D] is flat, unless `shape`
 * says what it holds; the layout `flat` flattens everything.
 * @throws UsageError when the number of dimensions fits no layout or `shape` does not fit the data
 */
export function imageShape(dims: readonly number[], options: DataOptions, name: string): ImageShape {
  const size = product(dims)
  if (size === 0)
    throw new UsageError(`${name}: its images are ${dims.join(' × ')}, without a pixel; save the data again`)
  const declared = options.shape
  if (declared && (dims.length > 1 ? !equal(dims, declared) : size !== product(declared)))
    throw new UsageError(
      `${name}: its images are ${dims.join(' × ')}, not the declared shape ${declared.join(' × ')}; correct \`shape\` or leave it out`,
    )
  const known = dims.length === 1 && declared ? declared : dims
  if (known.length === 1 || options.layout === 'flat') return { shape: [size], layout: 'flat' }
  if (known.length === 2)
    return { shape: options.layout === 'nchw' ? [1, ...known] : [...known, 1], layout: options.layout }
  if (known.length === 3) return { shape: known, layout: options.layout }
  throw new UsageError(
    `${name}: its images have ${known.length} dimensions, ${known.join(' × ')}; give [C, H, W], [H, W, C], [H, W] or [D]`,
  )
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1)
}

function equal(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis])
}
