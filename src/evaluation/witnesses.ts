import { writeNpz } from '../data/npz.js'
import type { Dataset } from '../data/types.js'
import type { Witness } from './collector.js'

/**
 * The adversarial examples of one threat as a .npz archive: `x` float32 [M, ...shape] in the dataset's range and layout,
 * `index`, `label` and `predicted` int64 [M], in ascending order of index.
 */
export function witnessArchive(
  witnesses: readonly Witness[],
  threat: string,
  { shape }: Pick<Dataset, 'shape'>,
): Uint8Array {
  const chosen = witnesses.filter((witness) => witness.threat === threat).toSorted((a, b) => a.index - b.index)
  const size = shape.reduce((product, length) => product * length, 1)
  const x = new Float32Array(chosen.length * size)
  for (const [row, { pixels }] of chosen.entries()) x.set(pixels, row * size)
  const integers = (of: (witness: Witness) => number) => ({
    type: 'i8' as const,
    shape: [chosen.length],
    data: BigInt64Array.from(chosen, (witness) => BigInt(of(witness))),
  })
  return writeNpz({
    x: { type: 'f4', shape: [chosen.length, ...shape], data: x },
    index: integers(({ index }) => index),
    label: integers(({ label }) => label),
    predicted: integers(({ predicted }) => predicted),
  })
}
