import { UsageError } from '../errors.js'
import type { StoredLabels } from './types.js'

const highest = 2 ** 31 - 1

/**
 * The first `samples` labels as class numbers.
 * @throws UsageError for a label that is negative or no whole number, with the image it belongs to, and for one beyond
 *   the class names
 */
export function toLabels(
  stored: StoredLabels,
  samples: number,
  classNames: readonly string[] | undefined,
  name: string,
): Int32Array {
  return Int32Array.from({ length: samples }, (_, image) => {
    const label = Number(stored[image])
    if (!Number.isInteger(label) || label < 0 || label > highest)
      throw new UsageError(
        `${name}: image ${image} has label ${stored[image]}; give class numbers, 0 for the first class`,
      )
    if (classNames && label >= classNames.length)
      throw new UsageError(
        `${name}: image ${image} has label ${label}, but there are ${classNames.length} class names; name every class`,
      )
    return label
  })
}
