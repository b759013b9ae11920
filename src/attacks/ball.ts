import type { Random } from './random.js'

/**
 * The points an attacker may choose for one image: {x′ : ‖x′ − x‖ ≤ ε, low ≤ x′ ≤ high}, by what depends on the norm. It holds
 * exactly: of the float32 values themselves, with the norm computed in float64. Points and gradients are float32 [pixels],
 * in pixel units of the dataset's range. Every method returns a new array and leaves its arguments alone.
 */
export interface Ball {
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
  /** ‖x′ − x‖ in the norm, in float64. */
  distance(point: Float32Array): number
}
