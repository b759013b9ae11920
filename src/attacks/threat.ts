import type { Norm } from '../config/types.js'
import { UsageError } from '../errors.js'
import { roundTowards } from './float32.js'
import { l2Threat } from './threatL2.js'
import { linfThreat } from './threatLinf.js'
import type { Random } from './random.js'

/**
 * The points an attacker may choose for one image: {x′ : ‖x′ − x‖ ≤ ε, low ≤ x′ ≤ high}. It holds exactly: of the
 * float32 values themselves, with the norm computed in float64. Points and gradients are float32 [pixels], in pixel
 * units of the dataset's range. Every method returns a new array and leaves its arguments alone.
 */
export interface ThreatModel {
  readonly image: Float32Array
  readonly epsilon: number
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
}

export type Bounds = readonly [number, number]

/**
 * The threat model around one image.
 *
 * @param image float32 [pixels], inside `bounds`
 * @param bounds least and greatest pixel; where one has no float32, the nearest inside takes its place
 * @throws UsageError when a pixel is outside the bounds, or the norm is not supported
 */
export function threatModel(
  image: Float32Array,
  { norm, epsilon }: { readonly norm: Norm; readonly epsilon: number },
  bounds: Bounds,
): ThreatModel {
  const inside = Math.fround((bounds[0] + bounds[1]) / 2)
  const low = roundTowards(inside, bounds[0])
  const high = roundTowards(inside, bounds[1])
  const outside = image.findIndex((pixel) => !(pixel >= low && pixel <= high))
  if (outside >= 0)
    throw new UsageError(
      `Pixel ${outside} of an image is ${image[outside]}, outside the range ${low}…${high}: declare the data's range.`,
    )
  switch (norm) {
    case 'linf':
      return linfThreat(image, epsilon, low, high)
    case 'l2':
      return l2Threat(image, epsilon, low, high)
    case 'l1':
      throw new UsageError('The norm l1 is not supported yet: use linf or l2.')
  }
}
