import type { Norm } from '../config/types.js'
import { UsageError } from '../errors.js'
import type { Ball } from './ball.js'
import { l1Ball } from './ballL1.js'
import { l2Ball } from './ballL2.js'
import { linfBall } from './ballLinf.js'
import { eightBits } from './eightBits.js'
import { roundTowards } from './float32.js'

/** What an attacker may do to one image. */
export interface ThreatModel extends Ball {
  readonly norm: Norm
  /** Least and greatest pixel, float32. */
  readonly low: number
  readonly high: number
  /** A point in the form in which it is put to the original: as it is, or rounded to pixels of 8 bits; in the ball if it was. */
  witness(point: Float32Array): Float32Array
}

export type Bounds = readonly [number, number]

/**
 * The threat model around one image.
 *
 * @param image float32 [pixels], inside `bounds`
 * @param bounds least and greatest pixel; where one has no float32, the nearest inside takes its place
 * @param quantised - Only points of 8 bits count as witnesses.
 * @throws UsageError when a pixel is outside the bounds
 */
export function threatModel(
  image: Float32Array,
  { norm, epsilon }: { readonly norm: Norm; readonly epsilon: number },
  bounds: Bounds,
  { quantised = false }: { readonly quantised?: boolean } = {},
): ThreatModel {
  const inside = Math.fround((bounds[0] + bounds[1]) / 2)
  const low = roundTowards(inside, bounds[0])
  const high = roundTowards(inside, bounds[1])
  const outside = image.findIndex((pixel) => !(pixel >= low && pixel <= high))
  if (outside >= 0)
    throw new UsageError(
      `Pixel ${outside} of an image is ${image[outside]}, outside the range ${low}…${high}: declare the data's range.`,
    )
  const ball = BALLS[norm](image, epsilon, low, high)
  const witness = quantised ? eightBits(ball, low, high) : (point: Float32Array): Float32Array => point
  return { ...ball, norm, low, high, witness }
}

const BALLS: Readonly<Record<Norm, (image: Float32Array, epsilon: number, low: number, high: number) => Ball>> = {
  linf: linfBall,
  l2: l2Ball,
  l1: l1Ball,
}
