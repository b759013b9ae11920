import { UsageError } from '../errors.js'
import type { Tensor } from '../onnx/graph.js'
import { REORDERING_TOLERANCE } from '../onnx/settle.js'

/**
 * What a model said of some images.
 *
 * @param labels the class itself, one for each image
 * @param scores float [N × K]
 */
export type LabelWatch = (labels: Tensor | undefined, scores: ArrayLike<number>) => void

/**
 * Watches that the class a model says is the one it scores highest: attacks read the scores, and whoever deploys the model
 * its label. Each place has a label of its own, of whatever name; whole numbers rise with the place, as every converter
 * sorts them, for (place + 1) mod K would be one for each as well.
 *
 * @throws UsageError, at each call, where it is not
 */
export function labelWatch(label: string, output: string): LabelWatch {
  const labelOf = new Map<number, string | bigint>()
  return (labels, scores) => {
    if (labels === undefined) return
    const width = scores.length / labels.data.length
    // Several labels an image are its best classes, and none of them the one.
    if (!Number.isInteger(width) || width < 2) return
    Array.from<unknown>(labels.data).forEach((said, image) => {
      const place = greatest(Array.from({ length: width }, (_, at) => scores[image * width + at]))
      if (place === undefined || (typeof said !== 'string' && typeof said !== 'bigint')) return
      for (const [otherPlace, other] of labelOf) {
        const agree = place === otherPlace ? said === other : fits(said, other, place > otherPlace)
        if (!agree)
          throw new UsageError(
            `the output "${label}" is "${said}" where "${output}" is greatest at place ${place}, and "${other}" where it is greatest at place ${otherPlace}: the class is not that of the greatest score; make the label the argmax of the scores, or export the scores alone`,
          )
      }
      labelOf.set(place, said)
    })
  }
}

/** Whether two places may have these labels. */
function fits(said: string | bigint, other: string | bigint, isLater: boolean): boolean {
  if (typeof said === 'bigint' && typeof other === 'bigint') return isLater ? said > other : said < other
  return said !== other
}

/** The place of the greatest number; undefined where rounding may have put it before the next, or nothing is a number. */
function greatest(row: readonly number[]): number | undefined {
  const [first, second] = row.toSorted((a, b) => b - a)
  const scale = Math.max(...row.filter(Number.isFinite).map(Math.abs))
  return first - second > REORDERING_TOLERANCE * scale ? row.indexOf(first) : undefined
}
