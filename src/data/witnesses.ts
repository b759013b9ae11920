import { UsageError } from '../errors.js'
import { readNpz } from './npz.js'

/** Adversarial examples as `evaluate --save-adversarial` writes them. */
export interface StoredWitnesses {
  /** Of one image. */
  readonly shape: readonly number[]
  /** float32 [M × product(shape)], in the range and layout of the data they were made from. */
  readonly pixels: Float32Array
  /** [M], into those data. */
  readonly indices: Int32Array
  /** [M] */
  readonly labels: Int32Array
}

/**
 * Reads an archive of adversarial examples: `x` float32 [M, …], `index` and `label` integers [M].
 *
 * @throws UsageError when it holds something else
 */
export function decodeWitnesses(bytes: Uint8Array, name: string): StoredWitnesses {
  const { x, index, label } = readNpz(bytes, name, ['x', 'index', 'label'])
  if (!(x.data instanceof Float32Array) || x.shape.length < 2)
    throw new UsageError(`${name}: x is not float32 [M, …]; give what \`evaluate --save-adversarial\` wrote`)
  const [rows, ...shape] = x.shape
  const integers = (array: typeof index, member: string): Int32Array => {
    const values = Int32Array.from(array.data, Number)
    if (array.shape.length === 1 && values.length === rows && values.every((value) => value >= 0)) return values
    throw new UsageError(`${name}: ${member} is not one number of at least 0 for each of ${rows} rows of x`)
  }
  return { shape, pixels: x.data, indices: integers(index, 'index'), labels: integers(label, 'label') }
}
