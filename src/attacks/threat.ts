import type { Norm } from '../config/types.js'
import { UsageError } from '../errors.js'
import { l1Ball } from './ballL1.js'
import { l2Ball } from './ballL2.js'
import { linfBall } from './ballLinf.js'
import { eightBits } from './eightBits.js'
import { roundTowards } from './float32.js'
import type { Random } from './random.js'

/**
 * The points an attacker may choose for one image: {x′ : ‖x′ − x‖ ≤ ε, low ≤ x′ ≤ high}. It holds exactly: of the
 * float32 values themselves, with the norm computed in float64. Points and gradients are float32 [pixels], in pixel
 * units of the dataset's range. Every method returns a new array and leaves its arguments alone.
 */
export interface ThreatModel {
  readonly norm: Norm
  readonly image: Float32Array
  readonly epsilon: number
  /** Least and greatest pixel, float32. */
  readonly low: number
  readonly high: number
  /** A point anywhere, brought into the ball and the bounds. */
  project(point: Float32Array): Float32Array
  /** Uniform in the ball, then clipped to the bounds (the random start of Madry et al. 2018 and of foolbox). */
  randomPoint(random: Random): Float32Array
  /**
   * One step of projected gradient ascent (Madry et al. 2018, section 2.1): `size` along the direction in which the
   * loss, to first order, rises most within the norm, then projected. Where the gradient is zero or NaN nothing moves.
   */
  step(point: Float32Array, gradient: Float32Array, size: number): Float32Array
  /** ‖x′ − x‖ in the threat's norm, in float64. */
  distance(point: Float32Array): number
  /** A point in the form in which it is put to the original: as it is, or rounded to pixels of 8 bits; in the ball if it was. */
  witness(point: Float32Array): Float32Array
}

/** What a norm has to say; the rest of a threat model is the same for all. */
export type Ball = Omit<ThreatModel, 'norm' | 'low' | 'high' | 'witness'>

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
